import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.nmf import Factors
from dsp_sep.separators import ByActivation, ByOracle, ByTimbre
from dsp_sep.separators.grouping import Found

KEY = jax.random.key(0)
OWNERS = np.array([1, 0, 1, 0, 0])
FREQUENCIES = np.linspace(0, 4000, 65)


def found():
    """Dull and quiet components that sound together, and bright and loud ones that do at other times."""
    rng = np.random.default_rng(0)
    together = rng.random((2, 80)) < 0.3
    slopes = np.where(OWNERS == 1, -6e-3, -1e-4) * rng.uniform(0.8, 1.2, OWNERS.size)
    H = (together[OWNERS] + 0.02) * rng.gamma(20, 1 / 20, (OWNERS.size, 80)) * np.where(OWNERS == 1, 0.3, 1)[:, None]
    W = np.exp(np.outer(FREQUENCIES, slopes)) * rng.gamma(20, 1 / 20, (65, OWNERS.size))
    return Found(Factors(jnp.asarray(W, jnp.float32), jnp.asarray(H, jnp.float32)), FREQUENCIES)


def test_components_are_gathered_by_whatever_they_have_in_common():
    given = found()
    W, H = map(np.asarray, given.factors)
    magnitudes = np.stack([W[:, OWNERS == j] @ H[OWNERS == j] for j in (0, 1)])
    for grouping in (ByTimbre(), ByActivation(), ByOracle(magnitudes)):
        np.testing.assert_array_equal(grouping(given, 2, KEY), OWNERS, err_msg=type(grouping).__name__)
    np.testing.assert_array_equal(ByOracle(magnitudes[::-1].copy())(given, 2, KEY), 1 - OWNERS)
    loud = Found(Factors(W, H * np.where(OWNERS == 1, 100, 1).astype(np.float32)[:, None]), FREQUENCIES)
    np.testing.assert_array_equal(ByActivation()(loud, 2, KEY), 1 - OWNERS)
    with pytest.raises(ValueError, match=r"ByOracle: magnitudes have shape \(2, 65, 80\), expected \(3, 65, 80\)"):
        ByOracle(magnitudes)(given, 3, KEY)


def test_silent_components_are_no_error():
    W, H = found().factors
    assert ByActivation()(Found(Factors(W, 0 * H), FREQUENCIES), 2, KEY).shape == OWNERS.shape

"""The ratio mask: shares of a whole, whatever the magnitudes and the exponent."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.masking import RatioMask, ratio
from tests.checks import distance, finite

V = np.random.default_rng(0).gamma(0.5, 1, (2, 3, 1, 5, 6))


@pytest.mark.parametrize("exponent", [-1.0, 0.0, 0.5, 1.0, 2.0, 7.3])
def test_is_the_share_of_the_power(exponent, x64):
    powers = V**exponent
    assert distance(RatioMask(exponent)(jnp.asarray(V)), powers / powers.sum(-4, keepdims=True)) < 1e-13


@pytest.mark.parametrize("exponent", [-3.0, 0.0, 1.0, 2.0, 1e4])
@pytest.mark.parametrize("scale", [0.0, 1e-6, 1.0, 1e6])
def test_sums_to_one_with_finite_gradients(exponent, scale):
    silent = scale * V
    silent[:, 1, :, :3] = 0
    silent[:, :, :, 0] = 0
    silent = jnp.asarray(silent)
    mask = ratio(silent, exponent)
    np.testing.assert_allclose(mask.sum(-4), 1, rtol=1e-6)
    np.testing.assert_allclose(mask[:, :, :, 0], 1 / 3, rtol=1e-6)
    assert np.all((mask >= 0) & (mask <= 1))
    weights = jnp.asarray(np.random.default_rng(1).standard_normal(V.shape), jnp.float32)
    assert finite(jax.grad(lambda v, p: jnp.sum(weights * ratio(v, p)), (0, 1))(silent, exponent))


def test_limits():
    V = jnp.asarray([3.0, 2.0, 0.0]).reshape(3, 1, 1, 1)
    np.testing.assert_allclose(ratio(V, 1.0).ravel(), [0.6, 0.4, 0], atol=1e-13)
    np.testing.assert_allclose(ratio(V, 200.0).ravel(), [1, 0, 0], atol=1e-13)


def test_an_exponent_for_each_source_or_frequency():
    magnitudes = jnp.asarray(V)
    for shape in ((3, 1, 1, 1), (5, 1)):
        exponents = 1 + np.random.default_rng(2).random(shape)
        logits = exponents * np.log(V)
        expected = np.exp(logits) / np.exp(logits).sum(-4, keepdims=True)
        assert distance(RatioMask(exponents)(magnitudes), expected) < 1e-6


def test_refuses():
    with pytest.raises(
        ValueError, match=r"RatioMask: magnitudes has shape \(5, 6\), expected \(..., sources, channels,"
    ):
        RatioMask()(jnp.asarray(V[0, 0, 0]))

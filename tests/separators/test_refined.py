from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.iterate import unfold
from dsp_sep.masking.hpss import HPSS
from dsp_sep.metrics import si_sdr
from dsp_sep.pytree import constrain, unconstrain
from dsp_sep.separators import HarmonicPercussive, Refined
from dsp_sep.spatial import EM, Estimated
from dsp_sep.transforms import STFT

RATE = 8000
TIME = np.arange(2 * RATE) / RATE
TONE = sum(0.05 * np.sin(2 * np.pi * f * TIME + f) for f in range(220, 3900, 220))
CLICKS = np.random.default_rng(0).normal(size=TIME.size) * (np.arange(TIME.size) % 1000 < 60)
DIRECTIONS = np.array([[1.0, 0.4], [0.3, 1.0]])
SOURCES = jnp.asarray(DIRECTIONS[..., None] * np.stack([TONE, CLICKS])[:, None], jnp.float32)
MIXTURE = SOURCES.sum(0)
TRANSFORM = STFT(n_fft=512, hop=128)
INNER = HarmonicPercussive(TRANSFORM, mask=HPSS(frames=9, bins=9))
SEPARATOR = Refined(INNER, stft=TRANSFORM, refinement=unfold(EM(start=Estimated()), 2))
PARAMS = unconstrain(SEPARATOR, train=("refinement", "separator.mask.exponent"))


@jax.jit
@partial(jax.grad, has_aux=True)
def gradient_and_stems(params, mixture):
    stems = constrain(params, SEPARATOR)(mixture)
    return jnp.sum(stems[0] ** 2), stems


@pytest.mark.thorough
def test_directions_make_stems_better():
    gradient, stems = gradient_and_stems(PARAMS, MIXTURE)
    assert SEPARATOR.names == INNER.names and stems.shape == SOURCES.shape and stems.dtype == jnp.float32
    np.testing.assert_allclose(stems.sum(0), MIXTURE, rtol=0, atol=1e-6)
    gain = si_sdr(SOURCES, stems) - si_sdr(SOURCES, INNER(MIXTURE))
    assert gain.min() > 0 and gain.mean(axis=1).min() > 3
    for name in ("separator.mask.exponent", "refinement.start.start.exponent"):
        assert jnp.isfinite(gradient.values[name]).all() and jnp.any(gradient.values[name] != 0), name


@pytest.mark.thorough
@pytest.mark.parametrize(
    "mixture", [jnp.zeros_like(MIXTURE), jnp.stack([MIXTURE[0]] * 2)], ids=["silence", "one place"]
)
def test_nothing_is_lost_and_gradients_are_finite(mixture):
    gradient, stems = gradient_and_stems(PARAMS, mixture)
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=1e-6)
    for name, value in gradient.values.items():
        assert jnp.isfinite(value).all(), name


def test_one_channel_is_refused():
    with pytest.raises(ValueError, match=r"\(1, 16000\), expected .* two channels"):
        SEPARATOR(MIXTURE[:1])

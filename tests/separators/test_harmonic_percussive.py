import jax
import jax.numpy as jnp
import numpy as np

from dsp_sep.masking.hpss import HPSS
from dsp_sep.metrics import si_sdr
from dsp_sep.pytree import constrain, unconstrain
from dsp_sep.separators import HarmonicPercussive
from dsp_sep.transforms import STFT

RATE = 8000
TIME = np.arange(2 * RATE) / RATE
TONE = sum(0.2 * np.sin(2 * np.pi * f * TIME) for f in (440, 660, 880))
CLICKS = np.random.default_rng(0).normal(size=TIME.size) * (np.arange(TIME.size) % 2000 < 20)
SOURCES = jnp.asarray(np.stack([TONE, CLICKS])[:, None], jnp.float32)
SEPARATOR = HarmonicPercussive(STFT(n_fft=512, hop=128), mask=HPSS(frames=17, bins=17))


def test_tones_and_clicks_are_told_apart():
    mixture = SOURCES.sum(0)
    stems = SEPARATOR(mixture)
    assert stems.shape == SOURCES.shape and stems.dtype == jnp.float32
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=1e-6)
    better = si_sdr(SOURCES, stems) - si_sdr(SOURCES, jnp.broadcast_to(mixture, SOURCES.shape))
    assert better.min() > 8


def test_exponent_is_learned_by_gradient():
    mixture = SOURCES.sum(0)

    def loss(free):
        return -si_sdr(SOURCES, constrain(free, SEPARATOR)(mixture)).mean()

    free = unconstrain(SEPARATOR, train=("mask.exponent",))
    value, gradient = jax.value_and_grad(loss)(free)
    step = jax.tree.map(lambda u, g: u - 0.05 * jnp.sign(g), free, gradient)
    assert loss(step) < value


def test_double_precision(x64):
    mixture = jnp.asarray(np.asarray(SOURCES.sum(0), float))
    stems = SEPARATOR(mixture)
    assert stems.dtype == jnp.float64
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=1e-12)

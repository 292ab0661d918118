"""The memory that the gradient through unfolded MISI needs, by the number of layers."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, Checkpointed, Momentum, run, unfold
from dsp_sep.phase import MISI, MagnitudeRatio

STATE = 2 * 3 * 1 * 129 * 63 * 8
"""Bytes of what a momentum keeps: two complex spectrograms of three sources."""


def needed(depth, every=1):
    """Bytes of intermediate arrays, as the compiler states them."""
    stft = STFT(n_fft=256, hop=64)
    layers = unfold(Momentum(MISI(stft, mixture_weight=MagnitudeRatio(1.0)), 0.5), depth, untied=("momentum",))
    sources = np.random.default_rng(0).standard_normal((3, 1, 62 * 64)).astype(np.float32)
    spectra = stft.analyze(jnp.asarray(sources))
    data = spectra.sum(0), jnp.abs(spectra)

    def loss(layers):
        return jnp.sum(jnp.abs(run(layers, data, gradient=Checkpointed(every)).output - spectra) ** 2)

    return jax.jit(jax.grad(loss)).lower(layers).compile().memory_analysis().temp_size_in_bytes


@pytest.mark.thorough
def test_memory_by_depth_is_one_state_a_layer_or_a_root_of_them(optimized):
    five, fifty = needed(5), needed(50)
    assert 0.9 < (fifty - five) / (45 * STATE) < 1.1
    assert needed(50, every=7) < 2.5 * five

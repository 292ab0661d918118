"""The supervised chain: a differentiable pytree from waveform to stems."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import dsp_sep as ds
from dsp_sep.separators import classic, learn_dictionaries


@pytest.fixture(scope="module")
def chain():
    song = ds.data.example("learn").excerpt(0, 2)
    stft = ds.STFT(n_fft=512, hop=128)
    W = learn_dictionaries(stft, song.sources, components=4, steps=20, key=jax.random.key(0))
    return classic(stft, W, names=song.names, rate=song.rate, iterations=5, inversions=2)


def test_dictionaries_are_unit_norm_atoms_of_each_source(chain):
    W = chain.activations[0].dictionary
    assert W.shape == (257, 16)
    np.testing.assert_allclose(jnp.sum(W**2, axis=0), 1, rtol=1e-5)
    bass, drums = W[:, 4:8], W[:, :4]
    bins = jnp.arange(257.0)[:, None]
    assert jnp.sum(bins * bass) / jnp.sum(bass) < jnp.sum(bins * drums) / jnp.sum(drums)


@pytest.mark.parametrize("inversions", [pytest.param(0, marks=pytest.mark.thorough), 2])
def test_stems_sum_to_the_mixture_in_any_batch(chain, inversions):
    if not inversions:
        chain = dataclasses.replace(chain, inversion=None)
    mixture = ds.data.example("judge").mixture[:, :20000]
    stems = chain(mixture)
    assert stems.shape == (4, 2, 20000)
    np.testing.assert_allclose(jnp.sum(stems, axis=0), mixture, atol=1e-6)
    batch = chain(jnp.stack([mixture, mixture[::-1]]))
    np.testing.assert_allclose(batch[0], stems, atol=1e-5)
    np.testing.assert_allclose(batch[1], stems[:, ::-1], atol=1e-5)


@pytest.mark.thorough
def test_every_hyperparameter_has_a_finite_gradient_on_music_and_on_silence(chain):
    params = ds.unconstrain(chain, train=("activations", "mask", "inversion.mixture_weight", "stft.window"))
    mixture = ds.data.example("judge").mixture[:, :20000]

    def loss(params, signal):
        return jnp.sum(ds.constrain(params, chain)(signal)[0] ** 2)

    for signal in (mixture, jnp.zeros_like(mixture), mixture.at[:, 5000:].set(0.0)):
        for name, gradient in jax.grad(loss)(params, signal).values.items():
            assert jnp.all(jnp.isfinite(gradient)), name
    assert all(jnp.any(gradient != 0) for gradient in jax.grad(loss)(params, mixture).values.values())

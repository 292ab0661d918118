"""Losses: the measures where these are finite, finite where they are not, and assignments by brute force."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, metrics
from dsp_sep.nmf import Beta, ItakuraSaito, KullbackLeibler
from dsp_sep.training import (
    MultiResolutionSTFT,
    SpectralDivergence,
    SpectralL1,
    SpectralL2,
    mixture_invariant,
    negative_sdr,
    negative_si_sdr,
    permutation_invariant,
)
from tests.each import marked

STFT_ = STFT(n_fft=64, hop=16)
SHORT = (STFT(n_fft=64, hop=16), STFT(n_fft=128, hop=16, window_length=96))
LOSSES = {
    "sdr": (negative_sdr, -60),
    "si_sdr": (negative_si_sdr, -60),
    "l1": (SpectralL1(STFT_), 0),
    "l2": (SpectralL2(STFT_), 0),
    "multi_resolution": (MultiResolutionSTFT(SHORT), 1e-6),
    "itakura_saito": (SpectralDivergence(STFT_, ItakuraSaito()), 0),
    "beta_half": (SpectralDivergence(STFT_, Beta(0.5)), 0),
}
each = pytest.mark.parametrize("name", LOSSES)


def noises(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed).standard_normal(shape), np.float32)


def test_ratios_are_the_measures():
    reference, noise = noises(2, 3, 2, 400)
    estimate = 0.4 * reference + noise
    np.testing.assert_allclose(negative_sdr(reference, estimate), -metrics.sdr(reference, estimate), rtol=1e-4)
    expected = -metrics.si_sdr(reference, estimate).mean(-1)
    np.testing.assert_allclose(negative_si_sdr(reference, estimate), expected, rtol=1e-4)
    np.testing.assert_allclose(negative_si_sdr(reference, 9 * estimate), expected, rtol=1e-4)


def test_spectral_losses_by_numpy():
    reference, estimate = noises(2, 3, 1, 400)
    V, Y = (np.abs(np.asarray(STFT_.analyze(signal), np.complex128)) for signal in (reference, estimate))
    axes = (-3, -2, -1)
    np.testing.assert_allclose(SpectralL1(STFT_)(reference, estimate), np.abs(V - Y).mean(axes), rtol=1e-5)
    np.testing.assert_allclose(SpectralL2(STFT_)(reference, estimate), ((V - Y) ** 2).mean(axes), rtol=1e-5)
    kullback_leibler = (V * np.log(V / Y) - V + Y).mean(axes)
    found = SpectralDivergence(STFT_, KullbackLeibler())(reference, estimate)
    np.testing.assert_allclose(found, kullback_leibler, rtol=1e-3)
    convergence = np.sqrt(((V - Y) ** 2).sum(axes) / (V**2).sum(axes))
    logarithmic = np.abs(np.log(V) - np.log(Y)).mean(axes)
    np.testing.assert_allclose(MultiResolutionSTFT((STFT_,))(reference, estimate), convergence + logarithmic, rtol=1e-3)
    pair = [MultiResolutionSTFT((stft,))(reference, estimate) for stft in SHORT]
    np.testing.assert_allclose(MultiResolutionSTFT(SHORT)(reference, estimate), sum(pair) / 2, rtol=1e-5)


def test_the_published_resolutions():
    assert [(t.n_fft, t.hop, t.window_length) for t in MultiResolutionSTFT().transforms] == [
        (1024, 120, 600),
        (2048, 240, 1200),
        (512, 50, 240),
    ]


@each
@pytest.mark.parametrize("level", marked({"1e-06": 1e-6, "1.0": 1.0, "1000000.0": 1e6}, always={"1e-06"}))
def test_finite_on_silence_and_at_a_perfect_estimate(name, level):
    loss, lowest = LOSSES[name]
    reference = level * noises(3, 2, 300).at[0].set(0.0)
    value_and_gradient = jax.jit(jax.value_and_grad(lambda e, r: jnp.sum(loss(r, e))))
    silence = jnp.zeros_like(reference)
    half = reference.at[..., 150:].set(0.0)
    for true, estimate in ((reference, reference), (reference, silence), (silence, silence), (reference, half)):
        value, gradient = value_and_gradient(estimate, true)
        assert jnp.isfinite(value) and jnp.all(jnp.isfinite(gradient))
    assert np.isfinite(value_and_gradient(reference, silence)[0])
    np.testing.assert_allclose(loss(reference, reference)[1:], lowest, atol=1 if name == "sdr" else 3e-3)


@each
def test_other_shapes_are_refused(name):
    with pytest.raises(ValueError, match=r"reference \(1, 2, 300\) and estimate \(1, 2, 301\)"):
        LOSSES[name][0](jnp.zeros((1, 2, 300)), jnp.zeros((1, 2, 301)))


@pytest.mark.parametrize("loss", [negative_sdr, pytest.param(negative_si_sdr, marks=pytest.mark.thorough)])
def test_permutation_invariant_by_brute_force(loss):
    reference, noise = noises(2, 4, 3, 1, 200)
    estimate = jnp.stack([reference[k, [(k + j) % 3 for j in range(3)]] for k in range(4)]) + noise
    found = permutation_invariant(loss, reference, estimate)
    for item in range(4):
        every = [loss(reference[item], estimate[item, list(order)]) for order in itertools.permutations(range(3))]
        np.testing.assert_allclose(found[item], min(every, key=jnp.sum), rtol=1e-4)
    again = permutation_invariant(loss, reference, estimate[:, [2, 0, 1]])
    np.testing.assert_allclose(found, again, rtol=1e-5)
    gradient = jax.grad(lambda e: jnp.sum(permutation_invariant(loss, reference, e)))(jnp.zeros_like(estimate))
    assert jnp.all(jnp.isfinite(gradient))


def test_mixture_invariant_by_brute_force():
    sources = noises(3, 4, 1, 200)
    mixtures = jnp.stack([sources[:, 0] + sources[:, 2], sources[:, 1] + sources[:, 3]], axis=1)
    estimate = sources + 0.3 * noises(3, 4, 1, 200, seed=1)
    found = mixture_invariant(negative_sdr, mixtures, estimate)
    assert found.shape == (3, 2)
    for item in range(3):
        every = []
        for way in itertools.product(range(2), repeat=4):
            share = np.asarray([[float(goes == m) for goes in way] for m in range(2)])
            remixed = jnp.asarray(np.einsum("ms,sct->mct", share, np.asarray(estimate[item])), np.float32)
            every.append(negative_sdr(mixtures[item], remixed))
        np.testing.assert_allclose(found[item], min(every, key=jnp.sum), rtol=1e-4)
    gradient = jax.grad(lambda e: jnp.sum(mixture_invariant(negative_sdr, mixtures, e)))(estimate)
    assert jnp.all(jnp.isfinite(gradient)) and jnp.any(gradient != 0)
    with pytest.raises(ValueError, match="at most 12 sources"):
        mixture_invariant(negative_sdr, mixtures, noises(3, 13, 1, 200))

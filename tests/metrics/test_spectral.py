"""Measures of spectrograms against their definitions, and at their edges."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT
from dsp_sep.metrics import inconsistency, log_spectral_distance, spectral_convergence

BOTH = pytest.mark.parametrize("measure", [log_spectral_distance, spectral_convergence])


def magnitudes(shape=(2, 3, 20, 30), dtype=np.float32):
    random = np.random.default_rng(0)
    reference = random.gamma(1.0, size=shape)
    return reference.astype(dtype), (reference * random.gamma(4.0, 0.25, shape)).astype(dtype)


def test_definitions():
    reference, estimate = magnitudes()
    decibels = 20 * np.log10(reference / estimate)
    np.testing.assert_allclose(
        log_spectral_distance(reference, estimate), np.sqrt((decibels**2).mean(-2)).mean(-1), rtol=1e-5
    )
    ratio = np.linalg.norm(reference - estimate, axis=(-2, -1)) / np.linalg.norm(reference, axis=(-2, -1))
    np.testing.assert_allclose(spectral_convergence(reference, estimate), 20 * np.log10(ratio), rtol=1e-5)
    np.testing.assert_allclose(log_spectral_distance(reference, 10 * reference), 20, rtol=1e-5)
    np.testing.assert_allclose(spectral_convergence(reference, 1.1 * reference), -20, rtol=1e-4)


@BOTH
def test_transformations(measure):
    reference, estimate = magnitudes()
    value = measure(reference, estimate)
    assert value.dtype == jnp.float32 and value.shape == (2, 3)
    np.testing.assert_allclose(jax.vmap(measure)(reference, estimate), value, rtol=1e-5)
    np.testing.assert_allclose(measure(1e-6 * reference, 1e-6 * estimate), value, rtol=1e-4)
    with jax.enable_x64(True):
        exact = [jnp.asarray(part, jnp.float64) for part in magnitudes(dtype=np.float64)]
        way = jnp.asarray(np.random.default_rng(1).normal(size=exact[1].shape)) * exact[1]
        gradient = jax.grad(lambda e: measure(exact[0], e).sum())(exact[1])
        above, below = (measure(exact[0], exact[1] + step * way).sum() for step in (1e-6, -1e-6))
        np.testing.assert_allclose(jnp.vdot(gradient, way), (above - below) / 2e-6, rtol=1e-6)


@BOTH
def test_edges(measure):
    reference, estimate = map(jnp.asarray, magnitudes((4, 5)))
    silence = jnp.zeros_like(reference)
    assert jnp.isnan(measure(silence, estimate))
    assert measure(reference, reference) == (0 if measure is log_spectral_distance else -jnp.inf)
    assert jnp.isfinite(measure(reference, silence))
    for pair in ((reference, reference), (reference, silence), (silence, estimate), (silence, silence)):
        gradients = jax.grad(lambda r, e: measure(r, e), argnums=(0, 1))(*pair)
        assert all(np.isfinite(gradient).all() for gradient in gradients)
    with pytest.raises(ValueError, match="must have one shape"):
        measure(reference, estimate[:2])
    with pytest.raises(ValueError, match="frequency, frames"):
        measure(reference[0], estimate[0])


def test_inconsistency():
    stft = STFT(n_fft=64, hop=16)
    signal = np.random.default_rng(0).normal(size=(2, 500)).astype(np.float32)
    spectrogram = stft.analyze(signal)
    assert np.all(inconsistency(stft, spectrogram, length=500) < -120)
    modified = abs(spectrogram).astype(spectrogram.dtype)
    found = inconsistency(stft, modified, length=500)
    again = stft.analyze(stft.synthesize(modified, length=500))
    ratio = np.linalg.norm(modified - again, axis=(-2, -1)) / np.linalg.norm(modified, axis=(-2, -1))
    np.testing.assert_allclose(found, 20 * np.log10(ratio), rtol=1e-4)
    assert np.all(found < 0)
    assert np.all(np.isnan(inconsistency(stft, 0 * spectrogram)))
    gradient = jax.grad(lambda s: inconsistency(stft, s).sum())(0 * spectrogram)
    assert np.isfinite(gradient).all()

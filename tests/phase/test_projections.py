"""Each projection by brute force: nothing else in its set is nearer."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from dsp_sep import STFT
from dsp_sep.numerics import square_magnitude
from dsp_sep.phase import consistent, project_magnitude, project_mixture
from dsp_sep.phase.projections import energy, longest
from tests.checks import distance

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


@pytest.mark.parametrize("onesided", [True, False])
@pytest.mark.parametrize("length", [None, 21])
def test_consistent_is_the_nearest_spectrogram_of_a_signal(onesided, length, x64):
    stft = STFT(n_fft=8, hop=3, onesided=onesided)
    frames = 8
    S = noise(stft.bins, frames)
    samples = longest(stft, frames) if length is None else length
    signals = np.eye(samples) if onesided else np.concatenate([np.eye(samples), 1j * np.eye(samples)])
    spectra = np.asarray(stft.analyze(signals)).reshape(len(signals), -1)
    weight = np.sqrt(np.asarray(energy(jnp.asarray(np.eye(stft.bins * frames).reshape(-1, stft.bins, frames)), stft)))
    stacked = np.concatenate([(weight * spectra).real, (weight * spectra).imag], axis=1)
    target = weight * S.ravel()
    solution = np.linalg.lstsq(stacked.T, np.concatenate([target.real, target.imag]), rcond=None)[0]
    nearest = (solution @ spectra).reshape(S.shape)
    assert distance(consistent(jnp.asarray(S), stft, length), nearest) < 1e-10


@pytest.mark.parametrize("options", [{}, {"window_length": 6}, {"n_fft": 9}, {"centered": False}, {"hop": 4}], ids=str)
@pytest.mark.parametrize("samples", [40, 41, 42, 43])
def test_consistent_keeps_the_spectrogram_of_any_signal(options, samples, x64):
    stft = STFT(**{"n_fft": 8, "hop": 3} | options)
    X = stft.analyze(jnp.asarray(RNG.standard_normal(samples)))
    assert distance(consistent(X, stft), X) < 1e-12
    assert distance(consistent(X, stft, samples), X) < 1e-12
    if stft.centered:
        limit = longest(stft, X.shape[-1])
        assert stft.frames(limit) == X.shape[-1] < stft.frames(limit + 1)


def test_energy_is_that_of_the_whole_spectrum(x64):
    signal = jnp.asarray(RNG.standard_normal((2, 50)))
    for n_fft in (8, 9):
        one, two = (STFT(n_fft=n_fft, hop=3, onesided=onesided) for onesided in (True, False))
        halves = energy(square_magnitude(one.analyze(signal)), one)
        assert distance(halves, energy(square_magnitude(two.analyze(signal)), two)) < 1e-13


def test_project_magnitude_is_the_nearest_with_these_magnitudes(x64):
    S, A = noise(4, 5), RNG.random((4, 5))
    projected = np.asarray(project_magnitude(jnp.asarray(S), jnp.asarray(A)))
    np.testing.assert_allclose(abs(projected), A)
    for angle in np.linspace(-np.pi, np.pi, 63):
        assert np.all(abs(projected - S) <= abs(A * np.exp(1j * angle) - S) + 1e-12)
    assert project_magnitude(jnp.zeros((1, 1), complex), jnp.ones((1, 1))) == 1


def test_project_mixture_is_the_nearest_that_sums_to_it(x64):
    sources, mixture = noise(3, 1, 2, 2), noise(1, 1, 2, 2)
    projected = project_mixture(jnp.asarray(sources), jnp.asarray(mixture), 1 / 3)
    flat = sources.reshape(3, -1)

    def squared_distance(free):  # the last source is what is left of the mixture
        first, second = (free[: flat[:2].size] + 1j * free[flat[:2].size :]).reshape(2, -1)
        tried = np.stack([first, second, mixture.ravel() - first - second])
        return np.sum(abs(tried - flat) ** 2)

    found = scipy.optimize.minimize(squared_distance, np.zeros(2 * flat[:2].size), tol=1e-12)
    assert np.sum(abs(projected - sources) ** 2) == pytest.approx(found.fun, rel=1e-8)
    weights = jnp.asarray([0.7, 0.2, 0.1]).reshape(3, 1, 1, 1)
    for shared in (projected, project_mixture(jnp.asarray(sources), jnp.asarray(mixture), weights)):
        assert distance(shared.sum(0, keepdims=True), jnp.asarray(mixture)) < 1e-14

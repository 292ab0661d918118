"""Relaxed MISI: plain MISI as a special case, the sharing of the error by its definition, the gain it is there for."""

import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.numerics import phase, scale
from dsp_sep.phase import (
    MISI,
    Given,
    MagnitudeRatio,
    RelaxedMISI,
    consistent,
    project_magnitude,
    project_mixture,
    share_error,
)
from tests.cases import CHANNELS, SAMPLES, SOURCES, separation, stft
from tests.checks import distance

RNG = np.random.default_rng(0)


def noise(*shape):
    return RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)


@pytest.mark.parametrize("exponent", [0.0, 1.5])
def test_neither_relaxed_nor_anisotropic_it_is_misi(exponent, x64):
    weight = MagnitudeRatio(exponent)
    relaxed, plain = (run(kind(stft(), mixture_weight=weight), separation(), 4) for kind in (RelaxedMISI, MISI))
    assert distance(relaxed.output, plain.output) < 1e-13


def test_constants_by_frequency_are_numbers_by_frequency(x64):
    bins = stft().bins
    one = RelaxedMISI(stft(), overshoot=0.1, relaxation=0.3, radial=0.2)
    many = RelaxedMISI(
        stft(),
        overshoot=np.full((bins, 1), 0.1),
        relaxation=np.full((SOURCES, 1, bins, 1), 0.3),
        radial=np.full((bins, 1), 0.2),
    )
    assert distance(run(many, separation(), 3).output, run(one, separation(), 3).output) < 1e-13


def test_overshoot_goes_beyond_the_consistent_spectrogram(x64):
    mixture, magnitudes = separation()
    begun = scale(magnitudes, phase(mixture)[None])
    beyond = begun + 1.3 * (consistent(begun, stft()) - begun)
    expected = project_mixture(project_magnitude(beyond, magnitudes), mixture[None], jnp.asarray(1 / SOURCES))
    once = run(RelaxedMISI(stft(), overshoot=0.3, start=Given(begun)), (mixture, magnitudes), 1)
    assert distance(once.output, expected) < 1e-13


def test_gain_is_of_the_magnitudes_and_not_of_their_ratios(x64):
    mixture, magnitudes = separation()
    gains = np.linspace(0.5, 1.5, SOURCES).reshape(SOURCES, 1, 1, 1)
    start, constants = Given(scale(magnitudes, phase(mixture)[None])), {"relaxation": -0.3, "radial": 0.2}
    shrunk = run(RelaxedMISI(stft(), start=start, gain=gains, **constants), (mixture, magnitudes), 3)
    plain = run(RelaxedMISI(stft(), start=start, **constants), (mixture, gains * magnitudes), 3)
    assert distance(shrunk.output, plain.output) < 1e-13


def test_error_is_shared_as_the_covariances_say(x64):
    sources, mixture = noise(3, 1, 2, 2), noise(1, 1, 2, 2)
    weights, radial = RNG.dirichlet(np.ones(3), (1, 2, 2)).transpose(3, 0, 1, 2), 0.1
    shared = np.asarray(share_error(*map(jnp.asarray, (sources, mixture, weights, radial))))
    for place in np.ndindex(1, 2, 2):
        M, error = sources[:, *place], mixture[0, *place] - sources[:, *place].sum()
        along = np.stack([M.real, M.imag], -1) / abs(M)[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], -1)
        outer = [np.einsum("ji,jk->jik", d, d) for d in (across, along)]
        covariances = weights[:, *place][:, None, None] * (outer[0] + radial * outer[1])
        shares = covariances @ np.linalg.solve(covariances.sum(0), [error.real, error.imag])
        np.testing.assert_allclose(shared[:, *place] - M, shares[:, 0] + 1j * shares[:, 1], rtol=1e-10)


def test_error_shared_alike_in_all_directions_is_the_projection(x64):
    sources, mixture, weights = noise(3, 1, 2, 2), noise(1, 1, 2, 2), RNG.dirichlet(np.ones(3)).reshape(3, 1, 1, 1)
    operands = tuple(map(jnp.asarray, (sources, mixture, weights)))
    assert distance(share_error(*operands, jnp.asarray(1.0)), project_mixture(*operands)) < 1e-13


def test_sources_that_turn_meet_their_magnitudes_sooner(x64):
    spectra = stft().analyze(jnp.asarray(RNG.standard_normal((SOURCES, CHANNELS, SAMPLES))))
    data = spectra.sum(0), jnp.abs(spectra)
    turning = run(RelaxedMISI(stft(), radial=0.1), data, 10, record=RelaxedMISI.objective)
    plain = run(MISI(stft()), data, 10, record=MISI.objective)
    assert turning.trace[-1] < 0.8 * plain.trace[-1]
    assert distance(turning.output.sum(0), data[0]) < 1e-13

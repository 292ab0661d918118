"""Accelerated Griffin-Lim beside diffsptk; the algorithms by reflections beside their equations and each other."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, Accelerated, BestSoFar, Momentum, run
from dsp_sep.phase import RAAR, ADMMGriffinLim, ConsistencyFirstGriffinLim, DifferenceMap, Given, GriffinLim
from dsp_sep.phase.griffin_lim import SpectrogramInversion
from tests.cases import magnitudes, stft
from tests.checks import distance

FOLDER = Path(__file__).parents[1] / "golden"
GOLDEN = {name: dict(np.load(FOLDER / f"{name}.npz")) for name in ("griffin_lim", "accelerated")}
KEY = jax.random.key(0)


@pytest.mark.parametrize("case", json.loads(str(GOLDEN["accelerated"]["cases"])), ids=lambda case: case["name"])
def test_accelerated_is_that_of_diffsptk(case, x64):
    A = GOLDEN["griffin_lim"]["librosa/magnitude"]
    transform = STFT(n_fft=128, hop=32, window=GOLDEN["griffin_lim"]["window"])
    plain = GriffinLim(transform, start=Given(A.astype(complex)), length=case["length"])
    answer = run(Accelerated(plain, **case["constants"]), A, case["iterations"]).output
    expected = GOLDEN["accelerated"][f"{case['name']}/waveform"]
    assert distance(transform.synthesize(answer, length=case["length"]), expected) < 1e-8


def test_accelerated_without_smoothing_is_momentum(x64):
    A = magnitudes()
    momentum = run(Momentum(GriffinLim(stft()), 0.7), A, 6, key=KEY).output
    assert distance(run(Accelerated(GriffinLim(stft()), alpha=0.7, gamma=1.0), A, 6, key=KEY).output, momentum) < 1e-12


# The equations once more, in numpy, around the library's transform.


def numpy_parts(start, A):
    def consistent(S):
        return np.asarray(SpectrogramInversion(stft()).consistent(jnp.asarray(S.T))).T

    def magnitude(S):
        return A * S / abs(S)

    return consistent, magnitude, np.array(start)


def admm(start, A, rho, steps):
    consistent, magnitude, Z = numpy_parts(start, A)
    U = np.zeros_like(Z)
    for _ in range(steps):
        X = magnitude(Z - U)
        Y = X + U
        Z = (rho * Y + consistent(Y)) / (1 + rho)
        U = U + X - Z
    return magnitude(Z - U)


def raar(start, A, beta, steps):
    consistent, magnitude, x = numpy_parts(start, A)
    for _ in range(steps):
        reflected = 2 * magnitude(x) - x
        twice = 2 * consistent(reflected) - reflected
        x = beta / 2 * (twice + x) + (1 - beta) * magnitude(x)
    return magnitude(x)


def difference_map(start, A, beta, steps):
    consistent, magnitude, x = numpy_parts(start, A)
    for _ in range(steps + 1):
        through_magnitude = magnitude(x) + (magnitude(x) - x) / beta
        through_consistent = consistent(x) - (consistent(x) - x) / beta
        answer = magnitude(through_consistent)
        x = x + beta * (consistent(through_magnitude) - answer)
    return answer


@pytest.mark.parametrize(
    ("kind", "name", "value", "equations"),
    [
        (ADMMGriffinLim, "rho", 0.0, admm),
        (ADMMGriffinLim, "rho", 0.3, admm),
        (RAAR, "beta", 0.8, raar),
        (DifferenceMap, "beta", 0.7, difference_map),
        (DifferenceMap, "beta", -1.2, difference_map),
    ],
)
def test_equal_to_the_equations(kind, name, value, equations, x64):
    A = magnitudes()
    start = A * np.exp(2j * np.pi * np.random.default_rng(0).random(A.shape))
    algorithm = kind(stft(), start=Given(start), **{name: value})
    assert distance(run(algorithm, A, 5).output, equations(start, A, value, 5)) < 1e-10


def test_one_family(x64):
    A = magnitudes()
    start = Given(A * np.exp(2j * np.pi * np.random.default_rng(0).random(A.shape)))
    reflections = run(RAAR(stft(), start=start, beta=1.0), A, 5)
    assert distance(run(DifferenceMap(stft(), start=start, beta=1.0), A, 5).state, reflections.state) < 1e-12
    splitting = run(ADMMGriffinLim(stft(), start=start, rho=0.0), A, 5)
    exchanged = run(DifferenceMap(stft(), start=start, beta=-1.0), A, 4).state
    assert distance(splitting.state.consistent + splitting.state.dual, exchanged) < 1e-12
    assert distance(run(RAAR(stft(), start=start, beta=0.0), A, 3).output, start.spectrogram) < 1e-12


def test_the_other_order_is_one_cycle_but_not_with_momentum(x64):
    A = magnitudes()
    plain, other = GriffinLim(stft()), ConsistencyFirstGriffinLim(stft())
    assert distance(run(other, A, 4, key=KEY).output, run(plain, A, 4, key=KEY).output) < 1e-12
    fast = [run(Momentum(algorithm, 0.9), A, 4, key=KEY).output for algorithm in (plain, other)]
    assert distance(*fast) > 1e-3


@pytest.mark.thorough
def test_splitting_finds_more_consistent_spectrograms():
    A = abs(np.asarray(stft().analyze(np.random.default_rng(3).standard_normal(150))))
    plain = run(GriffinLim(stft()), A, 100, key=KEY, record=GriffinLim.objective).trace[-1]
    for algorithm in (ADMMGriffinLim(stft()), RAAR(stft()), Accelerated(GriffinLim(stft()))):
        best = run(BestSoFar(algorithm), A, 100, key=KEY)
        assert best.state.value < 0.9 * plain

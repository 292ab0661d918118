"""Phase recovery by Bregman divergences: beside its authors' code, Griffin-Lim and MISI, and closed forms."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from dsp_sep import STFT, run
from dsp_sep.nmf import Beta, Euclidean, ItakuraSaito, KullbackLeibler
from dsp_sep.phase import (
    MISI,
    BregmanADMM,
    BregmanGriffinLim,
    BregmanMISI,
    GriffinLim,
    Left,
    Right,
    ZeroPhase,
    consistent,
)
from dsp_sep.phase.bregman import Measurement, measure, proximal
from tests.cases import magnitudes, separation, stft
from tests.checks import distance

GOLDEN = dict(np.load(Path(__file__).parents[1] / "golden" / "bregman.npz"))
DIVERGENCES = {2.0: Euclidean, 1.0: KullbackLeibler, 0.0: ItakuraSaito, 0.5: lambda: Beta(0.5)}
KEY = jax.random.key(0)


@pytest.mark.parametrize("case", json.loads(str(GOLDEN["cases"])), ids=lambda case: case["name"])
def test_equal_to_the_authors_code(case, x64):
    fit = {"left": Left, "right": Right}[case["side"]](DIVERGENCES[case["beta"]]())
    transform = STFT(n_fft=48, hop=16)
    data = GOLDEN["mixture"], GOLDEN["magnitudes"]
    length = 16 * (data[0].shape[-1] - 1)
    algorithm = BregmanMISI(transform, fit=fit, exponent=float(case["d"]), step=case["step"], length=length)
    waveforms = transform.synthesize(run(algorithm, data, case["iterations"]).output, length=length)
    floors_apart = 5e-3 if case["beta"] == 0 else 1e-4  # both floors lie at -120 dB or below, and are not the same
    assert distance(waveforms, GOLDEN[f"{case['name']}/waveforms"]) < floors_apart


def test_the_squared_distance_of_magnitudes_is_griffin_lim_and_misi(x64):
    A = magnitudes()
    assert (
        distance(run(BregmanGriffinLim(stft()), A, 5, key=KEY).state, run(GriffinLim(stft()), A, 5, key=KEY).state)
        < 1e-9
    )
    data = separation()
    assert distance(run(BregmanMISI(stft()), data, 5).output, run(MISI(stft()), data, 5).output) < 1e-9


# Where the proximal step has a closed form, Vial et al.'s equations once more in numpy.


def kl_of_magnitudes(a, h, rho):
    """The least `(a log(a / u) - a + u) / ρ + (u - h)² / 2`, a root of a quadratic."""
    return (h - 1 / rho + np.sqrt((h - 1 / rho) ** 2 + 4 * a / rho)) / 2


def distance_of_powers(a, h, rho):
    """The least `(a² - u²)² / 2ρ + (u - h)² / 2`, among the roots of a cubic."""

    def least(a, h):
        roots = np.roots([2 / rho, 0, 1 - 2 * a**2 / rho, -h])
        return min(roots[abs(roots.imag) < 1e-9].real, key=lambda u: (a**2 - u**2) ** 2 / rho + (u - h) ** 2)

    return np.vectorize(least)(a, h)


def kl_of_powers(a, h, rho):
    return (rho * h + np.sqrt((rho * h) ** 2 + 8 * a**2 * (2 + rho))) / (2 * (2 + rho))


def left_itakura_saito(a, h, rho):
    linear = 1 / a - rho * h
    return (-linear + np.sqrt(linear**2 + 4 * rho)) / (2 * rho)


@pytest.mark.parametrize(
    ("fit", "d", "least"),
    [
        (Right(KullbackLeibler()), 1.0, kl_of_magnitudes),
        (Right(KullbackLeibler()), 2.0, kl_of_powers),
        (Right(Euclidean()), 2.0, distance_of_powers),
        (Left(ItakuraSaito()), 1.0, left_itakura_saito),
    ],
)
def test_admm_by_its_equations(fit, d, least, x64):
    """With multipliers `λ = ρ W` as Vial et al. write it, around the library's transform."""
    A, rho, steps = magnitudes(), 0.7, 6
    A = A / np.sqrt(np.mean(A**2))
    C, multipliers = A.astype(complex), np.zeros(A.shape, complex)
    for _ in range(steps):
        H = C + multipliers / rho
        target = least(A, abs(H), rho) * np.exp(1j * np.angle(H))
        C = np.asarray(consistent(jnp.asarray(target - multipliers / rho), stft()))
        multipliers = multipliers + rho * (C - target)
    algorithm = BregmanADMM(stft(), start=ZeroPhase(), fit=fit, exponent=d, rho=rho)
    assert distance(run(algorithm, A, steps).output, C) < 1e-7


def test_proximal_step_by_brute_force(x64):
    """Where it has no closed form."""
    fit, d, target, size, rho, one = Left(KullbackLeibler()), 2.0, 0.7, 1.4, 0.6, jnp.ones((1, 1))

    def cost(u):
        return float(fit.value(jnp.asarray(target), jnp.asarray(u**d))) / rho + (u - size) ** 2 / 2

    found = scipy.optimize.minimize_scalar(cost, bounds=(1e-3, 3), options={"xatol": 1e-12}).x
    held = Measurement(fit, jnp.asarray(d), target * one, 1e-12 * one, one)
    assert jax.jit(proximal)(held, jnp.asarray(rho), size * one)[0, 0] == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize(
    ("fit", "d"),
    [(Right(KullbackLeibler()), 1.0), (Left(KullbackLeibler()), 2.0), (Left(ItakuraSaito()), 2.0)],
)
def test_slopes_are_derivatives(fit, d, x64):
    A = jnp.asarray(np.random.default_rng(0).gamma(2, 1, (4, 5)))
    held = measure(fit, jnp.asarray(d), A, (-2, -1))
    size = A[::-1] + 0.1
    expected = jax.grad(lambda u: jnp.sum(held.fit.value(held.target, held.model(u))))(size)
    np.testing.assert_allclose(held.slope(size), expected, rtol=1e-10)


def test_both_methods_lower_the_divergence(x64):
    A = magnitudes()
    fit = Right(KullbackLeibler())
    for algorithm in (
        BregmanADMM(stft(), fit=fit, rho=1.0),
        BregmanGriffinLim(stft(), fit=fit, exponent=2.0, step=0.02),
    ):
        trace = jax.jit(lambda a, A: run(a, A, 60, key=KEY, record=type(a).objective).trace)(algorithm, A)
        assert trace[-1] < 0.5 * trace[0]

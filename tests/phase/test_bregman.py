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
from dsp_sep.phase import MISI, BregmanADMM, BregmanGriffinLim, BregmanMISI, GriffinLim, Left, Right
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


def measurement(fit, d, V):
    one = jnp.ones((1, 1))
    return Measurement(fit, jnp.asarray(d), jnp.asarray(V), 1e-12 * one, one)


def test_proximal_steps_have_their_closed_forms(x64):
    rng = np.random.default_rng(0)
    r, h, rho = rng.gamma(1, 1, (5, 7)) + 0.01, jnp.asarray(rng.gamma(1, 1, (5, 7))), jnp.asarray(0.3)
    euclidean = proximal(measurement(Right(), 1.0, r), rho, h)
    np.testing.assert_allclose(euclidean, (r + rho * h) / (1 + rho), rtol=1e-9)
    linear = rho * h - 1
    kl = proximal(measurement(Right(KullbackLeibler()), 1.0, r), rho, h)
    np.testing.assert_allclose(kl, (linear + np.sqrt(linear**2 + 4 * rho * r)) / (2 * rho), rtol=1e-9)
    kl_of_powers = proximal(measurement(Right(KullbackLeibler()), 2.0, r), rho, h)
    np.testing.assert_allclose(
        kl_of_powers, (rho * h + np.sqrt((rho * h) ** 2 + 8 * r * (2 + rho))) / (2 * (2 + rho)), rtol=1e-9
    )
    linear = 1 / r - rho * h
    left = proximal(measurement(Left(ItakuraSaito()), 1.0, r), rho, h)
    np.testing.assert_allclose(left, (-linear + np.sqrt(linear**2 + 4 * rho)) / (2 * rho), rtol=1e-9)


@pytest.mark.parametrize(
    ("fit", "d"), [(Right(Euclidean()), 2.0), (Left(KullbackLeibler()), 2.0), (Left(Euclidean()), 1.0)]
)
def test_proximal_steps_by_brute_force(fit, d, x64):
    target, size, rho = 0.7, 1.4, 0.6

    def cost(u):
        return float(fit.value(jnp.asarray(target), jnp.asarray(u**d))) / rho + (u - size) ** 2 / 2

    found = scipy.optimize.minimize_scalar(cost, bounds=(1e-3, 3), options={"xatol": 1e-12}).x
    ours = proximal(measurement(fit, d, [[target]]), jnp.asarray(rho), jnp.asarray([[size]]))
    assert ours[0, 0] == pytest.approx(found, abs=1e-6)


@pytest.mark.parametrize(
    "fit", [Right(KullbackLeibler()), Left(KullbackLeibler()), Left(ItakuraSaito()), Right(Euclidean())]
)
@pytest.mark.parametrize("d", [1.0, 2.0])
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

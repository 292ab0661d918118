"""The rules by what defines them, and their descent on music with silence, for every β."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.nmf import NMF, Beta, Heuristic, MajorizeMinimize, MaximizationEqualization, Stretched
from tests.checks import distance, finite
from tests.nmf.spectrogram import music

RATIOS = np.concatenate([10.0 ** np.linspace(-6, 6, 200), 1 + np.linspace(-0.02, 0.02, 41)])


def majorizer(r, ratio, a, b):
    return (r**a - 1) / a - ratio * (np.log(r) if b == 0 else (r**b - 1) / b)


@pytest.mark.parametrize("beta", [-1.0, 0.0, 0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 3.0])
def test_majorize_minimize_is_the_minimum(beta, x64):
    a, b = map(float, Beta(beta).degrees)
    r = np.asarray(MajorizeMinimize().factor(jnp.asarray(RATIOS), Beta(beta).degrees))
    for other in (0.999, 1.001):
        assert np.all(majorizer(r, RATIOS, a, b) <= majorizer(other * r, RATIOS, a, b))


@pytest.mark.parametrize("beta", [-1.0, 0.0, 0.3, 0.5, 0.8])
def test_equalization_is_the_other_solution(beta, x64):
    a, b = map(float, Beta(beta).degrees)
    ratios = RATIOS[abs(np.log(RATIOS)) > 0.011]
    r = np.asarray(MaximizationEqualization().factor(jnp.asarray(ratios), Beta(beta).degrees))
    size = abs(r**a - 1) / a + abs(ratios * (r**b - 1) / b)
    assert np.all(abs(majorizer(r, ratios, a, b)) < 1e-9 * size)
    assert np.all(abs(np.log(r)) > abs(np.log(ratios)) / (a - b))


def test_equalization_in_closed_form(x64):
    s = jnp.asarray(RATIOS)
    half = (jnp.sqrt(1 + 8 * s) - 1) ** 2 / 4
    assert np.max(abs(MaximizationEqualization().factor(s, Beta(0.5).degrees) / half - 1)) < 1e-4
    assert np.max(abs(MaximizationEqualization().factor(s, Beta(0.0).degrees) / s - 1)) < 1e-9


def test_equalization_is_smooth():
    s = jnp.asarray(RATIOS, jnp.float32)
    slope = jax.vmap(jax.grad(lambda s: MaximizationEqualization().factor(s, Beta(0.5).degrees)))(s)
    assert finite(slope)
    expected = jax.vmap(jax.grad(lambda s: (jnp.sqrt(1 + 8 * s) - 1) ** 2 / 4))(s)
    far = abs(np.log(RATIOS)) > 0.05
    assert distance(slope[far], expected[far]) < 1e-3


PROVED = [
    *((beta, MajorizeMinimize()) for beta in (-1.0, 0.0, 0.5, 1.5, 3.0)),
    *((beta, Heuristic()) for beta in (0.0, 0.5)),
    *((beta, MaximizationEqualization()) for beta in (0.0, 0.5)),
    (0.0, Stretched(0.7)),
]


@pytest.mark.parametrize("dtype", [pytest.param(np.float64, marks=pytest.mark.thorough), np.float32])
def test_objective_never_rises_on_music(dtype):
    @jax.jit
    def trace(algorithm, V):
        return run(algorithm, V, 250, key=jax.random.key(0), record=NMF.objective).trace

    V = music(silent=True).astype(dtype)
    tolerance = 1e-13 if dtype == np.float64 else 3e-6
    with jax.enable_x64(dtype == np.float64):
        for beta, rule in PROVED:
            values = np.asarray(trace(NMF(components=5, divergence=Beta(beta), rule=rule), V), float)
            assert np.all(np.diff(values) <= tolerance * np.abs(values[:-1])), (beta, rule)
            assert values[-1] < 0.85 * values[0]

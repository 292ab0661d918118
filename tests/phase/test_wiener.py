"""Consistent and anisotropic Wiener filters: beside dense linear algebra, the papers' closed forms, and each other."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from dsp_sep import STFT, run
from dsp_sep.phase import Anisotropic, Circular, ConsistentWiener, Given, MixturePhase
from dsp_sep.phase.projections import consistent, energy
from tests.cases import separation, stft
from tests.checks import distance
from tests.each import marked

SMALL = STFT(n_fft=8, hop=2)
GAMMA = 0.7


def problem(sources=3, samples=15):
    """A mixture of noises, their magnitudes with errors, and phases to start from."""
    rng = np.random.default_rng(0)
    spectra = np.asarray(SMALL.analyze(rng.standard_normal((sources, 1, samples))))
    A = abs(spectra) * np.exp(0.3 * rng.standard_normal(spectra.shape))
    return spectra.sum(0), A, A * np.exp(1j * (np.angle(spectra) + 0.5 * rng.standard_normal(A.shape)))


def moments(A, phases, prior):
    """Means, variances and relations, with variances over their mean (numpy)."""
    v = A**2 / np.mean(A**2)
    if isinstance(prior, Circular):
        return 0 * phases, v, 0 * phases
    kappa = float(prior.concentration)
    first = scipy.special.iv(1, kappa) / scipy.special.iv(0, kappa)
    second = scipy.special.iv(2, kappa) / scipy.special.iv(0, kappa)
    u = phases / abs(phases)
    return first * np.sqrt(v) * u, (1 - first**2) * v, (second - first**2) * v * u**2


def dense(X, A, phases, prior):
    """The minimiser by a linear system for real and imaginary parts and multipliers."""
    mean, variance, relation = moments(A, phases, prior)
    J, bins = len(A), A[0].size
    unit = np.sqrt(np.mean(A**2))
    X, weight = X / unit, np.asarray(energy(jnp.asarray(np.eye(bins).reshape(bins, *A.shape[-2:])), SMALL))
    basis = np.concatenate([np.eye(bins), 1j * np.eye(bins)]).reshape(2 * bins, *A.shape[-2:])
    G = np.asarray(consistent(jnp.asarray(basis), SMALL)).reshape(2 * bins, bins)
    off = np.eye(2 * bins) - np.concatenate([G.real, G.imag], axis=1).T
    W = np.diag(np.tile(weight, 2))
    curvature, gradient = np.zeros((J * 2 * bins, J * 2 * bins)), np.zeros(J * 2 * bins)
    for j in range(J):
        a, b, m = variance[j].ravel(), relation[j].ravel(), mean[j].ravel()
        covariance = np.block([[np.diag(a + b.real), np.diag(b.imag)], [np.diag(b.imag), np.diag(a - b.real)]])
        precision = W @ np.linalg.inv(covariance)
        here = slice(j * 2 * bins, (j + 1) * 2 * bins)
        curvature[here, here] = precision + GAMMA * off.T @ W @ off
        gradient[here] = precision @ np.concatenate([m.real, m.imag])
    together = np.tile(np.eye(2 * bins), (1, J))
    system = np.block([[curvature, together.T], [together, np.zeros((2 * bins, 2 * bins))]])
    solution = np.linalg.solve(system, np.concatenate([gradient, X.real.ravel(), X.imag.ravel()]))
    parts = solution[: J * 2 * bins].reshape(J, 2, bins)
    return unit * (parts[:, 0] + 1j * parts[:, 1]).reshape(A.shape)


@pytest.mark.parametrize("prior", [Circular(), Anisotropic(1.3)], ids=["circular", "anisotropic"])
@pytest.mark.parametrize("sources", [2, pytest.param(3, marks=pytest.mark.thorough)])
def test_it_is_the_minimiser(prior, sources, x64):
    X, A, start = problem(sources)
    algorithm = ConsistentWiener(SMALL, prior=prior, consistency_weight=GAMMA, start=Given(start))
    result = run(algorithm, (X, A), 200)
    assert distance(result.output, dense(X, A, start, prior)) < 1e-8
    assert distance(result.output.sum(0), X) < 1e-12


def test_without_consistency_it_is_the_wiener_filter(x64):
    X, A, start = problem()
    plain = run(ConsistentWiener(SMALL, consistency_weight=0.0), (X, A), 1).output
    assert distance(plain, A**2 / (A**2).sum(0) * X) < 1e-12
    prior = Anisotropic(2.0)
    m, v, c = (array for array in moments(A, start, prior))
    m, unit = m * np.sqrt(np.mean(A**2)), np.mean(A**2)
    v, c = v * unit, c * unit
    error, vx, cx = X - m.sum(0), v.sum(0), c.sum(0)
    posterior = m + ((v * vx - c * np.conj(cx)) * error + (c * vx - v * cx) * np.conj(error)) / (vx**2 - abs(cx) ** 2)
    filtered = run(ConsistentWiener(SMALL, prior=prior, consistency_weight=0.0, start=Given(start)), (X, A), 1).output
    assert distance(filtered, posterior) < 1e-12


@pytest.mark.thorough
def test_little_concentration_is_none(x64):
    data = separation()
    loose = run(ConsistentWiener(stft(), prior=Anisotropic(1e-6)), data, 5).output
    assert distance(loose, run(ConsistentWiener(stft()), data, 5).output) < 1e-5


@pytest.mark.parametrize(
    "prior", marked({"circular": Circular, "anisotropic": lambda: Anisotropic(0.8)}, always={"anisotropic"})
)
def test_the_objective_falls_and_the_residual_vanishes(prior, x64):
    algorithm, data = ConsistentWiener(stft(), prior=prior()), separation()
    result = run(algorithm, data, 120, record=ConsistentWiener.objective)
    assert np.all(np.diff(result.trace) <= 1e-12 * result.trace[0])
    prepared = algorithm.prepare(jax.tree.map(jnp.asarray, data))
    first = algorithm.residual(algorithm.init(prepared), prepared)
    last = algorithm.residual(result.state, prepared)
    assert jnp.linalg.norm(last.sources) < 1e-7 * jnp.linalg.norm(first.sources)
    assert jnp.linalg.norm(last.consistent) < 1e-10 * jnp.linalg.norm(result.state.sources)


def test_the_residual_gives_the_implicit_derivative(x64):
    X, A, _ = problem(2)
    algorithm = ConsistentWiener(SMALL, consistency_weight=GAMMA)
    data = algorithm.prepare((jnp.asarray(X), jnp.asarray(A)))

    def solution(gamma):
        return run(dataclasses.replace(algorithm, consistency_weight=gamma), (X, A), 100).state

    state = solution(GAMMA)

    def residual(change, gamma):
        first = jax.lax.complex(*change.reshape(2, *state.sources[:1].shape))
        moved = state._replace(sources=state.sources + jnp.concatenate([first, -first]))
        out = dataclasses.replace(algorithm, consistency_weight=gamma).residual(moved, data).sources[0].ravel()
        return jnp.concatenate([out.real, out.imag])

    jacobian, direct = jax.jit(jax.jacfwd(residual, (0, 1)))(jnp.zeros(2 * A[0].size), jnp.asarray(GAMMA))
    implicit = -np.linalg.solve(jacobian, direct)
    expected = ((solution(GAMMA + 1e-4).sources - solution(GAMMA - 1e-4).sources) / 2e-4)[0].ravel()
    assert distance(implicit, jnp.concatenate([expected.real, expected.imag])) < 1e-5


@pytest.mark.thorough
def test_true_phases_help():
    rng = np.random.default_rng(1)
    spectra = np.asarray(stft().analyze(rng.standard_normal((3, 1, 150)).astype(np.float32)))
    data = spectra.sum(0), abs(spectra)

    def error(prior, start):
        return distance(run(ConsistentWiener(stft(), prior=prior, start=start), data, 20).output, spectra)

    near = spectra * np.exp(0.3j * rng.standard_normal(spectra.shape)).astype(np.complex64)
    assert error(Anisotropic(10.0), Given(near)) < 0.6 * error(Circular(), MixturePhase())

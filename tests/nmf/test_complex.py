"""Complex models by their equations in plain numpy, their limits, and the likelihood by scipy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special
import scipy.stats

from dsp_sep import run
from dsp_sep.nmf import (
    NMF,
    ComplexFactors,
    ComplexISNMF,
    ComplexNMF,
    Euclidean,
    Given,
    ItakuraSaito,
    components_of,
)
from tests.checks import distance
from tests.problems import complex_spectrogram

FREQUENCIES, FRAMES = 6, 9
KEY = jax.random.key(0)


def problem():
    rng = np.random.default_rng(1)
    X = complex_spectrogram()[:FREQUENCIES, :FRAMES]
    return X, rng.random((FREQUENCIES, 3)) + 0.1, rng.random((3, FRAMES)) + 0.1


def test_complex_nmf_is_its_equations(x64):
    """The auxiliary function with its shares `β` written out, the penalty majorised by a quadratic."""
    X, W, H = problem()
    weight, p = 0.3, 1.4
    algorithm = ComplexNMF(components=3, sparsity=weight, p=p, start=Given(dictionary=W, activations=H))
    u = np.asarray(algorithm.init(jnp.asarray(X), key=KEY).phases)
    state = ComplexFactors(W / W.sum(0), H * W.sum(0)[:, None], u)
    W, H = state.dictionary, state.activations
    for _ in range(4):
        for factor in "WH":
            model = np.einsum("fk,kn->kfn", W, H)
            share = model / model.sum(0)
            target = model * u + share * (X - (model * u).sum(0))
            u = target / abs(target)
            if factor == "W":
                curvature = (H[:, None] ** 2 / share).sum(2).T + weight * p * (H**p).sum(1) / W
                W = (H[:, None] * abs(target) / share).sum(2).T / curvature
                H, W = H * W.sum(0)[:, None], W / W.sum(0)
            else:
                curvature = (W.T[:, :, None] ** 2 / share).sum(1) + weight * p * H ** (p - 2)
                H = (W.T[:, :, None] * abs(target) / share).sum(1) / curvature
    result = run(algorithm, X, 4, state=state)
    assert distance(tuple(result.output), (W, H, u)) < 1e-10
    assert distance(components_of(result.output), np.einsum("fk,kn->kfn", W, H) * u) < 1e-10


def test_complex_nmf_from_the_phase_of_the_mixture_is_nmf(x64):
    X, W, H = problem()
    H, W = H * W.sum(0)[:, None], W / W.sum(0)
    state = ComplexFactors(W, H, np.broadcast_to(X / abs(X), (3, *X.shape)))
    factors = run(ComplexNMF(components=3, sparsity=0.0), X, 10, state=state).output
    plain = NMF(components=3, divergence=Euclidean(), start=Given(dictionary=W, activations=H))
    expected = run(plain, abs(X), 10).output
    assert distance(factors.dictionary @ factors.activations, expected.dictionary @ expected.activations) < 1e-12


def isnmf(**options):
    advance = np.linspace(0.2, 2.5, FREQUENCIES)[:, None]
    return ComplexISNMF(**{"components": (1, 2), "advance": advance, "concentration": 1.5, "coupling": 0.7, **options})


def state_of(X, W, H, rng):
    return ComplexFactors(W[None], H[None], np.exp(1j * rng.uniform(0, 6.28, (2, 1, *X.shape))))


def planar(number, relation):
    """The real covariance of real and imaginary part, `(2, 2)`."""
    return np.array([[number + relation.real, relation.imag], [relation.imag, number - relation.real]]) / 2


def test_complex_isnmf_is_the_likelihood_and_the_posterior_of_its_model(x64):
    """Bin by bin, by real Gaussians of two dimensions."""
    X, W, H = problem()
    state, kappa = state_of(X, W, H, np.random.default_rng(2)), 1.5
    algorithm = isnmf()
    ratio = [scipy.special.iv(order, kappa) / scipy.special.iv(0, kappa) for order in (1, 2)]
    size = np.sqrt(np.pi) / 2 * ratio[0]
    v = np.stack([W[:, :1] @ H[:1], W[:, 1:] @ H[1:]])
    total, sources = 0.0, np.zeros(v.shape, complex)
    for f, n in np.ndindex(*X.shape):
        u = state.phases[:, 0, f, n]
        means = size * np.sqrt(v[:, f, n]) * u
        covariances = [
            planar((1 - size**2) * v[j, f, n], (ratio[1] - size**2) * v[j, f, n] * u[j] ** 2) for j in range(2)
        ]
        mixture, x = sum(covariances), np.array([X[f, n].real, X[f, n].imag])
        mean = np.array([means.sum().real, means.sum().imag])
        total += -scipy.stats.multivariate_normal(mean, mixture).logpdf(x) - np.log(np.pi * abs(X[f, n]) ** 2) - 1
        for j in range(2):
            gain = covariances[j] @ np.linalg.solve(mixture, x - mean)
            sources[j, f, n] = means[j] + gain[0] + 1j * gain[1]
    angles = np.diff(np.angle(state.phases), axis=-1) - np.asarray(algorithm.advance)
    total += 0.7 * np.sum(1 - np.cos(angles))
    data = algorithm.prepare(jnp.asarray(X[None]))
    assert algorithm.objective(state, data) == pytest.approx(total, rel=1e-9)
    assert distance(algorithm.readout(state, data).sources[:, 0], sources) < 1e-9
    assert distance(algorithm.readout(state, data).sources.sum(0)[0], X) < 1e-12


def test_complex_isnmf_steps_are_expectation_maximisation(x64):
    """The statistics by expectations over the posterior; the multiplicative updates from their derivative."""
    X, W, H = problem()
    state, kappa, tau = state_of(X, W, H, np.random.default_rng(2)), 1.5, 0.7
    ratio = [scipy.special.iv(order, kappa) / scipy.special.iv(0, kappa) for order in (1, 2)]
    size = np.sqrt(np.pi) / 2 * ratio[0]
    advance = np.linspace(0.2, 2.5, FREQUENCIES)

    def variances(W, H):
        return np.stack([W[:, :1] @ H[:1], W[:, 1:] @ H[1:]])

    v, u = variances(W, H), state.phases[:, 0].copy()
    p, q, first, second = np.zeros(v.shape), np.zeros(v.shape), np.zeros(v.shape, complex), np.zeros(v.shape, complex)
    along, across = 1 - 2 * size**2 + ratio[1], 1 - ratio[1]
    for f, n in np.ndindex(*X.shape):
        means = size * np.sqrt(v[:, f, n]) * u[:, f, n]
        blocks = [
            planar((1 - size**2) * v[j, f, n], (ratio[1] - size**2) * v[j, f, n] * u[j, f, n] ** 2) for j in range(2)
        ]
        x = np.array([(X[f, n] - means.sum()).real, (X[f, n] - means.sum()).imag])
        for j in range(2):
            gain = blocks[j] @ np.linalg.inv(sum(blocks))
            mean = np.array([means[j].real, means[j].imag]) + gain @ x
            moment = blocks[j] - gain @ blocks[j] + np.outer(mean, mean)
            e = np.array([u[j, f, n].real, u[j, f, n].imag])
            o = np.array([-e[1], e[0]])
            p[j, f, n] = 2 * (e @ moment @ e / (2 * along) + o @ moment @ o / (2 * across))
            q[j, f, n] = -2 * size / along * (e @ mean)
            first[j, f, n] = mean[0] + 1j * mean[1]
            second[j, f, n] = moment[0, 0] - moment[1, 1] + 2j * moment[0, 1]

    def step(factor, product):
        """The factor after its update; `product(x)` is `x` with the other factor, source by source."""
        v = variances(W, H)
        negative = p / v**2 + np.maximum(q, 0) / 2 * v**-1.5
        positive = 1 / v + np.maximum(-q, 0) / 2 * v**-1.5
        return factor * np.sqrt(product(negative) / product(positive))

    H = step(H, lambda x: np.concatenate([W[:, :1].T @ x[0], W[:, 1:].T @ x[1]]))
    W = step(W, lambda x: np.concatenate([x[0] @ H[:1].T, x[1] @ H[1:].T], axis=1))
    v = variances(W, H)
    for parity in (0, 1):  # each phase on its own, at the maximum of the bound, which touches at the present one
        for f, n in np.ndindex(*X.shape):
            for j in range(2) if n % 2 == parity else ():
                bend = second[j, f, n] / (2 * v[j, f, n]) * (1 / across - 1 / along)
                target = 2 * (abs(bend) * u[j, f, n] + bend * u[j, f, n].conj())
                target += 2 * size * first[j, f, n] / (along * np.sqrt(v[j, f, n]))
                if n > 0:
                    target += tau * np.exp(1j * advance[f]) * u[j, f, n - 1]
                if n + 1 < FRAMES:
                    target += tau * np.exp(-1j * advance[f]) * u[j, f, n + 1]
                u[j, f, n] = target / abs(target)
    factors = run(isnmf(), X[None], 1, state=state).output.factors
    assert distance((factors.dictionary[0], factors.activations[0], factors.phases[:, 0]), (W, H, u)) < 1e-9


@pytest.mark.thorough
def test_complex_isnmf_without_concentration_is_itakura_saito(x64):
    X, W, H = problem()
    start = Given(dictionary=W, activations=H)
    plain = NMF(components=3, divergence=ItakuraSaito(), order=("activations", "dictionary"), start=start)
    V = plain.prepare(jnp.asarray(abs(X) ** 2))
    one = isnmf(components=(3,), concentration=0.0, coupling=0.0, start=start)
    result = run(one, X[None], 10, record=ComplexISNMF.objective)
    expected = run(plain, V.V, 10, record=NMF.objective)
    factors = result.output.factors
    assert distance((factors.dictionary[0], factors.activations[0]), tuple(expected.output)) < 1e-10
    assert distance(result.trace, expected.trace) < 1e-10
    two = isnmf(concentration=0.0, coupling=0.0, start=start)  # EM: another way down the same divergence
    trace = run(two, X[None], 10, record=ComplexISNMF.objective).trace
    assert trace[0] < plain.objective(plain.init(V), V) and trace[-1] < 1.3 * expected.trace[-1]


def test_complex_models_are_refused_magnitudes():
    X, *_ = problem()
    with pytest.raises(ValueError, match=r"ComplexNMF: .* dtype float32, expected complex"):
        run(ComplexNMF(components=1, sparsity=0.1), abs(X), 1, key=KEY)
    with pytest.raises(ValueError, match=r"ComplexISNMF: .* expected complex \(..., channels, frequency, frames\)"):
        run(isnmf(), X, 1, key=KEY)
    with pytest.raises(ValueError, match="ComplexISNMF: components must be at least 1 for each source"):
        isnmf(components=())

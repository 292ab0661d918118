"""Other ways to the same minimum: beside scikit-learn, beside their equations in plain numpy, beside each other."""

import dataclasses
import functools
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.iterate import pour
from dsp_sep.nmf import (
    ADMM,
    HALS,
    NMF,
    AcceleratedMU,
    Beta,
    Blocked,
    Euclidean,
    Given,
    ItakuraSaito,
    KullbackLeibler,
    OnlineNMF,
    Proportional,
    Sparsity,
    Weighted,
    accelerated_repeats,
)
from dsp_sep.nmf.proximal import proximal
from dsp_sep.pytree import cast
from tests.checks import distance, finite
from tests.each import marked
from tests.nmf.spectrogram import music

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "nmf_variants.npz")
V, W, H = (GOLDEN[name] for name in "VWH")
COMPONENTS, KEY = W.shape[1], jax.random.key(0)
DIVERGENCES = {0: ItakuraSaito(), 1: KullbackLeibler(), 2: Euclidean()}


def stored():
    """Made where it is used: in the precision of the test."""
    return {"components": COMPONENTS, "start": Given(dictionary=W, activations=H)}


def error(W, H):
    return np.linalg.norm(V - W @ H)


def test_hals_reaches_what_coordinate_descent_does(x64):
    descent = GOLDEN["descent_500/W"], GOLDEN["descent_500/H"]
    assert error(*run(HALS(**stored()), V, 500).output) < error(*descent) * (1 + 1e-4)
    once = GOLDEN["descent_1/W"], GOLDEN["descent_1/H"]
    assert error(*run(HALS(**stored()), V, 1).output) == pytest.approx(error(*once), rel=1e-8)


def until(delta, repeats, step):
    """The inner iterations of Gillis and Glineur (2012): `step` changes its factor and says how far it went."""
    first = step()
    last, count = first, 1
    while count < repeats and last >= delta * first:
        last, count = step(), count + 1
    return count


def test_accelerated_hals_is_its_equations(x64):
    delta, repeats, counts = 0.1, 4, []

    def sweep(H, W, V, sparsity):
        correlation, gram = W.T @ V, W.T @ W

        def step():
            before = H.copy()
            for k in np.flatnonzero(np.diagonal(gram)):  # where a column is zero there is nothing to solve
                H[k] = np.maximum(H[k] + (correlation[k] - gram[k] @ H - sparsity) / gram[k, k], 0)
            return np.linalg.norm(H - before)

        counts.append(until(delta, repeats, step))

    W_, H_ = W.copy(), H.copy()
    for _ in range(5):
        sweep(W_.T, H_.T, V.T, 0.0)
        sweep(H_, W_, V, 0.05)
    assert 1 < min(counts) < max(counts) == repeats
    algorithm = HALS(**stored(), repeats=repeats, least_progress=delta, sparsity=0.05)
    assert distance(tuple(run(algorithm, V, 5).output), (W_, H_)) < 1e-10


def test_accelerated_updates_are_their_equations(x64):
    delta, repeats, counts = 0.3, 8, []

    def update(H, W, V):
        correlation, gram = W.T @ V, W.T @ W

        def step():
            before = H.copy()
            H[:] = H * correlation / (gram @ H)
            return np.linalg.norm(H - before)

        counts.append(until(delta, repeats, step))

    W_, H_ = W.copy(), H.copy()
    for _ in range(5):
        update(W_.T, H_.T, V.T)
        update(H_, W_, V)
    assert 1 < min(counts) < repeats
    algorithm = AcceleratedMU(**stored(), repeats=repeats, least_progress=delta)
    result = run(algorithm, np.stack([V, V[::-1]]), 5)  # the second item stops by itself
    assert distance(tuple(x[0] for x in result.output), (W_, H_)) < 1e-10
    assert error(result.output[0][0], result.output[1][0]) < error(
        *run(NMF(**stored(), divergence=Euclidean()), V, 5).output
    )
    assert accelerated_repeats(1025, 2584, 32, 2.0) == 65  # 1 + 2 (1 + 1025 (2584 + 32) / (2584 · 33)) = 65.89


def minimum(beta, V, Z, rho):
    """The proximal step by its definition: the best of all positive points without slope."""
    lines = {0: [rho, -rho * Z, 1.0, -V], 1: [rho, 1 - rho * Z, -V], 2: [1 + rho, -V - rho * Z]}
    roots = np.roots(lines[beta])
    roots = roots.real[(abs(roots.imag) < 1e-9) & ((roots.real > 0) | (beta == 2))]
    if beta == 2:
        return roots[0]
    values = (V / roots + np.log(roots) if beta == 0 else roots - V * np.log(roots)) + rho / 2 * (roots - Z) ** 2
    return roots[np.argmin(values)]


def test_proximal_steps_are_minima(x64):
    """With one positive root of the cubic and with three, the least of them best and the largest best."""
    rng = np.random.default_rng(0)
    values = 10.0 ** rng.uniform(-6, 1, 300), rng.normal(0, 6, 300)
    for beta, divergence in DIVERGENCES.items():
        expected = [minimum(beta, *pair, 0.7) for pair in zip(*values, strict=True)]
        step = jax.jit(functools.partial(proximal, divergence))
        np.testing.assert_allclose(step(*map(jnp.asarray, (*values, 0.7))), expected, rtol=1e-9)
        single = step(*(jnp.asarray(x, jnp.float32) for x in (*values, 0.7)))
        assert np.mean(abs(np.asarray(single, float) / expected - 1) < 1e-4) > 0.97


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_admm_is_its_equations(beta, x64):
    rho, data = 0.8, V[:12, :15] / V[:12, :15].mean()
    plus_W, plus_H = W[:12], H[:, :15]
    W_, H_, X = plus_W, plus_H, plus_W @ plus_H
    dual_X, dual_W, dual_H = 0 * X, 0 * W_, 0 * H_
    eye, step = np.eye(COMPONENTS), np.vectorize(minimum, excluded=(0, 3))
    for _ in range(8):
        right = H_ @ X.T + plus_W.T + (H_ @ dual_X.T - dual_W.T) / rho
        W_ = np.linalg.solve(H_ @ H_.T + eye, right).T
        H_ = np.linalg.solve(W_.T @ W_ + eye, W_.T @ X + plus_H + (W_.T @ dual_X - dual_H) / rho)
        X = step(beta, data, W_ @ H_ - dual_X / rho, rho)
        plus_W, plus_H = np.maximum(W_ + dual_W / rho, 0), np.maximum(H_ + dual_H / rho, 0)
        dual_X = dual_X + rho * (X - W_ @ H_)
        dual_W, dual_H = dual_W + rho * (W_ - plus_W), dual_H + rho * (H_ - plus_H)
    start = Given(dictionary=W[:12], activations=H[:, :15])
    algorithm = ADMM(components=COMPONENTS, start=start, penalty=rho, divergence=DIVERGENCES[beta])
    factors = run(algorithm, V[:12, :15], 8).output
    assert distance(tuple(factors), (plus_W, V[:12, :15].mean() * plus_H)) < 1e-9


@pytest.mark.parametrize(("beta", "rho"), marked({"0": (0, 10.0), "1": (1, 1.0), "2": (2, 1.0)}, always={"2"}))
def test_admm_reaches_what_multiplicative_updates_do(beta, rho, x64):
    options = {**stored(), "divergence": DIVERGENCES[beta]}
    reached = run(NMF(**options), V, 1000, record=NMF.objective, every=1000).trace[-1]
    assert run(ADMM(**options, penalty=rho), V, 1000, record=ADMM.objective, every=1000).trace[-1] < 1.02 * reached


def test_solvers_descend_on_music():
    """In single precision; for double see the table of cases."""
    for algorithm in (HALS(components=6, repeats=2), AcceleratedMU(components=6)):
        trace = jax.jit(lambda a, V: run(a, V, 300, key=KEY, record=type(a).objective).trace)
        values = np.asarray(trace(algorithm, music(silent=True).astype(np.float32)), float)
        assert np.all(np.diff(values) <= 3e-6 * values[:-1]) and values[-1] < values[0]


def test_blocks_are_the_whole(x64):
    part, start = V[:, :23], Given(dictionary=W, activations=H[:, :23])
    for divergence, data, size in (
        (KullbackLeibler(), part, 7),
        (Beta(0.5), Weighted(part, (part > 0.5) + 0.0), 7),
        (KullbackLeibler(), part, 100),
    ):
        nmf = NMF(
            components=COMPONENTS,
            start=start,
            divergence=divergence,
            order=("activations", "dictionary"),
            activations_penalties=(Sparsity(0.1),),
            dictionary_penalties=(Sparsity(0.2),),
        )
        whole = run(nmf, data, 5, record=NMF.objective)
        blocked = run(Blocked(nmf, size=size), data, 5, record=Blocked.objective)
        assert distance((blocked.output, blocked.trace), (whole.output, whole.trace)) < 1e-12
    with pytest.raises(ValueError, match="Blocked: order must be"):
        Blocked(dataclasses.replace(nmf, order=("dictionary", "activations")), size=5)


@pytest.mark.parametrize("divergence", [ItakuraSaito(), KullbackLeibler(), Beta(3.0)])
def test_one_chunk_is_an_iteration(divergence, x64):
    divergence = cast(divergence, jnp.float64)
    observed = NMF(components=1).prepare(jnp.asarray(V))
    start = Given(dictionary=W, activations=Proportional().start_activations_of(observed.V, jnp.asarray(W), None))
    nmf = NMF(components=COMPONENTS, divergence=divergence, order=("activations", "dictionary"), start=start)
    expected = run(nmf, V, 1).output
    online = OnlineNMF(divergence=divergence, iterations=1)
    state, activations = online.push(online.init(jnp.asarray(W)), jnp.asarray(V))
    assert distance((state.dictionary, activations), tuple(expected)) < 1e-10


@pytest.mark.thorough
def test_learns_frame_by_frame_what_all_frames_teach():
    rng = np.random.default_rng(0)
    truth = rng.gamma(0.3, 1, (30, 3))
    data = jnp.asarray(truth @ rng.gamma(0.3, 1, (3, 600)) + 1e-3, jnp.float32)
    online = OnlineNMF(iterations=40)
    state = online.init(jnp.asarray(rng.uniform(0.5, 1, (30, 3)), jnp.float32))
    push = jax.jit(online.push)
    observed = NMF(components=3).prepare(data)

    def reached(dictionary):
        algorithm = NMF(components=3)
        H = [push(online.init(dictionary), data)[1]]
        return float(algorithm.objective((dictionary, H[0]), observed))

    before = reached(state.dictionary)
    for _ in range(3):
        for start in range(0, 600, 8):
            state, activations = push(state, data[:, start : start + 8])
    assert activations.shape == (3, 8)
    assert reached(state.dictionary) < 0.05 * before
    assert online.flush(state).shape == (3, 0) and online.latency == 0
    *_, last = pour(online, [data[:, :5]], state)
    assert last.shape == (3, 0)
    gradient = jax.grad(lambda W: push(push(online.init(W), 0 * data[:, :4])[0], data[:, 4:8])[1].sum())
    assert finite(gradient(state.dictionary.at[:, 0].set(0)))

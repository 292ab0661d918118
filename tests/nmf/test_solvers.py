"""Other ways to the same minimum: beside scikit-learn, beside their equations in plain numpy, beside each other."""

import dataclasses
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
from dsp_sep.pytree import cast
from tests.checks import distance, finite
from tests.nmf.spectrogram import music

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "nmf_variants.npz")
V, W, H = (GOLDEN[name] for name in "VWH")
COMPONENTS, KEY = W.shape[1], jax.random.key(0)


def stored():
    """Made where it is used: in the precision of the test."""
    return {"components": COMPONENTS, "start": Given(dictionary=W, activations=H)}


def error(factors):
    return np.linalg.norm(V - factors[0] @ factors[1])


def test_hals_reaches_what_coordinate_descent_does(x64):
    descent = GOLDEN["descent_500/W"], GOLDEN["descent_500/H"]
    assert error(run(HALS(**stored()), V, 500).output) < error(descent) * (1 + 1e-4)
    once = GOLDEN["descent_1/W"], GOLDEN["descent_1/H"]
    assert error(run(HALS(**stored()), V, 1).output) == pytest.approx(error(once), rel=1e-8)


@pytest.mark.parametrize("repeats", [1, 3])
def test_hals_is_its_equations(repeats, x64):
    def sweep(H, W, V, sparsity):
        correlation, gram = W.T @ V, W.T @ W
        for _ in range(repeats):
            for k in np.flatnonzero(np.diagonal(gram)):  # where a column is zero there is nothing to solve
                H[k] = np.maximum(H[k] + (correlation[k] - gram[k] @ H - sparsity) / gram[k, k], 0)

    W_, H_ = W.copy(), H.copy()
    for _ in range(5):
        sweep(W_.T, H_.T, V.T, 0.0)
        sweep(H_, W_, V, 0.05)
    result = run(HALS(**stored(), repeats=repeats, sparsity=0.05), V, 5)
    assert distance(tuple(result.output), (W_, H_)) < 1e-10


def test_accelerated_updates_with_one_repeat_are_plain_ones(x64):
    plain = run(NMF(**stored(), divergence=Euclidean()), V, 10).output
    assert distance(run(AcceleratedMU(**stored(), repeats=1), V, 10).output, plain) < 1e-12
    errors = [error(run(AcceleratedMU(**stored(), repeats=repeats), V, 30).output) for repeats in (1, 3, 10)]
    assert errors[0] > errors[1] > errors[2]
    assert accelerated_repeats(1025, 2584, 32, 2.0) == 65  # 1 + 2 (1 + 1025 (2584 + 32) / (2584 · 33)) = 65.89


@pytest.mark.parametrize("divergence", [Euclidean(), KullbackLeibler()], ids=["2", "1"])
def test_admm_is_its_equations(divergence, x64):
    rho, mean = 0.8, V.mean()
    data = V / mean
    W_, H_, X, plus_W, plus_H = W, H, W @ H, W, H
    dual_X, dual_W, dual_H = 0 * X, 0 * W, 0 * H
    eye = np.eye(COMPONENTS)
    for _ in range(8):
        right = H_ @ X.T + plus_W.T + (H_ @ dual_X.T - dual_W.T) / rho
        W_ = np.linalg.solve(H_ @ H_.T + eye, right).T
        H_ = np.linalg.solve(W_.T @ W_ + eye, W_.T @ X + plus_H + (W_.T @ dual_X - dual_H) / rho)
        if isinstance(divergence, Euclidean):
            X = (data + rho * W_ @ H_ - dual_X) / (1 + rho)
        else:
            linear = rho * W_ @ H_ - dual_X - 1
            X = (linear + np.sqrt(linear**2 + 4 * rho * data)) / (2 * rho)
        plus_W, plus_H = np.maximum(W_ + dual_W / rho, 0), np.maximum(H_ + dual_H / rho, 0)
        dual_X = dual_X + rho * (X - W_ @ H_)
        dual_W, dual_H = dual_W + rho * (W_ - plus_W), dual_H + rho * (H_ - plus_H)
    factors = run(ADMM(**stored(), penalty=rho, divergence=divergence), V, 8).output
    assert distance(tuple(factors), (plus_W, mean * plus_H)) < 1e-9


@pytest.mark.parametrize("divergence", [Euclidean(), KullbackLeibler()], ids=["2", "1"])
def test_admm_reaches_what_multiplicative_updates_do(divergence, x64):
    updates, admm = NMF(**stored(), divergence=divergence), ADMM(**stored(), divergence=divergence)
    reached = run(updates, V, 2000, record=NMF.objective).trace[-1]
    assert run(admm, V, 1000, record=ADMM.objective).trace[-1] < 1.02 * reached


def test_solvers_descend_on_music():
    data = music(silent=True)
    for dtype, tolerance in ((np.float32, 3e-6), (np.float64, 1e-13)):
        with jax.enable_x64(dtype == np.float64):
            for algorithm in (HALS(components=6, repeats=2), AcceleratedMU(components=6)):
                trace = jax.jit(lambda a, V: run(a, V, 300, key=KEY, record=type(a).objective).trace)
                values = np.asarray(trace(algorithm, data.astype(dtype)), float)
                assert np.all(np.diff(values) <= tolerance * values[:-1]) and values[-1] < values[0]


@pytest.mark.parametrize("size", [7, 100])
def test_blocks_are_the_whole(size, x64):
    for divergence in (KullbackLeibler(), Beta(0.5)):
        nmf = NMF(
            **stored(),
            divergence=divergence,
            order=("activations", "dictionary"),
            activations_penalties=(Sparsity(0.1),),
            dictionary_penalties=(Sparsity(0.2),),
        )
        for data in (V, Weighted(V, (V > 0.5) + 0.0)):
            whole = run(nmf, data, 5, record=NMF.objective)
            blocked = run(Blocked(nmf, size=size), data, 5, record=Blocked.objective)
            assert distance((blocked.output, blocked.trace), (whole.output, whole.trace)) < 1e-12
    with pytest.raises(ValueError, match="Blocked: order must be"):
        Blocked(dataclasses.replace(nmf, order=("dictionary", "activations")), size=5)


@pytest.mark.parametrize("divergence", [ItakuraSaito(), KullbackLeibler(), Euclidean(), Beta(0.5), Beta(3.0)])
def test_one_chunk_is_an_iteration(divergence, x64):
    divergence = cast(divergence, jnp.float64)
    observed = NMF(components=1).prepare(jnp.asarray(V))
    start = Given(dictionary=W, activations=Proportional().start_activations_of(observed.V, jnp.asarray(W), None))
    nmf = NMF(components=COMPONENTS, divergence=divergence, order=("activations", "dictionary"), start=start)
    expected = run(nmf, V, 1).output
    online = OnlineNMF(divergence=divergence, iterations=1)
    state, activations = online.push(online.init(jnp.asarray(W)), jnp.asarray(V))
    assert distance((state.dictionary, activations), tuple(expected)) < 1e-10


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
        for start in range(0, 600, 4):
            state, activations = push(state, data[:, start : start + 4])
    assert activations.shape == (3, 4)
    assert reached(state.dictionary) < 0.02 * before
    assert online.flush(state).shape == (3, 0) and online.latency == 0
    *_, last = pour(online, [data[:, :5]], state)
    assert last.shape == (3, 0)
    gradient = jax.grad(lambda W: push(push(online.init(W), 0 * data[:, :4])[0], data[:, 4:8])[1].sum())
    assert finite(gradient(state.dictionary.at[:, 0].set(0)))

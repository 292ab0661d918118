"""AuxIVA and ILRMA beside ssspy and pyroomacoustics from stored starts; what theory says of them."""

import dataclasses
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from dsp_sep import network, nmf, run
from dsp_sep.spatial import (
    Demixing,
    FastICA,
    FastMNMF2,
    Gauss,
    HeavyTailed,
    IndependentLowRank,
    Laplace,
    LearnedSources,
    align,
    demix,
    project_back,
    whiten,
)
from tests.checks import distance, finite
from tests.each import marked

with np.load(Path(__file__).parents[1] / "golden" / "determined_spatial.npz") as file:
    GOLDEN = dict(file)
CASES = json.loads(str(GOLDEN["cases"]))
MODELS = [Laplace(), Gauss(), IndependentLowRank(components=2), HeavyTailed(components=2, freedom=5.0)]


def sources(case):
    T, V = (GOLDEN[f"{name}/{case['channels']}"] for name in ("dictionary", "activations"))
    initial = nmf.Given(dictionary=T, activations=V)
    return {
        "laplace": lambda: Laplace(),
        "gauss": lambda: Gauss(),
        "low_rank": lambda: IndependentLowRank(components=2, initial=initial),
        "heavy_tailed": lambda: HeavyTailed(components=2, freedom=5.0, initial=initial),
    }[case["model"]]()


@pytest.mark.parametrize(
    "case",
    marked(
        {case["name"]: case for case in CASES},
        always={case["name"] for case in CASES if case["channels"] == 2} | {"low_rank/ip2/3"},
    ),
)
def test_equal(case, x64):
    x = GOLDEN[f"mixture/{case['channels']}"]
    algorithm = Demixing(sources(case), rule=case["rule"])
    twice = case["name"] == "laplace/ip2/2"  # of two sources ssspy updates the pairs (0, 1) and (1, 0)
    steps = case["iterations"] * (2 if twice else 1)
    images = jax.jit(lambda algorithm, x: run(algorithm, x, steps).output)(algorithm, x)
    assert distance(images[:, 0], GOLDEN[f"{case['name']}/images"]) < 1e-7


DESCENTS = {f"{type(model).__name__}-{rule}": (model, rule) for model in MODELS for rule in ("ip1", "ip2", "iss")}


@pytest.mark.parametrize(
    ("model", "rule"),
    marked(DESCENTS, always={"Laplace-ip1", "Gauss-iss"}),
)
def test_the_likelihood_never_falls(model, rule, x64):
    algorithm, key = Demixing(model, rule=rule), jax.random.key(0)
    trace = jax.jit(lambda x: run(algorithm, x, 60, key=key, record=Demixing.objective).trace)(GOLDEN["mixture/3"])
    assert np.all(np.diff(np.asarray(trace)) <= 1e-10 * abs(trace[0]))


@pytest.mark.parametrize("algorithm", [Demixing(), FastICA(), FastMNMF2(components=2)], ids=lambda a: type(a).__name__)
def test_images_sum_to_the_mixture(algorithm):
    x = GOLDEN["mixture/3"].astype(np.complex64)
    images = run(algorithm, x, 10, key=jax.random.key(0)).output
    assert distance(jnp.sum(images, axis=0), x) < 3e-7


def test_whitened(x64):
    x = jnp.asarray(GOLDEN["mixture/3"])
    white, Q, back = whiten(x)
    covariance = np.einsum("aft,bft->fab", white, white.conj()) / x.shape[-1]
    assert distance(covariance, np.broadcast_to(np.eye(3), covariance.shape)) < 1e-10
    assert distance(demix(Q, x), white) < 1e-14
    assert distance(demix(back, white), x) < 1e-12
    assert finite(whiten(x.at[1].set(x[0]))) and finite(whiten(0 * x))


def test_projection_back_forgets_scales(x64):
    rng = np.random.default_rng(0)
    x = jnp.asarray(GOLDEN["mixture/2"])
    W = jnp.asarray(rng.standard_normal((5, 2, 2)) + 1j * rng.standard_normal((5, 2, 2)))
    scaled = W * jnp.asarray(rng.standard_normal((5, 2, 1)) + 1j)
    assert distance(project_back(scaled, x), project_back(W, x)) < 1e-12
    assert distance(jnp.sum(project_back(W, x), axis=0), x) < 1e-12


def test_alignment_undoes_a_shuffle():
    rng = np.random.default_rng(0)
    activity = rng.gamma(0.2, 1, (3, 1, 60)) + 0.05 * rng.random((3, 20, 60))
    orders = np.stack([rng.permutation(3) for _ in range(20)])
    shuffled = np.stack([activity[order, f] for f, order in enumerate(orders)], axis=1)
    found = np.asarray(align(jnp.asarray(shuffled)))
    restored = np.stack([shuffled[order, f] for f, order in enumerate(found)], axis=1)
    assert len({tuple(orders[f][order]) for f, order in enumerate(found)}) == 1
    assert restored.shape == activity.shape
    batched = align(jnp.asarray(np.stack([shuffled, shuffled[::-1]])))
    np.testing.assert_array_equal(batched[0], found)


HARD = {
    "all silent": lambda x: 0 * x,
    "identical channels": lambda x: x[:1].repeat(2, 0),
    "one channel silent": lambda x: x * np.array([1, 0])[:, None, None],
    "one frame": lambda x: x[..., :1],
}


@pytest.mark.thorough
def test_gradients_are_finite_by_pairs():
    algorithm = Demixing(IndependentLowRank(components=2), rule="ip2")

    @jax.jit
    @jax.value_and_grad
    def gradient(x):
        images = run(algorithm, x, 3, key=jax.random.key(0)).output
        return jnp.sum(jnp.abs(images) ** 2) + jnp.sum(images.real)

    for name, change in HARD.items():
        assert finite(gradient(jnp.asarray(change(GOLDEN["mixture/2"]).astype(np.complex64)))), name


@pytest.mark.thorough
def test_a_network_as_the_source_model_trains(x64):
    class Net(nnx.Module):
        def __init__(self, rngs):
            self.linear = nnx.Linear(5, 5, param_dtype=np.float64, rngs=rngs)

        def __call__(self, magnitudes):
            frames = jnp.swapaxes(magnitudes, -1, -2)
            return jnp.swapaxes(jax.nn.softplus(self.linear(frames)), -1, -2)

    algorithm = Demixing(LearnedSources(network(Net(nnx.Rngs(0)))), rule="iss")
    x = jnp.asarray(GOLDEN["mixture/2"])

    def loss(kernel):
        params = {"linear": {**algorithm.sources.network.params["linear"], "kernel": kernel}}
        net = dataclasses.replace(algorithm.sources.network, params=params)
        return jnp.sum(jnp.abs(run(Demixing(LearnedSources(net), rule="iss"), x, 3).output[0]) ** 2)

    kernel = algorithm.sources.network.params["linear"]["kernel"]
    direction = jnp.asarray(np.random.default_rng(0).standard_normal(kernel.shape))
    slope = jnp.sum(jax.grad(loss)(kernel) * direction)
    expected = (loss(kernel + 1e-6 * direction) - loss(kernel - 1e-6 * direction)) / 2e-6
    assert float(slope) == pytest.approx(float(expected), rel=1e-5)

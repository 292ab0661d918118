"""Flax networks with state inside an iteration: run, trained under scan and grad, saved, restored."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
import pytest
from flax import nnx

from dsp_sep import constrain, network, run, unconstrain, unfold
from dsp_sep.iterate import Algorithm
from dsp_sep.pytree import Network, domains, hyper, node
from tests.checks import distance, identical

FEATURES, BATCH = 6, 5


class Perceptron(nnx.Module):
    """Batch normalisation, dropout, and a layer used twice."""

    def __init__(self, rngs):
        self.first = nnx.Linear(FEATURES, FEATURES, rngs=rngs)
        self.norm = nnx.BatchNorm(FEATURES, rngs=rngs)
        self.dropout = nnx.Dropout(0.5, rngs=rngs)
        self.again = self.first

    def __call__(self, x):
        return self.again(self.dropout(jnp.tanh(self.norm(self.first(x)))))


class Recurrent(nnx.Module):
    """An LSTM over the features, whose random numbers are counted."""

    def __init__(self, rngs):
        self.lstm = nnx.RNN(nnx.OptimizedLSTMCell(1, FEATURES, rngs=rngs))
        self.out = nnx.Linear(FEATURES, 1, rngs=rngs)

    def __call__(self, x):
        return self.out(self.lstm(x[..., None]))[..., 0]


@node
class Denoise(Algorithm):
    """`x <- x - step · (x - y) + network(x)`."""

    correction: Network = hyper(kw_only=False)
    step: jax.Array = hyper(default=0.5, domain=domains.POSITIVE)

    def init(self, data, *, key=None):
        return data

    def update(self, state, data):
        return state - self.step * (state - data) + 0.1 * self.correction(state)


kinds = pytest.mark.parametrize("kind", [Perceptron, pytest.param(Recurrent, marks=pytest.mark.thorough)])


def data():
    return jnp.asarray(np.random.default_rng(0).standard_normal((BATCH, FEATURES)), jnp.float32)


def module(kind, seed=0):
    """A network with statistics that are not those of a fresh one."""
    made = kind(nnx.Rngs(seed))
    if kind is Perceptron:
        made.norm.mean[...] = jnp.full(FEATURES, 0.3)
    return made


@kinds
def test_is_the_module_in_evaluation_mode(kind):
    made = module(kind)
    pure = network(made)
    made.eval()
    assert distance(pure(data()), made(data())) < 1e-6
    assert distance(jax.jit(lambda f, x: f(x))(pure, data()), made(data())) < 1e-6


def test_shared_layers_stay_shared_and_statistics_are_fixed():
    algorithm = Denoise(network(module(Perceptron)))
    free = unconstrain(algorithm, ("*",))
    assert sum("kernel" in name for name in free.values) == 1
    assert not any("statistics" in name for name in free.values)


@kinds
def test_trains_inside_a_scan_and_is_restored_into_a_fresh_model(kind, tmp_path):
    algorithm, x = Denoise(network(module(kind))), data()
    target = jnp.asarray(np.random.default_rng(1).standard_normal(x.shape), jnp.float32)
    params = unconstrain(algorithm, ("*",))
    optimizer = optax.adam(0.03)

    @jax.jit
    def step(params, state):
        def loss(params):
            return jnp.mean((run(constrain(params, algorithm), x, 4).output - target) ** 2)

        value, gradient = jax.value_and_grad(loss)(params)
        with jax.numpy_dtype_promotion("standard"):  # inside optax
            updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, value

    state, losses = optimizer.init(params), []
    for _ in range(30):
        params, state, value = step(params, state)
        losses.append(float(value))
    assert losses[-1] < 0.8 * losses[0]

    trained = constrain(params, algorithm)
    fresh = Denoise(network(kind(nnx.Rngs(7))), step=0.1)
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "model", jax.tree.leaves(trained))
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "model", jax.tree.leaves(fresh))
    restored = jax.tree.unflatten(jax.tree.structure(fresh), restored)
    assert identical(run(restored, x, 4).output, run(trained, x, 4).output)


@kinds
def test_untied_it_has_weights_for_each_layer(kind):
    algorithm, x = Denoise(network(module(kind))), data()
    layers = unfold(algorithm, 3, untied=("correction.params*", "step"))
    assert distance(run(layers, x).output, run(algorithm, x, 3).output) < 1e-6
    moved = constrain(
        jax.tree.map(lambda u: u + jnp.arange(3.0).reshape(3, *[1] * (u.ndim - 1)), unconstrain(layers, ("*step",))),
        layers,
    )
    by_hand = x
    for k in range(3):
        by_hand = moved[k].update(by_hand, x)
    assert distance(run(moved, x).output, by_hand) < 1e-6


def test_equal_networks_do_not_trace_again():
    traces = []

    @jax.jit
    def apply(f, x):
        traces.append(0)
        return f(x)

    apply(network(module(Perceptron)), data())
    apply(network(module(Perceptron)), data())
    assert len(traces) == 1
    apply(network(module(Perceptron, seed=1)), data())
    assert len(traces) == 2

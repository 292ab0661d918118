"""Networks and windows that are learned through the layers of Griffin-Lim."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from dsp_sep import constrain, network, run, unconstrain, unfold
from dsp_sep.phase import DeepGriffinLim, GriffinLim, RandomPhase, ZeroPhase
from tests.cases import stft
from tests.checks import distance, finite

KEY = jax.random.key(0)


class Small(nnx.Module):
    """Two convolutions over frames and frequencies, the second of zeros at first."""

    def __init__(self, rngs):
        self.first = nnx.Conv(6, 4, (3, 3), rngs=rngs)
        self.last = nnx.Conv(4, 2, (3, 3), kernel_init=nnx.initializers.zeros, rngs=rngs)

    def __call__(self, features):
        return self.last(nnx.leaky_relu(self.first(features)))


def example():
    """A tone in noise and the magnitudes of it."""
    t = np.arange(300)
    signal = np.cos(0.5 * t + 1e-3 * t**2) + 0.1 * np.random.default_rng(0).standard_normal(300)
    return abs(stft().analyze(jnp.asarray(signal, jnp.float32)))


def train(layers, learned, A, steps, rate):
    """The inconsistency after the layers, before and after some steps of Adam."""
    params = unconstrain(layers, learned)

    def loss(params):
        trained = constrain(params, layers)
        S = run(trained, A, key=KEY).output
        return jnp.mean(jnp.abs(S - stft().consistent(S)) ** 2)

    optimizer = optax.adam(rate)
    value_and_gradient = jax.jit(jax.value_and_grad(loss))
    state, first = optimizer.init(params), None
    for _ in range(steps):
        value, gradient = value_and_gradient(params)
        assert finite(gradient)
        first = value if first is None else first
        updates, state = optimizer.update(gradient, state)
        params = optax.apply_updates(params, updates)
    return first, loss(params), constrain(params, layers)


def deep():
    return DeepGriffinLim(stft(), network=network(Small(nnx.Rngs(0))), start=RandomPhase())


def test_a_network_of_zeros_is_griffin_lim():
    A = example()
    assert distance(run(deep(), A, 3, key=KEY).output, run(GriffinLim(stft()), A, 3, key=KEY).output) < 1e-6
    batch = jnp.stack([A, 1e3 * A])
    answer = run(deep(), batch, 2, key=KEY).output
    assert answer.shape == batch.shape and distance(jnp.abs(answer), batch) < 1e-5


@pytest.mark.thorough
def test_a_network_inside_learns(users_settings):
    before, after, trained = train(unfold(deep(), 3), ("network.*",), example(), 25, 0.01)
    assert after < 0.9 * before
    quiet = run(trained, 1e-4 * example(), key=KEY).output
    assert distance(1e4 * quiet, run(trained, example(), key=KEY).output) < 1e-3


@pytest.mark.thorough
def test_each_layer_learns_a_window_of_its_own(users_settings):
    layers = unfold(GriffinLim(stft(), start=ZeroPhase()), 3, untied=("stft.window",))
    before, after, trained = train(layers, ("stft.window",), example(), 25, 0.02)
    assert after < 0.95 * before
    windows = trained.layers.stft.window
    assert windows.shape == (3, 32) and distance(windows[0], windows[1]) > 1e-3

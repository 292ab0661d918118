"""An unfolded algorithm behind a linear layer, trained end to end by flax, saved and restored."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
import pytest
from flax import nnx

from dsp_sep import Truncated, run, unfold
from dsp_sep.networks import UnfoldedLayer
from dsp_sep.nmf import NMF, Activations, Sparsity
from tests.cases import FRAMES, FREQUENCIES, dictionary
from tests.checks import identical

FEATURES = 5


def layers():
    algorithm = Activations(dictionary=dictionary(), penalties=(Sparsity(0.2),))
    return unfold(algorithm, 4, untied=("penalties.*",))


class Model(nnx.Module):
    """Features to a spectrogram, and that to activations."""

    def __init__(self, rngs):
        self.linear = nnx.Linear(FEATURES, FREQUENCIES, rngs=rngs)
        self.activations = UnfoldedLayer(layers(), train=("dictionary", "penalties.0.weight"))

    def __call__(self, x):
        return self.activations(jax.nn.softplus(self.linear(x)).T)


def test_trains_within_its_domains_and_is_restored(tmp_path):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((FRAMES, FEATURES)), jnp.float32)
    target = jnp.asarray(rng.random((4, FRAMES)), jnp.float32)
    model = Model(nnx.Rngs(0))
    optimizer = nnx.Optimizer(model, optax.adam(0.03), wrt=nnx.Param)

    @nnx.jit
    def step(model, optimizer):
        loss, gradient = nnx.value_and_grad(lambda model: jnp.mean((model(x) - target) ** 2))(model)
        with jax.numpy_dtype_promotion("standard"):  # inside optax
            optimizer.update(model, gradient)
        return loss

    losses = [float(step(model, optimizer)) for _ in range(40)]
    assert losses[-1] < 0.7 * losses[0]
    trained = model.activations.unfolded
    weights = trained.layers.penalties[0].weight
    assert weights.shape == (4,) and np.all(weights > 0) and len(set(map(float, weights))) == 4
    assert np.all(trained.shared.dictionary > 0) and not identical(trained.shared.dictionary, jnp.asarray(dictionary()))

    fresh = Model(nnx.Rngs(1))
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "model", nnx.to_pure_dict(nnx.state(model)))
        checkpointer.wait_until_finished()
        restored = checkpointer.restore(tmp_path / "model", nnx.to_pure_dict(nnx.state(fresh)))
    state = nnx.state(fresh)
    nnx.replace_by_pure_dict(state, restored)
    nnx.update(fresh, state)
    assert identical(fresh(x), model(x))


def test_untrained_it_is_the_algorithm():
    V = np.random.default_rng(1).random((FREQUENCIES, FRAMES))
    layer = UnfoldedLayer(layers(), train=("dictionary",), gradient=Truncated(2))
    assert identical(layer(V), run(layers(), V).output)
    assert set(nnx.to_pure_dict(nnx.state(layer, nnx.Param))["free"]) == {"dictionary"}
    drawn = unfold(NMF(components=2), 3)
    key = jax.random.key(0)
    assert identical(UnfoldedLayer(drawn, train=())(V, key=key), run(drawn, V, key=key).output)


def test_names_that_match_nothing_are_refused():
    with pytest.raises(ValueError, match="no leaf is named 'window'"):
        UnfoldedLayer(layers(), train=("window",))

"""Leaves chosen by name as free parameters, trained, and saved."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import orbax.checkpoint
import pytest

from dsp_sep import constrain, run, unconstrain, unfold
from dsp_sep.pytree import Free, domains, hyper, node
from tests.cases import CASES, dictionary, spectrogram
from tests.checks import identical


@node
class Inner:
    weight: jax.Array = hyper(default=0.5, domain=domains.NONNEGATIVE)
    order: jax.Array = hyper(default=2.0, domain=domains.REAL)


@node
class Outer:
    inner: Inner = hyper(default=Inner())
    window: jax.Array = hyper(domain=domains.REAL)
    statistics: jax.Array = hyper(default=1.0, domain=domains.FIXED)


OUTER = Outer(window=np.ones(3))


@pytest.mark.parametrize(
    ("train", "chosen"),
    [
        (("inner.weight",), ["inner.weight"]),
        (("inner",), ["inner.weight", "inner.order"]),
        (("*.order", "window"), ["inner.order", "window"]),
        (("*",), ["inner.weight", "inner.order", "window"]),
        ((), []),
    ],
    ids=str,
)
def test_names_choose_leaves(train, chosen):
    free = unconstrain(OUTER, train)
    assert free.values.keys() == set(chosen)
    assert identical(constrain(free, OUTER), OUTER)


def test_what_is_not_named_stays():
    moved = constrain(jax.tree.map(lambda u: u + 1, unconstrain(OUTER, ("inner.weight",))), OUTER)
    np.testing.assert_allclose(moved.inner.weight, 0.5 * np.e, rtol=1e-6)
    assert identical((moved.inner.order, moved.window), (OUTER.inner.order, OUTER.window))


def test_refuses_by_name():
    with pytest.raises(ValueError, match=r"no leaf is named 'inner.wieght'; the nearest are inner.weight"):
        unconstrain(OUTER, ("inner.wieght",))
    with pytest.raises(TypeError, match=r"\('window',\) in place of 'window'"):
        unconstrain(OUTER, "window")
    with pytest.raises(ValueError, match=r"inner\.weight cannot be trained: its domain is Nonnegative"):
        unconstrain(Outer(window=np.ones(3), inner=Inner(weight=0)), ("inner.*",))
    with pytest.raises(ValueError, match="statistics cannot be trained: its domain is Fixed"):
        unconstrain(OUTER, ("statistics",))
    with pytest.raises(TypeError, match="constrain takes what unconstrain returned as its first argument, got Outer"):
        constrain(OUTER, OUTER)
    with pytest.raises(ValueError, match=r"the tree has no leaf named inner\.sign"):
        constrain(Free({"inner.sign": jnp.zeros(())}), OUTER)


def test_zero_can_be_left_where_the_domain_allows():
    moved = constrain(Free({"inner.order": jnp.asarray(-1.0)}), Outer(window=np.ones(3), inner=Inner(order=0)))
    assert moved.inner.order == -1


def test_a_step_of_optax_traces_once_and_lowers_the_loss():
    from dsp_sep.nmf import Activations, Sparsity

    V = jnp.asarray(spectrogram(), jnp.float32)
    layers = unfold(Activations(dictionary=dictionary(), penalties=(Sparsity(0.5),)), 4, untied=("penalties.*",))
    params = unconstrain(layers, ("dictionary", "penalties.0.weight"))
    optimizer = optax.adam(0.02)
    traces = []

    @jax.jit
    def step(params, state):
        traces.append(0)

        def loss(params):
            algorithm = constrain(params, layers)
            model = algorithm.shared.dictionary @ run(algorithm, V).output
            return jnp.mean((model - V) ** 2)

        value, gradient = jax.value_and_grad(loss)(params)
        with jax.numpy_dtype_promotion("standard"):  # inside optax
            updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, value

    state, losses = optimizer.init(params), []
    for _ in range(40):
        params, state, value = step(params, state)
        losses.append(float(value))
    assert len(traces) == 1
    assert losses[-1] < 0.7 * losses[0]
    weights = constrain(params, layers).layers.penalties[0].weight
    assert weights.shape == (4,) and len(set(map(float, weights))) == 4 and (weights > 0).all()


@pytest.mark.parametrize(
    "name", ["nmf_sparse", pytest.param("griffin_lim_best", marks=pytest.mark.thorough), "misi_ratio"]
)
def test_saved_and_restored_it_answers_the_same(name, tmp_path):
    (case,) = [case for case in CASES if case.name == name]
    layers = unfold(case.algorithm(), 3, untied=("*",))
    trained = constrain(jax.tree.map(lambda u: u + 0.1, unconstrain(layers, ("*",))), layers)
    with orbax.checkpoint.StandardCheckpointer() as checkpointer:
        checkpointer.save(tmp_path / "model", jax.tree.leaves(trained))
        checkpointer.wait_until_finished()
        leaves = checkpointer.restore(tmp_path / "model", jax.tree.leaves(layers))
    restored = jax.tree.unflatten(jax.tree.structure(layers), leaves)
    data = case.data(())
    answers = [run(algorithm, data, key=case.key()).output for algorithm in (trained, restored, layers)]
    assert identical(answers[0], answers[1]) and not identical(answers[0], answers[2])

"""Derivatives of every algorithm of the table of cases: right, finite, and the same by every object that gives them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import Checkpointed, OneStep, Plain, Truncated, constrain, run, unconstrain
from dsp_sep.nmf import Activations
from tests.cases import CASES, dictionary, separation, spectrogram
from tests.checks import distance, finite
from tests.each import each, marked

SOME = [case for case in CASES if case.name in ("nmf_sparse", "griffin_lim_best", "misi_ratio")]


def number(tree):
    """A number to differentiate: every entry of a tree counts, and complex ones in both parts."""
    weights = np.random.default_rng(5)
    total = 0.0
    for leaf in jax.tree.leaves(tree):
        for part in (leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,):
            total = total + jnp.sum(part * weights.standard_normal(part.shape).astype(part.dtype))
    return total


def problem(case, steps, **options):
    """A loss of the free parameters of all leaves and all data of a case, and the parameters it starts from."""
    tree = (case.algorithm(), jax.tree.map(jnp.asarray, case.data(())))
    params = unconstrain(tree, ("*",))

    def loss(params):
        algorithm, data = constrain(params, tree)
        return number(run(algorithm, data, steps, key=case.key(), **options).output)

    return loss, params


@each()
def test_gradient_by_finite_differences(case, x64):
    loss, params = problem(case, steps=2)
    rng = np.random.default_rng(6)
    direction = jax.tree.map(lambda u: jnp.asarray(rng.standard_normal(u.shape)), params)

    def at(t):
        return jax.tree.map(lambda d: t * d, direction)

    value_and_gradient = jax.jit(jax.value_and_grad(loss))
    values = [value_and_gradient(at(t))[0] for t in (1e-6, -1e-6)]
    expected = float(values[0] - values[1]) / 2e-6
    gradient = value_and_gradient(params)[1]
    products = jax.tree.leaves(jax.tree.map(lambda g, d: jnp.sum(g * d), gradient, direction))
    assert sum(products) == pytest.approx(expected, rel=1e-5)
    if case in SOME:
        forward = jax.jvp(jax.jit(lambda t: loss(at(t))), (0.0,), (1.0,))[1]
        assert forward == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("case", marked({case.name: case for case in SOME}, {"nmf_sparse"}))
def test_gradient_objects_agree_with_plain(case, x64):
    def value_and_gradient(gradient):
        loss, params = problem(case, steps=5, gradient=gradient)
        return jax.jit(jax.value_and_grad(loss))(params)

    expected = value_and_gradient(Plain())
    for gradient in (Checkpointed(1), Checkpointed(2), Truncated(9)):
        assert distance(value_and_gradient(gradient), expected) < 1e-9


@pytest.mark.parametrize(
    ("gradient", "last"), marked({"truncated": (Truncated(2), 2), "one_step": (OneStep(), 1)}, {"truncated"})
)
def test_truncation_by_hand(gradient, last, x64):
    case = SOME[0]
    tree = (case.algorithm(), jax.tree.map(jnp.asarray, case.data(())))
    loss, params = problem(case, steps=5, gradient=gradient)

    def by_hand(params):
        algorithm, data = constrain(params, tree)
        state = jax.lax.stop_gradient(run(algorithm, data, 5 - last, key=case.key()).state)
        return number(run(algorithm, data, last, state=state, gradient=Plain()).output)

    assert distance(jax.jit(jax.grad(loss))(params), jax.jit(jax.grad(by_hand))(params)) < 1e-9


def hard_data(case):
    """Data on which square roots, phases and quotients have no derivative."""
    data = case.data(())
    yield "silence", jax.tree.map(np.zeros_like, data)
    if isinstance(data, np.ndarray) and np.iscomplexobj(data) and data.ndim == 3 and data.shape[0] > 1:
        yield "a silent channel", data * np.array([1, 0])[:, None, None]
        yield "equal channels", data[:1].repeat(2, 0)
        yield "one frame", data[..., :1]
        yield "a silent frequency", data * (np.arange(data.shape[-2]) != 2)[:, None]
    elif isinstance(data, np.ndarray):
        yield "zeros", np.where(np.random.default_rng(7).random(data.shape) < 0.3, 0, data)
        yield "a silent frame", data * (np.arange(data.shape[-1]) != 2)
        yield "a silent frequency", data * (np.arange(data.shape[-2]) != 2)[:, None]
    else:
        mixture, magnitudes = separation(())
        silent = np.array(magnitudes)
        silent[1] = 0
        zeros = np.random.default_rng(7).random(magnitudes.shape) < 0.3
        yield "a silent source", (mixture, silent)
        yield "zero magnitudes", (mixture, np.where(zeros, 0, magnitudes))
        yield "a silent mixture", (0 * mixture, magnitudes)
        yield "equal channels", (mixture[:1].repeat(2, 0), magnitudes[:, :1].repeat(2, 1))
        one = np.array([1, 0])[:, None, None]
        yield "a silent channel", (mixture * one, magnitudes * one)


@each()
def test_gradient_is_finite_on_hard_data(case):
    algorithm = case.algorithm()

    @jax.jit
    @jax.grad
    def gradient(operands):
        algorithm, data = operands
        return number(run(algorithm, data, 4, key=case.key()).output)

    for name, data in hard_data(case):
        assert finite(gradient((algorithm, jax.tree.map(jnp.asarray, data)))), name


def test_gradient_is_finite_with_empty_components():
    algorithm, V = Activations(dictionary=dictionary()), jnp.asarray(spectrogram())

    @jax.jit
    @jax.grad
    def gradient(W):
        return number(run(dataclasses.replace(algorithm, dictionary=W), V, 4).output)

    assert finite(gradient(algorithm.dictionary.at[:, 0].set(0)))
    assert finite(gradient(jnp.zeros_like(algorithm.dictionary)))

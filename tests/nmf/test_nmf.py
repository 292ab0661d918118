"""Factorisations at their solution, their starts, and what they refuse."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.optimize

from dsp_sep import RelativeChange, Status, run, run_until
from dsp_sep.nmf import (
    NMF,
    Activations,
    Beta,
    Euclidean,
    Factors,
    Given,
    KullbackLeibler,
    Random,
    Sparsity,
    join,
    parts,
    reconstruct,
)
from dsp_sep.nmf.nmf import normalize
from tests.cases import COMPONENTS, FRAMES, FREQUENCIES, dictionary, spectrogram
from tests.checks import distance
from tests.each import marked

V = spectrogram()
KEY = jax.random.key(0)


@pytest.mark.parametrize(
    "divergence", marked({"2": Euclidean, "1": KullbackLeibler, "half": lambda: Beta(0.5)}, always={"1"})
)
def test_first_order_conditions_at_convergence(divergence, x64):
    algorithm = NMF(components=2, divergence=divergence())
    result = run(algorithm, V, 4000, key=KEY)
    observed = algorithm.prepare(jnp.asarray(V))
    gradient = jax.grad(lambda state: algorithm.objective(state, observed))(result.state)
    for factor, slope in zip(result.state, gradient, strict=True):
        scale = jnp.max(jnp.abs(slope)) + algorithm.objective(result.state, observed)
        assert jnp.max(jnp.abs(factor * slope)) < 1e-5 * scale
        assert jnp.min(slope) > -1e-5 * scale
    residual = algorithm.residual(normalize(result.state), observed)
    assert max(jnp.max(jnp.abs(leaf)) for leaf in residual) < 1e-5


def test_euclidean_activations_are_nonnegative_least_squares(x64):
    W = dictionary()
    expected = np.stack([scipy.optimize.nnls(W, v)[0] for v in V.T], axis=1)
    result = run(Activations(dictionary=W, divergence=Euclidean()), V, 20000)
    assert distance(result.output, expected) < 1e-4


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_activations_are_those_of_another_solver(weight, x64):
    W, v = dictionary(), V[:, :1]
    algorithm = Activations(dictionary=W, penalties=(Sparsity(weight),))
    observed = algorithm.prepare(jnp.asarray(v))
    value = jax.jit(jax.value_and_grad(lambda h: algorithm.objective(h[:, None], observed)))
    solution = scipy.optimize.minimize(
        lambda h: tuple(map(np.asarray, value(jnp.asarray(h)))),
        np.ones(COMPONENTS),
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-12, None)] * COMPONENTS,
        options={"ftol": 1e-15, "gtol": 1e-10},
    )
    result = run(algorithm, v, 20000, record=Activations.objective)
    assert result.trace[-1] == pytest.approx(solution.fun, rel=1e-9)
    assert distance(result.output[:, 0], solution.x) < 1e-3


def test_stops_by_the_objective():
    result = run_until(
        NMF(components=COMPONENTS), V, RelativeChange(1e-5, of=NMF.objective, every=5), max_steps=5000, key=KEY
    )
    assert int(result.status) == Status.CONVERGED and int(result.steps) % 5 == 0


def test_random_start_has_the_level_of_the_data():
    V = jnp.full((3, 200, 300), 1.0) * jnp.asarray([1e-6, 1.0, 1e6]).reshape(3, 1, 1)
    algorithm = NMF(components=8)
    start = algorithm.init(algorithm.prepare(V), key=KEY)
    np.testing.assert_allclose(reconstruct(*start).mean((1, 2)) / V[:, 0, 0], 1, rtol=0.1)
    known = Activations(dictionary=start.dictionary[1], start=Random())
    activations = known.init(known.prepare(V), key=KEY)
    np.testing.assert_allclose((start.dictionary[1] @ activations).mean((1, 2)) / V[:, 0, 0], 1, rtol=0.1)


def test_each_batch_item_may_have_a_dictionary():
    W = jnp.stack([dictionary(), dictionary()[::-1]]).astype(jnp.float32)
    data = jnp.asarray(spectrogram((2,)), jnp.float32)
    together = run(Activations(dictionary=W), data, 20).output
    alone = jnp.stack([run(Activations(dictionary=W[i]), data[i], 20).output for i in range(2)])
    assert distance(together, alone) < 1e-5


def test_zeros_stay_and_an_empty_component_is_harmless():
    W = jnp.asarray(dictionary()).at[:, 1].set(0).at[3, 0].set(0)
    start = Given(dictionary=W, activations=jnp.ones((COMPONENTS, FRAMES)))
    factors = run(NMF(components=COMPONENTS, start=start), V, 10).output
    np.testing.assert_array_equal(factors.dictionary == 0, W == 0)
    others = jnp.asarray([0, 2, 3])
    without = Given(dictionary=W[:, others], activations=jnp.ones((3, FRAMES)))
    expected = run(NMF(components=3, start=without), V, 10).output
    assert distance(factors.dictionary[:, others], expected.dictionary) < 1e-5


def test_parts_add_up():
    rng = np.random.default_rng(0)
    dictionaries = [jnp.asarray(rng.random((FREQUENCIES, k)), jnp.float32) for k in (2, 3)]
    W, H = join(dictionaries), jnp.asarray(rng.random((2, 5, FRAMES)), jnp.float32)
    models = parts(W, H, (2, 3))
    assert models.shape == (2, 2, FREQUENCIES, FRAMES)
    assert distance(models.sum(0), reconstruct(jnp.stack([W, W]), H)) < 1e-6
    assert distance(models[1, 0], dictionaries[1] @ H[0, 2:]) < 1e-6
    with pytest.raises(ValueError, match=r"parts: components \(2, 2\) do not add up to the 5 of the dictionary"):
        parts(W, H, (2, 2))
    with pytest.raises(ValueError, match=r"parts: activations have shape \(5, 18\), expected \(..., channels,"):
        parts(W, H[0], (2, 3))


def test_the_dictionary_learns_through_the_iterations(x64):
    W = dictionary()
    target = run(Activations(dictionary=W), V, 30).output
    guess = jnp.asarray(W * np.random.default_rng(0).gamma(20, 1 / 20, W.shape))

    @jax.jit
    def loss(W):
        return jnp.mean((run(Activations(dictionary=W), V, 30).output - target) ** 2)

    before = loss(guess)
    for _ in range(30):
        guess = guess * jnp.exp(-jnp.sign(jax.grad(loss)(guess)) * 0.005)
    assert loss(guess) < 0.5 * before


def test_what_is_refused():
    def message(algorithm, data=V, **options):
        with pytest.raises((ValueError, TypeError)) as error:
            run(algorithm, data, 2, **options)
        return str(error.value)

    nmf = NMF(components=COMPONENTS)
    assert "a random start needs a key: pass key=jax.random.key(seed)" in message(nmf)
    assert "NMF: the spectrogram has shape (18,) and dtype float32, expected real (..., frequency, frames)" in message(
        nmf, V[0], key=KEY
    )
    assert "take abs() of an STFT" in message(nmf, V + 0j, key=KEY)
    assert "dtype int32" in message(nmf, V.astype(np.int32), key=KEY)
    wrong = Activations(dictionary=dictionary().T)
    assert "dictionary has shape (4, 12), expected (frequency, components)" in message(wrong)
    batched = Activations(dictionary=np.ones((3, FREQUENCIES, 2)))
    assert "spectrogram of shape (2, 12, 18)" in message(batched, spectrogram((2,)))
    half = Given(dictionary=dictionary())
    assert "Given: activations of shape (4, 18) is needed here, and none was given" in message(
        dataclasses.replace(nmf, start=half)
    )
    short = Given(dictionary=dictionary(), activations=np.ones((COMPONENTS, 3)))
    assert "Given: activations has shape (4, 3), expected (4, 18)" in message(dataclasses.replace(nmf, start=short))
    with pytest.raises(ValueError, match="NMF: components must be at least 1, got 0"):
        NMF(components=0)
    with pytest.raises(ValueError, match="NMF: order must hold 'dictionary' and 'activations' once each"):
        NMF(components=1, order=("dictionary",))
    with pytest.raises(ValueError, match="Activations: dictionary must be nonnegative"):
        Activations(dictionary=-dictionary())
    with pytest.raises(ValueError, match="Sparsity: weight must be nonnegative, got -1"):
        Sparsity(-1.0)


def test_a_start_with_one_factor_for_all_items():
    data = spectrogram((2,))
    start = Given(dictionary=dictionary(), activations=np.ones((COMPONENTS, FRAMES)))
    together = run(NMF(components=COMPONENTS, start=start), data, 5).output
    assert isinstance(together, Factors) and together.dictionary.shape == (2, FREQUENCIES, COMPONENTS)
    alone = run(NMF(components=COMPONENTS, start=start), data[1], 5).output
    assert distance(jax.tree.map(lambda x: x[1], together), alone) < 1e-5

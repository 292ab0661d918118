"""Variants beside peers and beside the equations of their papers in plain numpy, from stored starts."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.nmf import (
    NMF,
    NNDSVD,
    Activations,
    Beta,
    Convolutive,
    Convolutive2D,
    Energy,
    Euclidean,
    Given,
    ItakuraSaito,
    KMeans,
    KullbackLeibler,
    NNDSVDa,
    Restarts,
    SemiSupervised,
    SparseNMF,
    Structured,
    Weighted,
    join,
    masks,
    parts,
    reconstruct,
)
from tests.checks import distance, finite

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "nmf_variants.npz")
V, W, H = (GOLDEN[name] for name in "VWH")
ITERATIONS, COMPONENTS, KEY = 20, W.shape[1], jax.random.key(0)
DIVERGENCES = {0: ItakuraSaito(), 1: KullbackLeibler(), 2: Euclidean()}


def golden(name):
    return GOLDEN[f"{name}/W"], GOLDEN[f"{name}/H"]


def start():
    return Given(dictionary=W, activations=H)


def test_energy_is_the_ridge_of_scikit_learn(x64):
    algorithm = NMF(components=COMPONENTS, divergence=Euclidean(), start=start(), activations_penalties=(Energy(3.0),))
    assert distance(tuple(run(algorithm, V, ITERATIONS).output), golden("ridge")) < 1e-8


@pytest.mark.parametrize("beta", [0, 1, 2])
def test_convolutive_is_that_of_torchnmf(beta, x64):
    length = GOLDEN["patches"].shape[0]
    activations = np.where(np.arange(H.shape[1]) > H.shape[1] - length, 0, H)
    algorithm = Structured(Convolutive(components=COMPONENTS, length=length), divergence=DIVERGENCES[beta])
    factors = run(algorithm, V, ITERATIONS, state={"dictionary": GOLDEN["patches"], "activations": activations}).output
    # torchnmf adds 1.2e-7 to numerator and denominator in each update
    assert distance((factors["dictionary"], factors["activations"]), golden(f"nmfd_{beta}")) < 2e-6


def test_convolutive_of_length_one_is_nmf(x64):
    plain = run(NMF(components=COMPONENTS, start=start()), V, ITERATIONS).output
    state = {"dictionary": W[None], "activations": H}
    factors = run(Structured(Convolutive(components=COMPONENTS, length=1)), V, ITERATIONS, state=state).output
    assert distance((factors["dictionary"][0], factors["activations"]), tuple(plain)) < 1e-12


def test_convolutive_2d_is_its_equation(x64):
    rng = np.random.default_rng(0)
    W, H = rng.random((2, 9, 3)), rng.random((4, 3, 7))
    expected = np.zeros((9, 7))
    for tau, phi, f, n in np.ndindex(2, 4, 9, 7):
        if f >= phi and n >= tau:
            expected[f, n] += W[tau, f - phi] @ H[phi, :, n - tau]
    model = Convolutive2D(components=3, length=2, shifts=4)
    factors = {"dictionary": jnp.asarray(W), "activations": jnp.asarray(H)}
    assert distance(model(factors), expected) < 1e-14
    assert {name: x.shape for name, x in factors.items()} == model.shapes(9, 7)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0])
def test_sparse_nmf_is_its_equations(beta, x64):
    W_, H_, mu = W / np.linalg.norm(W, axis=0), H * np.linalg.norm(W, axis=0)[:, None], 0.7
    ones = np.ones((len(W), len(W)))
    for _ in range(ITERATIONS):
        Y = W_ @ H_
        H_ = H_ * (W_.T @ (V * Y ** (beta - 2))) / (W_.T @ Y ** (beta - 1) + mu)
        Y = W_ @ H_
        minus, plus = (V * Y ** (beta - 2)) @ H_.T, Y ** (beta - 1) @ H_.T
        W_ = W_ * (minus + W_ * (ones @ (W_ * plus))) / (plus + W_ * (ones @ (W_ * minus)))
        W_ = W_ / np.linalg.norm(W_, axis=0)
    algorithm = SparseNMF(components=COMPONENTS, sparsity=mu, divergence=Beta(beta), start=start())
    assert distance(tuple(run(algorithm, V, ITERATIONS).output), (W_, H_)) < 1e-10


@pytest.mark.parametrize("kind", [NNDSVD, NNDSVDa])
def test_starts_of_scikit_learn(kind, x64):
    algorithm = NMF(components=COMPONENTS, start=kind())
    factors = jax.jit(lambda V: tuple(algorithm.init(algorithm.prepare(V))))(jnp.stack([jnp.asarray(V), V[::-1]]))
    expected = golden(kind.__name__.lower())
    assert distance(tuple(x[0] for x in factors), expected) < 1e-8
    assert distance((factors[0][1, ::-1], factors[1][1]), expected) < 1e-8


def test_k_means_finds_the_shapes_of_clusters():
    rng = np.random.default_rng(0)
    shapes = np.eye(4, 30) + 0.02
    spectra = shapes[rng.integers(4, size=200)].T * rng.gamma(2, 1, 200) + 0.001 * rng.random((30, 200))
    data = jnp.asarray(np.stack([spectra, spectra[:, ::-1]]), jnp.float32)
    algorithm = NMF(components=4, start=KMeans())
    W, H = jax.jit(lambda V, key: algorithm.init(algorithm.prepare(V), key=key))(data, KEY)
    for item in range(2):
        order = np.argmax(W[item], axis=0)
        assert sorted(order) == [0, 1, 2, 3]
        assert (
            distance(W[item][:, np.argsort(order)], (shapes / np.linalg.norm(shapes, axis=1, keepdims=True)).T) < 0.01
        )
    assert distance(W @ H, data) < 0.3 and W.dtype == jnp.float32
    with pytest.raises(ValueError, match="a k-means start needs a key"):
        algorithm.init(algorithm.prepare(data))


def test_more_components_than_singular_vectors_are_refused():
    with pytest.raises(ValueError, match=r"NNDSVD: components must be at most 40 for V of shape \(40, 60\), got 41"):
        run(NMF(components=41, start=NNDSVD()), V, 1)


@pytest.mark.thorough
def test_starts_of_silence_are_finite():
    silence = jnp.zeros((20, 30), jnp.float32)
    for start in (NNDSVD(), NNDSVDa(), KMeans()):
        gradient = jax.jit(jax.grad(lambda V, s=start: run(NMF(components=3, start=s), V, 3, key=KEY).output[0].sum()))
        assert finite(gradient(silence))


def test_restarts_keep_the_best(x64):
    algorithm, data = NMF(components=COMPONENTS), np.stack([V, V[::-1] ** 2])
    restarts = Restarts(algorithm, 3)
    result = run(restarts, data, 30, key=KEY)
    prepared = algorithm.prepare(jnp.asarray(data))
    runs = [run(algorithm, data, 30, key=key).output for key in jax.random.split(KEY, 3)]
    values = np.stack([algorithm.objective(factors, prepared) for factors in runs])
    np.testing.assert_allclose(algorithm.objective(result.output, prepared), values.min(0), rtol=1e-12)
    np.testing.assert_allclose(restarts.objectives(result.state, prepared), values.T, rtol=1e-9)


def test_missing_bins_do_not_count(x64):
    """A column that is missing but for some bins is fitted by these alone; NaN and the rest have no influence."""
    rng = np.random.default_rng(0)
    weights = np.ones_like(V)
    weights[rng.random(V.shape) < 0.3] = 0
    holes = np.where(weights > 0, V, np.nan)
    for divergence in (*DIVERGENCES.values(), Beta(0.5)):
        algorithm = NMF(components=COMPONENTS, divergence=divergence, start=start())
        factors = run(algorithm, Weighted(holes, weights), 10).output
        beta = {ItakuraSaito: 0, KullbackLeibler: 1, Euclidean: 2}.get(type(divergence), 0.5)
        assert distance(tuple(factors), weighted_equations(weights, beta, 10)) < 1e-10
    ones = run(algorithm, Weighted(V, np.ones(V.shape[1])), 10).output
    assert distance(tuple(ones), tuple(run(algorithm, V, 10).output)) < 1e-12
    gradient = jax.jit(jax.grad(lambda V: run(algorithm, Weighted(V, weights), 3).output.dictionary.sum()))(holes)
    assert finite(gradient) and np.all(gradient[weights == 0] == 0)
    with pytest.raises(ValueError, match=r"NMF: weights have shape \(3,\), expected one that broadcasts to \(40, 60\)"):
        run(algorithm, Weighted(V, np.ones(3)), 1)


def weighted_equations(weights, beta, iterations):
    W_, H_ = W, H
    gamma = 1 / (2 - beta) if beta < 1 else 1
    for _ in range(iterations):
        Y = W_ @ H_
        W_ = W_ * (((weights * V * Y ** (beta - 2)) @ H_.T) / ((weights * Y ** (beta - 1)) @ H_.T)) ** gamma
        Y = W_ @ H_
        H_ = H_ * ((W_.T @ (weights * V * Y ** (beta - 2))) / (W_.T @ (weights * Y ** (beta - 1)))) ** gamma
    return W_, H_


def test_semi_supervised_recovers_what_it_does_not_know(x64):
    rng = np.random.default_rng(0)
    known, unknown = rng.gamma(0.3, 1, (40, 3)), rng.gamma(0.3, 1, (40, 2))
    activations = rng.gamma(0.3, 1, (5, 200))
    data = known @ activations[:3] + unknown @ activations[3:]
    factors = run(SemiSupervised(dictionary=known, components=2), data, 2000, key=KEY).output
    np.testing.assert_array_equal(factors.dictionary[:, :3], known)
    models = parts(factors.dictionary, factors.activations[None], (3, 2))[:, 0]
    assert distance(models[0], known @ activations[:3]) < 0.05
    assert distance(models.sum(0), data) < 0.01


def test_semi_supervised_steps_are_those_of_nmf(x64):
    algorithm = SemiSupervised(dictionary=W, components=2)
    observed = algorithm.prepare(jnp.asarray(V))
    state = algorithm.init(observed, key=KEY)
    everything = run(NMF(components=COMPONENTS + 2), V, 1, state=algorithm.readout(state, observed)).output
    one = run(algorithm, V, 1, state=state).output
    assert distance(one.dictionary[:, COMPONENTS:], everything.dictionary[:, COMPONENTS:]) < 1e-12
    held = run(Activations(dictionary=one.dictionary, start=Given(activations=state.activations)), V, 1).output
    assert distance(one.activations, held) < 1e-12


def test_masks_sum_to_the_mixture():
    dictionary = join([jnp.asarray(W[:, :2], jnp.float32), jnp.asarray(W[:, 2:], jnp.float32)])
    activations = jnp.asarray(np.stack([H, 0 * H]), jnp.float32)
    share = masks(dictionary, activations, (2, 3))
    assert share.shape == (2, 2, *V.shape)
    np.testing.assert_allclose(share.sum(0), 1, rtol=1e-6)
    expected = parts(dictionary, activations, (2, 3))[:, 0] / reconstruct(dictionary, activations[0])[None]
    assert distance(share[:, 0], expected) < 1e-6

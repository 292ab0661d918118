"""The EM algorithms: the likelihood never falls, the images sum to the mixture, blocks change nothing."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from dsp_sep import STFT, constrain, data, network, run, unconstrain, unfold
from dsp_sep.spatial import (
    EM,
    Dictionaries,
    Estimated,
    Free,
    GivenCovariances,
    Learned,
    LowRank,
    NestedEM,
    Residual,
    Softmask,
    WienerRefinement,
)
from tests.cases import separation, spectra
from tests.checks import distance, finite
from tests.each import marked


def song(channels=2, real=np.float64):
    """A fifth of a second of the bundled song, at few frequencies, and magnitudes with an error; channels by delays."""
    sources = np.asarray(data.example().sources, np.float64)[:, 0, 60000:68192]
    images = np.stack(
        [[np.roll(s, 7 * j * c) * (1 + 0.3 * c * (j - 1)) for c in range(channels)] for j, s in enumerate(sources)]
    )
    S = np.asarray(STFT(n_fft=32, hop=16).analyze(images), np.complex128)
    magnitudes = np.abs(S) * np.exp(0.3 * np.random.default_rng(0).standard_normal(S.shape))
    return S.sum(0).astype(np.result_type(real, np.complex64)), magnitudes.astype(real)


MODELS = {
    "free": EM(),
    "low_rank": EM(LowRank(components=3)),
    "nested": NestedEM(Free(), exponent=0.0, spatial_steps=2),
}


@pytest.mark.parametrize(
    ("algorithm", "channels"),
    marked(
        {f"{name}-{channels}": (algorithm, channels) for name, algorithm in MODELS.items() for channels in (1, 2, 3)},
        always={"free-1", "low_rank-2"},
    ),
)
def test_the_likelihood_never_falls(algorithm, channels, x64):
    @jax.jit
    def losses(mixture):
        return run(algorithm, mixture, 50, key=jax.random.key(0), record=type(algorithm).objective).trace

    trace = np.asarray(losses(song(channels)))
    assert np.all(np.diff(trace) <= 1e-12 * abs(trace[0]))
    assert trace[-1] < trace[0]


@pytest.mark.thorough
def test_the_likelihood_in_single_precision():
    trace = run(EM(), song(2, np.float32), 50, record=EM.objective).trace
    bins = np.prod(song()[0].shape[1:])
    assert np.all(np.diff(np.asarray(trace, np.float64)) <= 1e-5 * bins)


@pytest.mark.parametrize("channels", [2, pytest.param(4, marks=pytest.mark.thorough)])
def test_sources_with_one_direction_in_single_precision(channels, optimized):
    """What is subtracted from their covariances would leave negative eigenvalues, and then no number at all."""
    rng = np.random.default_rng(0)
    S = rng.standard_normal((2, 2, 1, 16, 60)) * rng.gamma(0.3, 1, (2, 1, 16, 60))
    gains = rng.standard_normal((2, 2, channels, 16, 1))
    images = ((S[0] + 1j * S[1]) * (gains[0] + 1j * gains[1])).astype(np.complex64)

    def look(algorithm, state, data):
        return state.covariances, algorithm.objective(state, data)

    algorithm = NestedEM(start=Estimated(), exponent=0.0)
    covariances, losses = run(algorithm, (images.sum(0), np.abs(images)), 40, record=look).trace
    assert np.all(np.linalg.eigvalsh(covariances) > 0)
    assert losses[-1] < losses[0]
    if channels == 2:  # with more of them the bound on the eigenvalues costs a little likelihood again and again
        assert np.all(np.diff(losses) <= 1e-3 * images[0, 0].size)


@pytest.mark.parametrize(
    "algorithm", marked({"em": EM(), "estimated": EM(start=Estimated()), "nested": NestedEM(Free())}, always={"em"})
)
def test_images_sum_to_the_mixture(algorithm):
    mixture, magnitudes = song(2, np.float32)
    images = run(algorithm, (mixture, magnitudes), 4).output
    assert distance(jnp.sum(images, axis=0), mixture) < 1e-6


@pytest.mark.thorough
@pytest.mark.parametrize(
    "algorithm",
    [NestedEM(LowRank(components=2), spatial_steps=1), WienerRefinement()],
    ids=["NestedEM", "WienerRefinement"],
)
def test_blocks_change_nothing(algorithm, x64):
    operands = jax.tree.map(jnp.asarray, separation())

    def answer(magnitudes, block):
        blocked = dataclasses.replace(algorithm, block=block)
        return run(blocked, (operands[0], magnitudes), 3, key=jax.random.key(0)).output

    def total(magnitudes, block):
        return jnp.sum(jnp.abs(answer(magnitudes, block)))

    whole = jax.jit(answer, static_argnums=1)(operands[1], None)
    assert distance(jax.jit(answer, static_argnums=1)(operands[1], 5), whole) < 1e-10
    expected = jax.jit(jax.grad(total), static_argnums=1)(operands[1], None)
    assert distance(jax.jit(jax.grad(total), static_argnums=1)(operands[1], 5), expected) < 1e-9


def test_given_images_of_one_source_come_back(x64):
    """Where one source has all the power, it is given the whole mixture, but for its share of the noise."""
    mixture, magnitudes = song()
    magnitudes[1:] = 0
    images = run(EM(), (mixture, magnitudes), 2).output
    assert distance(images[0], mixture) < 1e-5


@pytest.mark.thorough
def test_true_model_beats_the_mask(x64):
    """With the powers and covariances that drew the sources, the filter is nearer to these than a mask is."""
    rng = np.random.default_rng(0)
    v = rng.gamma(0.3, 1, (3, 1, 5, 200))
    steering = rng.standard_normal((3, 1, 5, 2, 1)) + 1j * rng.standard_normal((3, 1, 5, 2, 1))
    R = (steering @ steering.conj().swapaxes(-1, -2))[:, 0] + 0.01 * np.eye(2)
    white = (rng.standard_normal((3, 5, 2, 200)) + 1j * rng.standard_normal((3, 5, 2, 200))) / np.sqrt(2)
    images = np.moveaxis(np.linalg.cholesky(R) @ white, 2, 1) * np.sqrt(v)
    algorithm = EM(start=GivenCovariances(R))
    prepared = algorithm.prepare((jnp.asarray(images.sum(0)), jnp.sqrt(jnp.asarray(v))))
    answer = algorithm.readout(algorithm.init(prepared), prepared)
    mask = v / v.sum(0) * images.sum(0)
    assert np.linalg.norm(answer - images) < 0.6 * np.linalg.norm(mask - images)


class Gain(nnx.Module):
    """A small network over frequencies, the same for every frame: magnitudes to magnitudes of all sources."""

    def __init__(self, frequencies, dtype, rngs):
        self.hidden = nnx.Linear(3 * frequencies, 8, param_dtype=dtype, rngs=rngs)
        self.out = nnx.Linear(8, 3 * frequencies, param_dtype=dtype, rngs=rngs)

    def __call__(self, magnitudes):
        frames = jnp.moveaxis(magnitudes[..., 0, :, :], -1, -3)
        features = frames.reshape(*frames.shape[:-2], -1)
        mask = jax.nn.sigmoid(self.out(nnx.relu(self.hidden(features))))
        return magnitudes * jnp.moveaxis(mask.reshape(frames.shape), -3, -1)[..., None, :, :]


def hybrid(dtype):
    return NestedEM(Learned(network(Gain(17, dtype, nnx.Rngs(0)))), spatial_steps=1)


def test_a_network_inside_em_trains(x64):
    layers = unfold(hybrid(np.float64), 3, untied=("exponent", "noise"))
    train = ("spectral.network.params", "exponent", "noise")
    mixture, magnitudes = jax.tree.map(jnp.asarray, separation())
    target = np.asarray(magnitudes) * np.exp(1j * np.angle(mixture))

    def loss(params):
        return jnp.sum(jnp.abs(run(constrain(params, layers), (mixture, magnitudes)).output - target) ** 2)

    params = unconstrain(layers, train=train)
    rng = np.random.default_rng(0)
    direction = jax.tree.map(lambda u: jnp.asarray(rng.standard_normal(u.shape)), params)
    along = jax.jit(lambda t: loss(jax.tree.map(lambda u, d: u + t * d, params, direction)))
    gradient = jax.jit(jax.grad(loss))(params)
    slope = sum(jax.tree.leaves(jax.tree.map(lambda g, d: jnp.sum(g * d), gradient, direction)))
    assert slope == pytest.approx(float((along(1e-6) - along(-1e-6)) / 2e-6), rel=2e-3)
    moved = jax.tree.map(lambda u, g: u - 1e-3 * g / jnp.linalg.norm(g), params, gradient)
    assert loss(moved) < loss(params)
    assert all(np.abs(leaf).max() > 0 for leaf in jax.tree.leaves(gradient))


@pytest.mark.thorough
def test_all_that_em_has_trains_at_once(x64):
    priors = {"isotropy": 0.2, "faith": 0.1}
    algorithm = EM(Dictionaries(dictionary=spectra()), start=Estimated(), noise=0.01, exponent=0.3, **priors)
    untied = ("spectral.dictionary", "noise", "exponent", *priors)
    layers = unfold(algorithm, 2, untied=untied)
    mixture, magnitudes = jax.tree.map(jnp.asarray, separation())
    target = np.asarray(magnitudes) * np.exp(1j * np.angle(mixture))

    @jax.jit
    @jax.value_and_grad
    def loss(params):
        return jnp.mean(jnp.abs(run(constrain(params, layers), (mixture, magnitudes)).output - target) ** 2)

    params = unconstrain(layers, train=("*",))
    before, gradient = loss(params)
    assert len(gradient.values) == len(untied) + 1  # the exponent of the start as well
    for name, leaf in gradient.values.items():
        each = jnp.abs(leaf).reshape(2 if name.split("layers.")[-1] in untied else 1, -1).max(axis=1)
        assert finite(leaf) and jnp.all(each > 0), name
    optimizer = optax.sign_sgd(0.01)
    updates, _ = optimizer.update(gradient, optimizer.init(params))
    assert loss(optax.apply_updates(params, updates))[0] < before


def hard(case):
    mixture, magnitudes = (np.array(x) for x in separation())
    if case == "all silent":
        return 0 * mixture, 0 * magnitudes
    if case == "one source silent":
        magnitudes[1] = 0
    if case == "identical channels":
        mixture[1], magnitudes[:, 1] = mixture[0], magnitudes[:, 0]
    if case == "one channel silent":
        mixture[1], magnitudes[:, 1] = 0, 0
    if case == "one frame":
        return mixture[..., :1], magnitudes[..., :1]
    return mixture, magnitudes


HARD = ("all silent", "one source silent", "identical channels", "one channel silent", "one frame")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "algorithm",
    [
        EM(Dictionaries(dictionary=spectra()), isotropy=0.2, faith=0.1),
        hybrid(np.float32),
        WienerRefinement(start=Residual(Softmask())),
    ],
    ids=["EM", "NestedEM", "WienerRefinement"],
)
def test_gradients_are_finite(algorithm):
    @jax.jit
    @jax.value_and_grad
    def gradient(operands):
        algorithm, mixture = operands
        images = run(unfold(algorithm, 3), mixture).output
        return jnp.sum(jnp.abs(images) ** 2) + jnp.sum(images.real)

    for case in HARD:
        single = tuple(x.astype(np.complex64 if np.iscomplexobj(x) else np.float32) for x in hard(case))
        assert finite(gradient((algorithm, jax.tree.map(jnp.asarray, single)))), case


def test_supervised_dictionaries_find_their_activations(x64):
    rng = np.random.default_rng(1)
    W, H = rng.gamma(0.5, 1, (2, 17, 2)) + 1e-3, rng.gamma(0.5, 1, (2, 2, 30))
    v = (W @ H)[:, None]
    spectral = Dictionaries(dictionary=W, steps=300)
    state = spectral.fit(spectral.start(jnp.asarray(v), None), jnp.asarray(v))
    assert distance(spectral.powers(state), v) < 1e-2


def test_errors_name_what_is_wrong():
    mixture, magnitudes = separation()
    with pytest.raises(ValueError, match=r"EM: magnitudes have shape .* expected real \('sources', '1 or 2', 17, 19\)"):
        run(EM(), (mixture, magnitudes[..., 1:]), 1)
    with pytest.raises(ValueError, match="WienerRefinement: the mixture has shape"):
        run(WienerRefinement(), (magnitudes[0], magnitudes), 1)
    with pytest.raises(ValueError, match="spatial_steps must be at least 1, got 0"):
        NestedEM(spatial_steps=0)
    with pytest.raises(ValueError, match="GivenCovariances: covariances have shape"):
        run(EM(start=GivenCovariances(np.ones((3, 4, 2, 2)))), (mixture, magnitudes), 1)

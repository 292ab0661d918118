"""The gradient of EM at its fixed point against unrolling to convergence; the priors that make for such a point."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import Implicit, RelativeChange, run, run_until
from dsp_sep.iterate import Neumann
from dsp_sep.spatial import EM, Dictionaries, Free, LowRank, NestedEM
from dsp_sep.spatial.isotropy import anisotropy
from tests.checks import distance


def drawn():
    """A mixture of two Gaussian sources in two channels, their magnitudes, and the dictionaries of their powers."""
    rng = np.random.default_rng(0)
    W, H = rng.gamma(1, 1, (2, 3, 1)) + 0.1, rng.gamma(1, 1, (2, 1, 30)) + 0.1
    steering = rng.standard_normal((2, 3, 2, 2)) + 1j * rng.standard_normal((2, 3, 2, 2))
    white = rng.standard_normal((2, 3, 2, 30)) + 1j * rng.standard_normal((2, 3, 2, 30))
    images = np.moveaxis(steering @ white, 2, 1) * np.sqrt(W @ H)[:, None]
    return (jnp.asarray(images.sum(0)), jnp.asarray(np.abs(images))), W


def with_priors(model):
    """EM that converges to an isolated solution, and its data."""
    (mixture, magnitudes), W = drawn()
    spectral = {"free": Free(), "low_rank": LowRank(components=1), "dictionaries": Dictionaries(dictionary=W)}[model]
    return EM(spectral, noise=1e-3, isotropy=0.3, faith=1.0), (mixture, magnitudes)


def loss(images):
    return jnp.sum(jnp.abs(images[0]) ** 2)


def solved(algorithm, operands):
    stop, gradient = RelativeChange(1e-10), Implicit(Neumann(1e-9, 3000))
    result = run_until(algorithm, operands, stop, max_steps=3000, gradient=gradient, key=jax.random.key(0))
    return loss(result.output), result.distance


def unrolled(algorithm, operands):
    return loss(run(algorithm, operands, 900, key=jax.random.key(0)).output)


MODELS = ("free", "low_rank", "dictionaries")


@pytest.mark.thorough
@pytest.mark.parametrize("model", MODELS)
def test_implicit_against_unrolling(model, x64):
    problem = with_priors(model)
    found, left = jax.jit(jax.grad(solved, argnums=(0, 1), has_aux=True))(*problem)
    assert left < 1e-9
    expected = jax.jit(jax.grad(unrolled, argnums=(0, 1)))(*problem)
    assert distance(found, expected) < 1e-5


@pytest.mark.thorough
def test_implicit_under_vmap(x64):
    algorithm, operands = with_priors("free")
    several = jax.tree.map(lambda x: jnp.stack([x, x[..., ::-1], 2 * x]), operands)
    gradient = jax.grad(lambda *problem: solved(*problem)[0], argnums=(0, 1))
    together = jax.jit(jax.vmap(gradient, in_axes=(None, 0)))(algorithm, several)
    gradient = jax.jit(gradient)
    for item in range(3):
        alone = gradient(algorithm, jax.tree.map(lambda x, item=item: x[item], several))
        assert distance(jax.tree.map(lambda x, item=item: x[item], together), alone) < 1e-8


@pytest.mark.parametrize("kind", [EM, pytest.param(NestedEM, marks=pytest.mark.thorough)])
def test_the_likelihood_with_the_priors_never_falls(kind, x64):
    operands, W = drawn()
    algorithm = kind(Dictionaries(dictionary=W), exponent=0.0, noise=1e-3, isotropy=0.2, faith=0.1)
    result = run(algorithm, operands, 100, record=kind.objective)
    trace = np.asarray(result.trace)
    assert np.all(np.diff(trace) <= 1e-13 * trace[0])
    free = run(kind(Dictionaries(dictionary=W), exponent=0.0, noise=1e-3), operands, 100).state
    assert jnp.sum(anisotropy(result.state.covariances)) < 0.5 * jnp.sum(anisotropy(free.covariances))
    eye = jnp.eye(2, dtype=complex)[None]
    np.testing.assert_allclose(anisotropy(jnp.concatenate([3 * eye, eye])), 0, atol=1e-12)


@pytest.mark.thorough
@pytest.mark.parametrize("model", MODELS)
def test_the_scale_that_is_normalised_changes_nothing(model, x64):
    operands, W = drawn()
    spectral = {"low_rank": LowRank(components=2), "dictionaries": Dictionaries(dictionary=W)}
    algorithm = EM(spectral[model]) if model in spectral else EM()
    data = algorithm.prepare(operands)
    state = run(algorithm, operands, 3, key=jax.random.key(0)).state
    same = algorithm.normalize(state)
    assert distance(algorithm.readout(same, data), algorithm.readout(state, data)) < 1e-8
    assert distance(algorithm.normalize(same), same) < 1e-12
    assert (
        distance(algorithm.normalize(algorithm.update(same, data)), algorithm.normalize(algorithm.update(state, data)))
        < 1e-8
    )

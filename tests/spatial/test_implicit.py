"""The gradient of EM at its fixed point against unrolling to convergence; the priors that make for such a point."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import Implicit, RelativeChange, run, run_until
from dsp_sep.iterate import Neumann
from dsp_sep.spatial import EM, Dictionaries, LowRank, NestedEM
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


def test_implicit_against_unrolling(x64):
    operands, _ = drawn()
    algorithm = EM(noise=0.01, isotropy=1.0, faith=3.0)

    def loss(images):
        return jnp.sum(jnp.abs(images[0]) ** 2)

    def solved(*problem):
        stop, gradient = RelativeChange(1e-13), Implicit(Neumann(1e-11, 2000))
        result = run_until(*problem, stop, max_steps=2000, gradient=gradient)
        return loss(result.output), result

    def unrolled(*problem):
        return loss(run(*problem, 700).output)

    found, result = jax.jit(jax.grad(solved, argnums=(0, 1), has_aux=True))(algorithm, operands)
    assert result.distance < 1e-11
    assert distance(found, jax.jit(jax.grad(unrolled, argnums=(0, 1)))(algorithm, operands)) < 1e-5


@pytest.mark.parametrize("kind", [EM, NestedEM])
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


@pytest.mark.parametrize("model", ["free", "low_rank", "dictionaries"])
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

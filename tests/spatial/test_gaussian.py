"""The local Gaussian model beside its definition, matrix by matrix in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.spatial import (
    local_gaussian,
    mixture_covariance,
    negative_log_likelihood,
    normalize_power,
    posterior_mean,
    posterior_power,
    wiener_gain,
)
from dsp_sep.spatial.gaussian import covariance_statistics, lifted, updated_covariances
from tests.checks import distance

FREQUENCIES, FRAMES, SOURCES = 3, 6, 2
NOISE = 0.01


def complex_noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def model(channels, rank=None):
    rng = np.random.default_rng(channels)
    steering = complex_noise(rng, SOURCES, FREQUENCIES, channels, rank or channels)
    R = steering @ steering.conj().swapaxes(-1, -2)
    v = rng.gamma(0.5, 1, (SOURCES, 1, FREQUENCIES, FRAMES)) + 0.01
    return complex_noise(rng, channels, FREQUENCIES, FRAMES), v, R


def by_definition(x, v, R):
    """For every bin: `R_x`, the gains, the images, the posterior moments `R̂_j`, the negative log-likelihood."""
    channels = x.shape[0]
    for f in range(FREQUENCIES):
        for n in range(FRAMES):
            Rc = [v[j, 0, f, n] * R[j, f] for j in range(SOURCES)]
            Rx = sum(Rc) + NOISE * np.eye(channels)
            W = [C @ np.linalg.inv(Rx) for C in Rc]
            c = [G @ x[:, f, n] for G in W]
            second = [np.outer(c[j], c[j].conj()) + (np.eye(channels) - W[j]) @ Rc[j] for j in range(SOURCES)]
            loss = np.linalg.slogdet(Rx)[1] + (x[:, f, n].conj() @ np.linalg.inv(Rx) @ x[:, f, n]).real
            yield f, n, Rx, W, c, second, loss


@pytest.mark.parametrize("channels", [1, 2, 3, pytest.param(5, marks=pytest.mark.thorough)])
def test_by_definition(channels, x64):
    x, v, R = model(channels)
    noise = jnp.asarray(NOISE)
    covariance, gains, images, powers, losses = jax.jit(
        lambda x, v, R: (
            mixture_covariance(v, R, noise),
            wiener_gain(v, R, noise),
            posterior_mean(x, v, R, noise),
            posterior_power(x, v, R, noise),
            negative_log_likelihood(x, v, R, noise),
        )
    )(x, v, R)
    for f, n, Rx, W, c, second, loss in by_definition(x, v, R):
        assert distance(covariance[:, :, f, n], Rx) < 1e-12
        assert distance(gains[..., f, n], np.stack(W)) < 1e-11
        assert distance(images[..., f, n], np.stack(c)) < 1e-11
        z = [np.trace(np.linalg.inv(R[j, f]) @ second[j]).real / channels for j in range(SOURCES)]
        assert distance(powers[:, 0, f, n], np.array(z)) < 1e-9
        assert losses[f, n] == pytest.approx(loss, rel=1e-11)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 0.3])
@pytest.mark.parametrize("channels", [1, 2, pytest.param(4, marks=pytest.mark.thorough)])
def test_covariances_by_definition(channels, exponent, x64):
    x, v, R = model(channels)
    new = v * np.random.default_rng(9).gamma(4, 0.25, v.shape)

    @jax.jit
    def update(x, v, R, new):
        weight = jnp.full((1, 1), exponent)
        return updated_covariances(R, covariance_statistics(x, v, R, jnp.asarray(NOISE), new, weight))

    expected = np.zeros_like(R)
    for f, n, _, _, _, second, _ in by_definition(x, v, R):
        for j in range(SOURCES):
            w = new[j, 0, f, n] ** exponent
            expected[j, f] += w * second[j] / new[j, 0, f, n]
    expected /= (new[:, 0] ** exponent).sum(-1)[..., None, None]
    assert distance(update(x, v, R, new), expected) < 1e-11


def test_images_as_they_are(x64):
    c = complex_noise(np.random.default_rng(0), SOURCES, 2, FREQUENCIES, FRAMES)
    v, R = local_gaussian(c)
    assert distance(v, (np.abs(c) ** 2).mean(1, keepdims=True)) < 1e-14
    outer = np.einsum("jaft,jbft->jfab", c, c.conj())
    assert distance(R, outer / np.asarray(v).sum((1, 3))[..., None, None]) < 1e-14


def test_normalized_power_is_the_same_model(x64):
    _, v, R = model(3)
    R[1, 0] = 0
    normal, S = normalize_power(v, R)
    trace = np.trace(S, axis1=-2, axis2=-1).real
    np.testing.assert_allclose(trace, np.where(np.trace(R, axis1=-2, axis2=-1).real > 0, 3, 0), atol=1e-12)
    assert distance(mixture_covariance(normal, S), mixture_covariance(jnp.asarray(v), jnp.asarray(R))) < 1e-14


def test_singular_covariances_in_single_precision():
    x, v, R = model(3, rank=1)
    x, v, R = x.astype(np.complex64), v.astype(np.float32), R.astype(np.complex64)
    assert np.isfinite(posterior_mean(x, v, R, 1e-7)).all()
    assert np.isfinite(posterior_power(x, v, R, 1e-7)).all()
    # two sources of rank one span two of three dimensions: a mixture in there is given to them
    steering = R[..., 0] / np.sqrt(R[..., :1, 0])
    inside = np.einsum("jfc,jft->cft", steering, np.sqrt(v[:, 0]) * x[:2])
    assert distance(np.sum(posterior_mean(inside, v, R, 1e-5), axis=0), inside) < 1e-2


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("dtype", [np.complex64, np.complex128])
def test_lifted_covariances_by_their_eigenvalues(channels, dtype, x64):
    rng = np.random.default_rng(0)
    x = complex_noise(rng, 50, channels, 1)
    one, eye = x @ x.conj().swapaxes(-1, -2), np.eye(channels)
    R = np.concatenate([one, one - 0.01 * eye, one + eye, 0 * one[:1], eye[None]]).astype(dtype)
    values, vectors = np.linalg.eigh(R.astype(np.complex128))
    least = np.finfo(dtype).eps ** 0.45 * np.maximum(values, 0).mean(-1, keepdims=True)
    expected = (vectors * np.maximum(values, least)[:, None, :]) @ vectors.conj().swapaxes(-1, -2)
    np.testing.assert_allclose(lifted(jnp.asarray(R)), expected, atol=50 * np.finfo(dtype).eps)

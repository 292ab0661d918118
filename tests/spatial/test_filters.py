"""Beamformers beside what defines them; WPE beside nara_wpe."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.spatial import WPE, beamform, covariances, distortion_wiener, gev, mvdr
from tests.checks import distance, finite
from tests.each import marked

with np.load(Path(__file__).parents[1] / "golden" / "wpe.npz") as file:
    GOLDEN = dict(file)


def noise(rng, *shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def scene(channels=3):
    """A target of rank one along `a`, and noise of full rank, at four frequencies."""
    rng = np.random.default_rng(0)
    a, B = noise(rng, 4, channels, 1), noise(rng, 4, channels, channels)
    return a, a @ a.conj().swapaxes(-1, -2), B @ B.conj().swapaxes(-1, -2)


def residual(w, covariance):
    """`wᴴ Φ w`."""
    return np.einsum("fa,fab,fb->f", np.conj(w), covariance, w).real


def test_mvdr_leaves_the_target_and_has_the_least_noise(x64):
    a, target, other = scene()
    w = np.asarray(mvdr(jnp.asarray(target), jnp.asarray(other), reference=1))
    np.testing.assert_allclose(np.einsum("fa,fa->f", w.conj(), a[..., 0]), a[:, 1, 0], rtol=1e-9)
    rng = np.random.default_rng(1)
    for _ in range(20):
        step = noise(rng, 4, 3)
        step -= a[..., 0] * (np.einsum("fa,fa->f", a[..., 0].conj(), step) / (abs(a[..., 0]) ** 2).sum(-1))[:, None]
        assert np.all(residual(w + 0.01 * step, other) > residual(w, other))


def test_wiener_has_the_least_weighted_error(x64):
    _, target, other = scene()
    for weight in (0.3, 1.0, 4.0):
        w = np.asarray(distortion_wiener(jnp.asarray(target), jnp.asarray(other), weight))

        def cost(w, weight=weight):
            return residual(w - np.eye(3)[0], target) + weight * residual(w, other)

        rng = np.random.default_rng(1)
        for _ in range(20):
            assert np.all(cost(w + 0.01 * noise(rng, 4, 3)) > cost(w))


def test_gev_has_the_best_ratio(x64):
    a, target, other = scene()
    wide = target + 0.1 * scene()[2][::-1]
    w = np.asarray(gev(jnp.asarray(wide), jnp.asarray(other)))
    best = residual(w, wide) / residual(w, other)
    np.testing.assert_allclose(best, np.linalg.eigvals(np.linalg.solve(other, wide)).real.max(-1), rtol=1e-9)
    w = np.asarray(gev(jnp.asarray(target), jnp.asarray(other)))
    assert distance(w, np.asarray(mvdr(jnp.asarray(target), jnp.asarray(other)))) < 1e-8
    np.testing.assert_allclose(np.einsum("fa,fa->f", w.conj(), a[..., 0]), a[:, 0, 0], rtol=1e-9)


def test_a_masked_beamformer_enhances(x64):
    rng = np.random.default_rng(2)
    activity = rng.random((4, 400)) < 0.3
    a, _, other = scene()
    speech = np.moveaxis(a, 1, 0) * noise(rng, 4, 400) * activity
    disturbance = 2 * np.moveaxis(np.linalg.cholesky(other) @ noise(rng, 4, 3, 400), 1, 0)
    x, mask = jnp.asarray(speech + disturbance), jnp.asarray(activity.astype(float))
    Phi = covariances(x, mask), covariances(x, 1 - mask)
    w = distortion_wiener(Phi[0] - Phi[1], Phi[1])
    answer = np.asarray(beamform(w, x))
    assert np.linalg.norm(answer - speech[0]) < 0.7 * np.linalg.norm(x[0] - speech[0])


@pytest.mark.parametrize(
    "make", marked({"mvdr": mvdr, "distortion_wiener": distortion_wiener, "gev": gev}, always={"mvdr"})
)
def test_filters_are_finite_on_silence(make):
    silent = jnp.zeros((4, 3, 3), np.complex64)
    one = jnp.ones((4, 3, 3), np.complex64)
    for target, other in ((silent, silent), (one, silent), (silent, one), (one, one)):
        assert finite(make(target, other))
        assert finite(jax.grad(lambda t, o: jnp.sum(make(t, o).real))(target, other))


def test_gradient_of_gev(x64):
    _, target, other = map(jnp.asarray, scene())
    wide, turn = target + 0.1 * other[::-1], other[jnp.array([2, 3, 0, 1])]
    value = jax.jit(lambda t: jnp.sum(jnp.abs(gev(wide + t * turn, other + 0.5 * t * turn) - 1) ** 2))
    np.testing.assert_allclose(jax.grad(value)(0.0), (value(1e-5) - value(-1e-5)) / 2e-5, rtol=1e-7)


def test_wpe_equals_nara_wpe(x64):
    y = run(WPE(taps=3, delay=2), GOLDEN["mixture"], 3).output
    assert distance(y, GOLDEN["nara_wpe/mixture"]) < 1e-7


@pytest.mark.thorough
def test_wpe_is_finite_on_hard_data():
    x = GOLDEN["mixture"].astype(np.complex64)
    gradient = jax.value_and_grad(lambda x: jnp.sum(run(WPE(taps=2, delay=1), x, 2).output.real))
    for hard in (0 * x, x[:1].repeat(2, 0), x * np.array([1, 0], np.float32)[:, None, None], x[..., :1]):
        assert finite(gradient(jnp.asarray(hard)))

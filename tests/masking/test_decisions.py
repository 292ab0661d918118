"""Masks by threshold and by repetition, and robust PCA."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from dsp_sep import run
from dsp_sep.masking import (
    RepetSim,
    RobustPCA,
    SoftThreshold,
    binary,
    ratio,
    similar_frames,
    singular_value_threshold,
    soft_threshold,
)
from tests.checks import distance, finite

V = np.random.default_rng(0).gamma(0.5, 1, (3, 2, 5, 6))


def test_binary_is_the_limit_of_the_ratio_mask():
    masks = binary(jnp.asarray(V, jnp.float32))
    np.testing.assert_array_equal(masks.sum(0), 1)
    np.testing.assert_array_equal(np.argmax(masks, 0), np.argmax(V, 0))
    assert distance(ratio(jnp.asarray(V, jnp.float32), 3000.0), masks) < 1e-3
    np.testing.assert_allclose(binary(jnp.zeros((3, 1, 2, 2))), 1 / 3)
    assert finite(jax.grad(lambda v: binary(v).sum())(jnp.asarray(V)))


def test_soft_threshold_mask_is_its_formula(x64):
    power = V**2
    level = 10 * np.log10(power / (power.sum(0) - power))
    mask = SoftThreshold(threshold=3.0, slope=0.4)
    assert distance(mask(jnp.asarray(V)), 1 / (1 + np.exp(-0.4 * (level - 3)))) < 1e-12
    two = jnp.asarray(V[:2])
    assert distance(SoftThreshold(slope=1.5 * np.log(10) / 20)(two), ratio(two, 1.5)) < 1e-12
    gate = jax.jit(lambda v, t, s: SoftThreshold(threshold=t, slope=s)(v))
    check_grads(gate, (jnp.asarray(V), 3.0, 0.4), 1, modes=("rev",), eps=1e-6)


def test_soft_threshold_mask_is_finite_on_silence():
    silent = jnp.asarray(V * (np.arange(6) > 2) * (np.arange(3) != 1)[:, None, None, None], jnp.float32)
    value, gradient = jax.value_and_grad(lambda v: SoftThreshold()(v).sum())(silent)
    assert finite((value, gradient))
    with pytest.raises(ValueError, match=r"SoftThreshold: magnitudes has shape \(5, 6\)"):
        SoftThreshold()(jnp.ones((5, 6)))


@pytest.mark.parametrize("kind", [np.float64, np.complex128])
def test_soft_threshold_is_a_proximal_map(kind, x64):
    rng = np.random.default_rng(0)
    x = rng.standard_normal(40).astype(kind) * (1 if kind is np.float64 else np.exp(1j * rng.uniform(0, 6, 40)))
    short = np.asarray(soft_threshold(jnp.asarray(x), 0.5))

    def cost(y):
        return 0.5 * abs(y) + abs(y - x) ** 2 / 2

    for step in (1e-3, -1e-3, 1e-3j, -1e-3j)[: 2 if kind is np.float64 else 4]:
        assert np.all(cost(short) <= cost(short + step))
    assert finite(jax.grad(lambda x: abs(soft_threshold(x, 0.5)).sum(), holomorphic=False)(jnp.zeros(3)))


def low_rank_and_sparse():
    rng = np.random.default_rng(0)
    low = rng.standard_normal((60, 3)) @ rng.standard_normal((3, 80))
    sparse = np.where(rng.random((60, 80)) < 0.05, 10 * rng.standard_normal((60, 80)), 0)
    return low, sparse


def test_robust_pca_recovers_exactly(x64):
    low, sparse = low_rank_and_sparse()
    result = run(RobustPCA(), low + sparse, 40, record=RobustPCA.objective)
    assert distance(tuple(result.output), (low, sparse)) < 1e-5 and result.trace[-1] < 1e-7


def test_robust_pca_is_its_equations(x64):
    low, sparse = low_rank_and_sparse()
    data = low + sparse
    weight, spectral = 0.8 / np.sqrt(80), np.linalg.norm(data, 2)
    Y, S, mu = data / max(spectral, abs(data).max() / weight), 0 * data, 1.25 / spectral
    for _ in range(6):
        U, s, Vt = np.linalg.svd(data - S + Y / mu, full_matrices=False)
        L = (U * np.maximum(s - 1 / mu, 0)) @ Vt
        rest = data - L + Y / mu
        S = np.sign(rest) * np.maximum(abs(rest) - weight / mu, 0)
        Y, mu = Y + mu * (data - L - S), 1.3 * mu
    assert distance(tuple(run(RobustPCA(sparsity=0.8, growth=1.3), data, 6).output), (L, S)) < 1e-9


@pytest.mark.thorough
def test_singular_value_threshold_has_derivatives(x64):
    rng = np.random.default_rng(0)
    shorten = jax.jit(singular_value_threshold)
    for shape in ((5, 7), (7, 5)):
        X, threshold = jnp.asarray(rng.standard_normal((2, *shape))), jnp.full((2, 1, 1), 0.8)
        check_grads(shorten, (X, threshold), 1, modes=("rev",), eps=1e-6)
    equal = jnp.eye(5, 7)[None].repeat(2, 0) * 2.0  # all singular values are two
    check_grads(shorten, (equal, jnp.full((2, 1, 1), 0.8)), 1, modes=("rev",), eps=1e-6)
    gradient = jax.grad(lambda X: singular_value_threshold(X, jnp.zeros((1, 1, 1))).sum())
    assert finite(gradient(jnp.zeros((1, 4, 5))))


def repeating(frames=60, period=12):
    rng = np.random.default_rng(0)
    background = np.tile(rng.gamma(0.5, 1, (2, 20, period)), frames // period)
    voice = np.where(rng.random((2, 20, frames)) < 0.05, rng.gamma(2, 1, (2, 20, frames)), 0)
    return background, voice


def test_repet_sim_is_its_definition(x64):
    background, voice = repeating()
    data = background + voice
    flat = data.reshape(-1, data.shape[-1])
    unit = flat / np.linalg.norm(flat, axis=0)
    alike = unit.T @ unit
    expected = np.zeros_like(flat)
    for n in range(flat.shape[1]):
        chosen = []
        for m in [n, *[m for m in np.argsort(-alike[n]) if m != n]]:
            if len(chosen) < 4 and (m == n or alike[n, m] >= 0.3) and all(abs(m - c) >= 5 for c in chosen):
                chosen.append(m)
        expected[:, n] = np.minimum(np.median(flat[:, chosen], axis=1), flat[:, n])
    mask = RepetSim(count=4, similarity=0.3, distance=5)
    assert distance(mask.background(jnp.asarray(data)), expected.reshape(data.shape)) < 1e-12
    masks = mask(jnp.asarray(data))
    assert distance(masks[0] * data, expected.reshape(data.shape)) < 1e-12
    np.testing.assert_allclose(masks.sum(0), 1, rtol=1e-12)


@pytest.mark.thorough
def test_repet_sim_finds_what_repeats():
    background, voice = repeating()
    data = jnp.asarray(background + voice, jnp.float32)
    mask = RepetSim(count=5, distance=6)
    assert distance(mask(data)[0] * data, background) < 0.6 * distance(data, background)
    frames, valid = similar_frames(data.reshape(-1, 60), 5, 0.0, 6)
    np.testing.assert_array_equal(frames[:, 0], np.arange(60))
    assert valid.all() and np.mean((frames - frames[:, :1]) % 12 == 0) > 0.8
    both = mask(jnp.stack([data, 2 * data]))
    assert both.shape == (2, 2, 2, 20, 60) and distance(both[1], both[0]) < 1e-5


@pytest.mark.thorough
def test_repet_sim_has_derivatives(x64):
    data = jnp.asarray(np.random.default_rng(0).gamma(1, 1, (1, 6, 24)))
    mask = RepetSim(count=3, distance=5)
    check_grads(jax.jit(mask.background), (data,), 1, modes=("rev",), eps=1e-7)
    assert finite(jax.jit(jax.grad(lambda v: (mask(v)[0] ** 2).sum()))(0 * data))
    with pytest.raises(ValueError, match=r"RepetSim: magnitude has shape \(6, 24\)"):
        mask(data[0])
    with pytest.raises(ValueError, match="RepetSim: count and distance must be at least 1, got 0 and 86"):
        RepetSim(count=0)

"""Penalties by their derivative, by the definition of a majorising function, and by descent on music."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.nmf import (
    NMF,
    Activations,
    Beta,
    Energy,
    GroupSparsity,
    ItakuraSaitoSmoothness,
    MinimumVolume,
    Orthogonality,
    PNorm,
    Smoothness,
    Sparsity,
)
from dsp_sep.pytree import cast
from tests.checks import distance, finite
from tests.nmf.spectrogram import music

PENALTIES = (
    Sparsity(0.3),
    Energy(0.3),
    PNorm(0.3, 0.5),
    PNorm(0.3, 2.7),
    GroupSparsity(0.3, epsilon=0.1, components=(2, 3)),
    Smoothness(0.3),
    ItakuraSaitoSmoothness(0.3, epsilon=0.01),
    Orthogonality(0.3),
    MinimumVolume(0.3, delta=0.1),
)
each = pytest.mark.parametrize("penalty", PENALTIES, ids=lambda penalty: type(penalty).__name__)
KEY = jax.random.key(0)


def factor(seed=0, shape=(5, 9)):
    return jnp.asarray(np.random.default_rng(seed).gamma(0.7, 1, shape) + 1e-3)


def definition(penalty, H):
    """Each penalty as its formula reads, in loops."""
    components, frames = H.shape
    differences = [(H[:, n - 1], H[:, n]) for n in range(1, frames)]
    weight = float(penalty.weight)
    match penalty:
        case Sparsity():
            return weight * np.abs(H).sum()
        case Energy():
            return weight * np.linalg.norm(H) ** 2 / 2
        case PNorm():
            return weight * np.linalg.norm(H.ravel(), float(penalty.p)) ** float(penalty.p) / float(penalty.p)
        case GroupSparsity():
            return weight * sum(np.log(0.1 + H[g, n].sum()) for g in (slice(0, 2), slice(2, 5)) for n in range(frames))
        case Smoothness():
            return weight * sum(((a - b) ** 2).sum() for a, b in differences) / 2
        case ItakuraSaitoSmoothness():
            ratios = [(a + 0.01) / (b + 0.01) for a, b in differences]
            return weight * sum((r - np.log(r) - 1).sum() for r in ratios)
        case Orthogonality():
            return weight * sum(H[j] @ H[k] for k in range(components) for j in range(k))
        case MinimumVolume():
            return weight * np.log(np.linalg.det(H @ H.T + 0.1 * np.eye(components)))


@each
def test_value_and_derivative(penalty, x64):
    penalty, H = cast(penalty, jnp.float64), factor()
    assert float(penalty.value(H)) == pytest.approx(float(definition(penalty, np.asarray(H))), rel=1e-6)
    negative, positive = penalty.parts(H)
    assert np.all(np.asarray(negative) >= 0) and np.all(np.asarray(positive) >= 0)
    slope = jnp.broadcast_to(jnp.asarray(positive) - jnp.asarray(negative), H.shape)
    assert distance(slope, jax.grad(penalty.value)(H)) < 1e-6
    batch = jnp.stack([H, 2 * H])
    assert distance(penalty.value(batch), jnp.stack([penalty.value(H), penalty.value(2 * H)])) < 1e-12
    loop = jnp.stack([penalty.parts(x)[1] + 0 * x for x in (H, 2 * H)])
    assert distance(penalty.parts(batch)[1] + 0 * batch, loop) < 1e-12


@each
def test_degrees_majorise(penalty, x64):
    """`value(H) + Σ positive H̃ (rᵃ - 1)/a - negative H̃ (rᵇ - 1)/b`, the definition, from near and far."""
    penalty, H = cast(penalty, jnp.float64), factor()
    negative, positive = (np.broadcast_to(np.asarray(part), H.shape) for part in penalty.parts(H))
    a, b = (float(degree) for degree in penalty.degrees)
    for seed in range(200):
        spread = 10.0 ** (seed % 5 - 3)
        r = np.exp(spread * np.random.default_rng(seed).standard_normal(H.shape))
        bound = positive * H * (r**a - 1) / a
        if negative.any():
            bound = bound - negative * H * (np.log(r) if b == 0 else (r**b - 1) / b)
        value = penalty.value(H) + bound.sum()
        assert penalty.value(H * r) <= value + 1e-12 * abs(value)


@pytest.mark.thorough
@pytest.mark.parametrize(("dtype", "betas"), [(np.float32, (0.5, 2.5)), (np.float64, (2.5,))], ids=["single", "double"])
def test_objective_never_rises_on_music(dtype, betas):
    """Penalties three by three, on `W` and on `H`, while both factors are learned, with silence in `V`."""

    @jax.jit
    def trace(algorithm, V):
        return run(algorithm, V, 200, key=KEY, record=NMF.objective).trace

    V = music(silent=True).astype(dtype)
    tolerance = 1e-13 if dtype == np.float64 else 3e-6
    with jax.enable_x64(dtype == np.float64):
        for penalties, beta in itertools.product((PENALTIES[first::3] for first in range(3)), betas):
            algorithm = NMF(
                components=5,
                divergence=Beta(beta),
                dictionary_penalties=penalties,
                activations_penalties=penalties,
            )
            values = np.asarray(trace(algorithm, V), float)
            assert np.all(np.diff(values) <= tolerance * np.abs(values[:-1]))
            assert values[-1] < values[0]


@pytest.mark.parametrize(
    "penalty",
    [p if isinstance(p, (Sparsity, PNorm)) else pytest.param(p, marks=pytest.mark.thorough) for p in PENALTIES],
    ids=lambda penalty: type(penalty).__name__,
)
def test_gradients_are_finite_on_silence(penalty):
    V = jnp.asarray(music(frames=12, silent=True), jnp.float32)
    start = Activations(dictionary=factor(1, (V.shape[0], 5)).at[:, 2].set(0), penalties=(penalty,))

    @jax.jit
    @jax.grad
    def gradient(operands):
        algorithm, V = operands
        return jnp.sum(run(algorithm, V, 5).output ** 2)

    assert finite(gradient((start, V)))
    assert finite(gradient((start, 0 * V)))

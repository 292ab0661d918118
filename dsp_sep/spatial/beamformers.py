"""Beamformers from spatial covariances: one filter a frequency, the same at all times.

Shapes: covariances of what is wanted and of all else, Hermitian, `(..., frequency, channels, channels)`, such as
`covariances` gives for a mask; filters `w` `(..., frequency, channels)`; the answer is `wᴴ x`. A little of its trace is
added to what is inverted, so that silence and identical channels are safe.
"""

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import divide, expand, matmul, scale, tiny, transpose
from .demixing import regular, weighted_covariances
from .eigenvalues import eigenvalues


def covariances(mixture: Array, mask: Array) -> Array:
    """`Σ_n m x xᴴ / Σ_n m`, `(..., frequency, channels, channels)`.

    Args:
        mixture: complex, `(..., channels, frequency, frames)`.
        mask: nonnegative, `(..., frequency, frames)`: how much of each bin is to count.
    """
    weights = divide(mask, jnp.mean(mask, axis=-1, keepdims=True))
    return weighted_covariances(mixture, jnp.expand_dims(weights, -3))[..., 0, :, :, :]


def beamform(filters: Array, mixture: Array) -> Array:
    """`wᴴ x`, `(..., frequency, frames)` of a mixture `(..., channels, frequency, frames)`."""
    rows = jnp.expand_dims(jnp.conj(filters), -2)
    return matmul(rows, jnp.moveaxis(mixture, -3, -2))[..., 0, :]


def mvdr(target: Array, noise: Array, reference: int = 0) -> Array:
    """The least noise of all filters that leave the target at a channel as it is (Souden, Benesty and Affes, 2010).

    `w = Φ_n⁻¹ Φ_s e / tr(Φ_n⁻¹ Φ_s)`; without distortion where the target has rank one.
    """
    ratio = jnp.linalg.solve(regular(noise), target)
    trace = jnp.trace(ratio, axis1=-2, axis2=-1).real
    return scale(jnp.expand_dims(divide(jnp.ones_like(trace), trace), -1), ratio[..., reference])


def distortion_wiener(target: Array, noise: Array, weight: Array | float = 1.0, reference: int = 0) -> Array:
    """The speech-distortion weighted multichannel Wiener filter, `w = (Φ_s + μ Φ_n)⁻¹ Φ_s e` (Doclo et al., 2007).

    Args:
        target: `Φ_s`.
        noise: `Φ_n`.
        weight: `μ`, positive, `()`: 1 for the least error, more for less noise and more distortion.
        reference: the channel whose target is wanted.
    """
    weight = expand(jnp.asarray(weight, noise.real.dtype), noise.ndim)
    return jnp.linalg.solve(regular(target + scale(weight, noise)), target)[..., reference]


def gev(target: Array, noise: Array) -> Array:
    """The largest ratio of target to noise, `w` the principal solution of `Φ_s w = λ Φ_n w` (Warsitz, 2007).

    Its scale and phase at every frequency are such that `w = Φ_n⁻¹ a` for a target of rank one along
    `a = Φ_n w`, scaled to leave that target at the first channel as it is.
    """
    L = jnp.linalg.cholesky(regular(noise))
    half = jnp.linalg.solve(L, target)
    white = jnp.linalg.solve(L, jnp.conj(transpose(half)))
    white = scale(jnp.asarray(0.5, white.real.dtype), white + jnp.conj(transpose(white)))
    w = jnp.linalg.solve(jnp.conj(transpose(L)), _principal(white))
    first = matmul(noise, w)[..., 0, :]
    energy = matmul(jnp.conj(transpose(w)), matmul(noise, w))[..., 0].real
    return jnp.conj(first) * w[..., 0] / jnp.maximum(energy, tiny(energy.dtype)).astype(w.dtype)


@jax.custom_jvp
def _principal(A: Array) -> Array:
    """The eigenvector `(..., channels, 1)` of the largest eigenvalue, with no derivative towards others as large."""
    return eigenvalues(A)[1][..., -1:]


@_principal.defjvp
def _principal_jvp(primals, tangents):
    (A,), (dA,) = primals, tangents
    values, vectors = eigenvalues(A)
    u = vectors[..., -1:]
    gaps = jnp.expand_dims(values[..., -1:] - values, -1)
    moved = matmul(jnp.conj(transpose(vectors)), matmul(dA, u))
    return u, matmul(vectors, scale(divide(jnp.ones_like(gaps), gaps), moved))

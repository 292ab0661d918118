"""A prior that keeps spatial covariances regular, whatever their scale.

The anisotropy of a covariance, `log det R + I log (tr R⁻¹ / I)` for `I` channels, is zero where all its eigenvalues are
equal, infinite where one of them is zero, and blind to its scale: an inverse Wishart prior around the multiple of the
identity that suits `R` best. By the concavity of the logarithm it lies below `log det R + h tr R⁻¹`, but for a
constant, `h = I / tr R̃⁻¹` of the present `R̃`; so the update `R ← (R + ρ h 1) / (1 + ρ)` of an EM step lowers the sum.
"""

import jax.numpy as jnp
from jax import Array

from ..numerics import scale
from .demixing import inverse, regular


def harmonic_mean(covariances: Array) -> Array:
    """Of the eigenvalues, `h = I / tr R⁻¹`, `(...)` for `(..., channels, channels)`."""
    return covariances.shape[-1] / jnp.trace(inverse(regular(covariances)), axis1=-2, axis2=-1).real


def anisotropy(covariances: Array) -> Array:
    """`log det (R / h)`, not negative, `(...)`."""
    logarithm = jnp.linalg.slogdet(regular(covariances))[1]
    return logarithm - covariances.shape[-1] * jnp.log(harmonic_mean(covariances))


def shrunk(moved: Array, before: Array, weight: Array) -> Array:
    """`(R + ρ h 1) / (1 + ρ)`, with the `h` of the covariances before the update.

    Args:
        moved: `R`, what the data say, `(..., channels, channels)`.
        before: of the same shape.
        weight: `ρ`, `()`.
    """
    count = moved.shape[-1]
    eye = jnp.eye(count, dtype=moved.real.dtype).reshape((1,) * (moved.ndim - 2) + (count, count))
    target = jnp.expand_dims(weight * harmonic_mean(before), (-2, -1)) * eye
    return scale(1 / (1 + weight), moved + target.astype(moved.dtype))

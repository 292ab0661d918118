"""Losses: what is small when a separation is good, finite with finite gradients everywhere."""

import jax.numpy as jnp
from jax import Array

from ..numerics import tiny


def negative_sdr(reference: Array, estimate: Array, *, ceiling: float = 60.0) -> Array:
    """The negative signal-to-distortion ratio in dB, `10 log10((Σ (s - ŝ)² + ε) / (Σ s² + ε))`, channels pooled.

    Where the reference is silent, or the estimate nearly perfect, it levels out: `ε` is the energy of the loudest
    reference in the batch item, `ceiling` dB lower, so that no loss is below `-ceiling`.

    Args:
        reference: the true images, `(..., sources, channels, samples)`.
        estimate: the estimated ones, of the same shape.
        ceiling: dB, positive.

    Returns:
        dB, `(..., sources)`; lower is better.

    Raises:
        ValueError: for shapes that differ.
    """
    if reference.shape != estimate.shape or reference.ndim < 3:
        raise ValueError(
            f"negative_sdr: reference {reference.shape} and estimate {estimate.shape} must both be "
            f"(..., sources, channels, samples)"
        )
    energy = jnp.sum(reference**2, axis=(-2, -1))
    error = jnp.sum((reference - estimate) ** 2, axis=(-2, -1))
    lowest = jnp.maximum(jnp.max(energy, axis=-1, keepdims=True) * 10 ** (-ceiling / 10), tiny(energy.dtype))
    return 10 * jnp.log10((error + lowest) / (energy + lowest))

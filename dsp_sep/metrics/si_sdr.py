"""The scale-invariant signal-to-distortion ratio."""

import jax
import jax.numpy as jnp
from jax import Array

from .ratios import check, decibels


@jax.jit
def si_sdr(reference: Array, estimate: Array) -> Array:
    """The scale-invariant signal-to-distortion ratio of every signal, each channel on its own.

    `10 log10(|α s|² / |α s - ŝ|²)` with `α = <ŝ, s> / |s|²`: the reference s is scaled to fit the estimate ŝ best. The
    mean is not removed. In float32 right to 0.01 dB up to 60 dB and more.

    Args:
        reference: the true signals, (..., samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...). NaN where the reference is silent, +inf for a perfect estimate, -inf for one that is silent or
        has nothing of the reference in it. Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes (a last axis shorter than the one before it), no floats.

    Source: J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019, eq. 4. Not
    for several channels as one image (it forgives another gain in each): use `sdr`.
    """
    reference, estimate = check("si_sdr", reference, estimate, "samples")
    energy = jnp.sum(reference**2, axis=-1, keepdims=True)
    silent = energy == 0
    alpha = jnp.sum(estimate * reference, axis=-1, keepdims=True) / jnp.where(silent, 1, energy)
    target = alpha * reference
    value = decibels(jnp.sum(target**2, axis=-1), jnp.sum((target - estimate) ** 2, axis=-1))
    return jnp.where(silent[..., 0], jnp.nan, value)

"""Ratios of energies, in decibels: what every measure here is made of."""

import jax.numpy as jnp
from jax import Array


def decibels(signal: Array, noise: Array) -> Array:
    """`10 log10(signal / noise)` of two energies: +inf without noise, -inf without signal.

    Where it is infinite its derivatives are zero.
    """
    finite = (signal > 0) & (noise > 0)
    ratio = jnp.where(finite, signal, 1) / jnp.where(finite, noise, 1)
    return jnp.where(finite, 10 * jnp.log10(ratio), jnp.where(signal > 0, jnp.inf, -jnp.inf))


def check(name: str, reference: Array, estimate: Array, axes: str, *, samples: bool = True) -> tuple[Array, Array]:
    """The two as arrays, after their shapes were checked against `axes`, the names of the last axes.

    With `samples` the last axis must be the longest of these.

    Raises:
        ValueError: shapes that differ, too few axes, a last axis that cannot be samples, no floats.
    """
    reference, estimate = jnp.asarray(reference), jnp.asarray(estimate)
    if reference.shape != estimate.shape:
        raise ValueError(f"{name}: reference {reference.shape} and estimate {estimate.shape} must have one shape")
    if not all(jnp.issubdtype(signal.dtype, jnp.floating) for signal in (reference, estimate)):
        raise ValueError(f"{name}: expected floating-point signals, got {reference.dtype} and {estimate.dtype}")
    shape = reference.shape
    if len(shape) < axes.count(",") + 1 or 0 in shape:
        raise ValueError(f"{name}: expected signals of shape (..., {axes}), got {shape}")
    if samples and shape[-1] < max(shape[-max(axes.count(",") + 1, min(len(shape), 2)) :]):
        raise ValueError(f"{name}: expected signals of shape (..., {axes}), got {shape}: are two axes swapped?")
    return reference, estimate

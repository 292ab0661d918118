"""Ratios of energies, in decibels: what every measure here is made of."""

import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.typing import ArrayLike


def decibels(signal: Array, noise: Array) -> Array:
    """`10 log10(signal / noise)` of two energies: +inf without noise, -inf without signal.

    Where it is infinite its derivatives are zero.
    """
    finite = (signal > 0) & (noise > 0)
    ratio = jnp.where(finite, signal, 1) / jnp.where(finite, noise, 1)
    return jnp.where(finite, 10 * jnp.log10(ratio), jnp.where(signal > 0, jnp.inf, -jnp.inf))


def check(
    name: str, reference: ArrayLike, estimate: ArrayLike, axes: str, *, samples: bool = True
) -> tuple[Array, Array]:
    """The two as arrays, after `check_shapes`."""
    reference, estimate = jnp.asarray(reference), jnp.asarray(estimate)
    check_shapes(name, reference, estimate, axes, samples=samples)
    return reference, estimate


def check_shapes(
    name: str, reference: Array | np.ndarray, estimate: Array | np.ndarray, axes: str, *, samples: bool = True
) -> None:
    """Checks two signals against `axes`, the names of their last axes; with `samples` the last must be the longest.

    Raises:
        ValueError: shapes that differ, too few axes, a last axis that cannot be samples, no floats.
    """
    if reference.shape != estimate.shape:
        raise ValueError(f"{name}: reference {reference.shape} and estimate {estimate.shape} must have one shape")
    if not all(jnp.issubdtype(signal.dtype, jnp.floating) for signal in (reference, estimate)):
        raise ValueError(f"{name}: expected floating-point signals, got {reference.dtype} and {estimate.dtype}")
    shape, count = reference.shape, axes.count(",") + 1
    if len(shape) < count or 0 in shape:
        raise ValueError(f"{name}: expected signals of shape (..., {axes}), got {shape}")
    if samples and shape[-1] < max(shape[-max(count, 2) :]):
        raise ValueError(f"{name}: expected signals of shape (..., {axes}), got {shape}: are two axes swapped?")

"""How much better than the mixture."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .ratios import check


def improvement(measure: Callable[[Array, Array], Any], reference: Array, estimate: Array, mixture: Array) -> Any:
    """The measure of the estimates less that of the mixture, taken for each of them: SI-SDRi, SDRi and so on.

    Args:
        measure: of (reference, estimate): a function of this room, with what else it needs bound by `partial`.
        reference: the true sources, (..., sources, channels, samples).
        estimate: the estimated ones, of the same shape.
        mixture: what they were separated from, (..., channels, samples).

    Returns:
        As the measure: decibels, or a tuple of them (the order of the sources is that of the estimates). NaN where
        both are infinite.

    Raises:
        ValueError: shapes that differ, or what the measure refuses.
    """
    reference, estimate = check("improvement", reference, estimate, "sources, channels, samples")
    mixture = jnp.asarray(mixture)
    if mixture.shape != reference.shape[:-3] + reference.shape[-2:]:
        raise ValueError(f"improvement: mixture {mixture.shape} is not a mixture of references {reference.shape}")
    before = measure(reference, jnp.broadcast_to(jnp.expand_dims(mixture, -3), reference.shape))
    after = measure(reference, estimate)
    return jax.tree.map(lambda a, b: a - b if jnp.issubdtype(a.dtype, jnp.floating) else a, after, before)

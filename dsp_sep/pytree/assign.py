"""Leaves set by name."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .leaves import describe, select


def assign(tree: Any, values: Mapping[str, Any]) -> Any:
    """The tree with other values for the named leaves: one point of a grid, or a schedule over layers.

    Args:
        tree: an algorithm, an `Unfolded`, or any pytree that holds some.
        values: by dotted name (globs and names of parts too), a number or an array that broadcasts to the leaf.

    Raises:
        ValueError: for a name that matches nothing, a shape that does not fit, or a value outside the leaf's domain.
    """
    chosen = {name: value for pattern, value in values.items() for name in select(tree, (pattern,))}
    leaves = [_set(leaf, chosen[leaf.name]) if leaf.name in chosen else leaf.value for leaf in describe(tree)]
    return jax.tree.unflatten(jax.tree.structure(tree), leaves)


def _set(leaf: Any, value: Any) -> Any:
    value = jnp.asarray(value, leaf.value.dtype)
    try:
        value = jnp.broadcast_to(value, leaf.value.shape)
    except ValueError:
        raise ValueError(f"{leaf.name} has shape {leaf.value.shape}, got {value.shape}") from None
    if not isinstance(value, jax.core.Tracer) and not leaf.domain.contains(np.asarray(value)):
        raise ValueError(f"{leaf.name} must be {leaf.domain.expected}")
    return value

"""The precision of a run."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

DTYPES = ("float32", "float64")


def in_precision(tree: Any, dtype: str) -> Any:
    """Problems are in single precision; these are their arrays in the one that is asked for."""
    if dtype == "float32":
        return tree

    def double(leaf: Any) -> Any:
        kind = getattr(leaf, "dtype", None)
        if kind is None or not jnp.issubdtype(kind, jnp.inexact):
            return leaf
        return leaf.astype(np.complex128 if jnp.issubdtype(kind, jnp.complexfloating) else np.float64)

    return jax.tree.map(double, tree)

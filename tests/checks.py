"""Trees of arrays compared."""

from typing import Any

import jax
import numpy as np


def distance(actual: Any, expected: Any) -> float:
    """The largest distance, relative to the norm of the array, between the leaves of two trees of one structure."""
    assert jax.tree.structure(actual) == jax.tree.structure(expected)
    return max(map(_distance, jax.tree.leaves(actual), jax.tree.leaves(expected)))


def _distance(actual: Any, expected: Any) -> float:
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    norm = np.linalg.norm(expected.ravel())
    return float(np.linalg.norm((actual - expected).ravel()) / (norm if norm > 0 else 1))


def identical(actual: Any, expected: Any) -> bool:
    """Whether two trees hold the same numbers, to the last bit."""
    return all(map(np.array_equal, jax.tree.leaves(actual), jax.tree.leaves(expected)))


def finite(tree: Any) -> bool:
    """Whether no leaf of a tree holds a NaN or an infinity."""
    return all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(tree))

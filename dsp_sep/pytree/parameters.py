"""Hyperparameters as free numbers for an optimiser, and back."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from jax import Array

from .decorator import hyper, node
from .domains import Fixed
from .leaves import describe, select


@node
class Free:
    """The free parameters of some leaves of a tree, by name; zero is the value they start from.

    A pytree for optax: take gradients of it, update it, save it. `constrain` turns it into the tree it stands for.
    """

    values: dict[str, Array] = hyper(kw_only=False)


def unconstrain(tree: Any, train: Sequence[str]) -> Free:
    """Free parameters for the named leaves, all zero.

    Args:
        tree: an algorithm, an `Unfolded`, or any pytree that holds some.
        train: dotted names of leaves with globs, or of parts that have leaves below them (`names(tree)` lists them).
            What is not named does not move; leaves of a fixed domain are passed over by globs.

    Raises:
        ValueError: for a name that matches nothing; for a leaf that could never move, such as a nonnegative one that
            is zero as a whole, or a fixed one that is named outright.
    """
    chosen, values = select(tree, train), {}
    for leaf in describe(tree):
        if leaf.name not in chosen:
            continue
        if not isinstance(leaf.value, jax.core.Tracer) and leaf.domain.stuck(np.asarray(leaf.value)):
            if isinstance(leaf.domain, Fixed) and leaf.name not in train:
                continue
            raise ValueError(
                f"{leaf.name} cannot be trained: its domain is {type(leaf.domain).__name__} and no free parameter "
                f"moves the value it starts from; start it elsewhere or leave it out of `train`"
            )
        values[leaf.name] = leaf.domain.free(leaf.value)
    return Free(values)


def constrain(params: Free, tree: Any) -> Any:
    """The tree that free parameters stand for: the leaves they name moved within their domains, all else as it is.

    Args:
        params: what `unconstrain(tree, ...)` gave, or what an optimiser made of it.
        tree: the tree that they were taken from (the values the training starts from).

    Raises:
        TypeError: if the first argument is not a `Free`.
        ValueError: if it names leaves that the tree does not have.
    """
    if not isinstance(params, Free):
        raise TypeError(f"constrain takes what unconstrain returned as its first argument, got {type(params).__name__}")
    leaves = describe(tree)
    unknown = params.values.keys() - {leaf.name for leaf in leaves}
    if unknown:
        raise ValueError(f"the tree has no leaf named {', '.join(sorted(unknown))}")
    moved = [
        leaf.domain.value(params.values[leaf.name], leaf.value) if leaf.name in params.values else leaf.value
        for leaf in leaves
    ]
    return jax.tree.unflatten(jax.tree.structure(tree), moved)

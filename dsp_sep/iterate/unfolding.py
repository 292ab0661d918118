"""Iterations as layers, each with values of its own."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp

from ..pytree import combine, hyper, names, node, partition, static
from ..pytree.leaves import select


@node
class Unfolded:
    """An algorithm whose iterations are layers; made by `unfold`, driven by `run`.

    Its leaves have the names they have in the algorithm: untied ones with a leading axis of length `depth`, the others
    shared by all layers. So a schedule is an `Unfolded` nobody trains: `unconstrain`, `constrain` or
    `dataclasses.replace` set the values.

    Attributes:
        layers: the algorithm with the untied leaves, stacked, and `None` for all others.
        shared: the algorithm with all other leaves, and `None` for the untied ones.
        depth: the number of layers.
    """

    layers: Any = hyper(transparent=True)
    shared: Any = hyper(transparent=True)
    depth: int = static()

    def __len__(self) -> int:
        return self.depth

    def __getitem__(self, index: int) -> Any:
        """Layer `index` as a plain algorithm."""
        if not -self.depth <= index < self.depth:
            raise IndexError(f"layer {index} of an Unfolded of depth {self.depth}")
        return combine(jax.tree.map(lambda leaf: leaf[index], self.layers), self.shared)

    def prepare(self, data: Any) -> Any:
        """The data as all layers share it; the algorithm finds no value in its untied leaves."""
        untied = [_Untied(name) for name in names(self.layers)]
        return combine(jax.tree.unflatten(jax.tree.structure(self.layers), untied), self.shared).prepare(data)


class _Untied:
    """What stands for an untied leaf where there is no layer: it says so to whoever reads it."""

    def __init__(self, name: str):
        self.name = name

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute != "__jax_array__":
            raise AttributeError(attribute)
        raise TypeError(f"{self.name} differs from layer to layer, and is read before the first one (in `prepare`)")


def unfold(algorithm: Any, depth: int, *, untied: Sequence[str] = ()) -> Unfolded:
    """Unfold an algorithm into `depth` layers. Untrained, they are its first `depth` iterations.

    Args:
        algorithm: a plain algorithm.
        depth: the number of layers, at least 1.
        untied: dotted names, with globs, of the leaves that each layer has for itself (`dsp_sep.names` lists them).

    Raises:
        ValueError: for a depth below 1, or a name that matches nothing.
        TypeError: for an `Unfolded`, whose layers have a layer axis already.
    """
    if isinstance(algorithm, Unfolded):
        raise TypeError("unfold takes a plain algorithm, got an Unfolded: unfold `unfolded[k]` instead")
    if depth < 1:
        raise ValueError(f"depth must be at least 1, got {depth}")
    own, shared = partition(algorithm, select(algorithm, untied))
    layers = jax.tree.map(lambda leaf: jnp.repeat(jnp.expand_dims(leaf, 0), depth, axis=0), own)
    return Unfolded(layers=layers, shared=shared, depth=depth)

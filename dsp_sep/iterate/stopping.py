"""When an iteration stops, as objects."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


@dataclasses.dataclass(frozen=True)
class RelativeChange:
    """Stop once something has changed by less than `tolerance`, relative to itself, over `every` iterations.

    The change is `‖value - previous‖ ≤ tolerance · ‖previous‖`, with the norm over all entries (and batch items)
    together.

    Attributes:
        tolerance: a positive number.
        of: a function of (algorithm, state, data), such as `NMF.objective`; `None` for the state itself. Phases go on
            moving where the objective has settled; an objective costs about an iteration. A function written in place
            traces again at every call of a driver.
        every: how many iterations lie between two looks.
    """

    tolerance: float
    of: Callable[[Any, Any, Any], Any] | None = None
    every: int = 1

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise ValueError(f"RelativeChange: tolerance must be positive, got {self.tolerance}")
        if self.every < 1:
            raise ValueError(f"RelativeChange: every must be at least 1, got {self.every}")

    def measure(self, algorithm: Any, state: Any, data: Any) -> Any:
        """What is compared between two looks."""
        return state if self.of is None else self.of(algorithm, state, data)

    def holds(self, value: Any, previous: Any) -> Array:
        """Whether the change from `previous` to `value` is small enough."""
        change = jax.tree.map(lambda new, old: new - old, value, previous)
        return norm(change) <= self.tolerance * norm(previous)


def norm(tree: Any) -> Array:
    """The Euclidean norm of all inexact leaves; no square overflows or underflows on the way."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    parts = [part for leaf in leaves for part in ((leaf.real, leaf.imag) if jnp.iscomplexobj(leaf) else (leaf,))]
    largest = functools.reduce(jnp.maximum, [jnp.max(jnp.abs(part), initial=0) for part in parts])
    unit = jnp.where(largest > 0, largest, 1)
    return unit * jnp.sqrt(sum(jnp.sum((part / unit) ** 2) for part in parts))

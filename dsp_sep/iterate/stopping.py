"""When an iteration stops, as objects."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import square_magnitude


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
        return jnp.sqrt(_square_norm(change)) <= self.tolerance * jnp.sqrt(_square_norm(previous))


def _square_norm(tree: Any) -> Array:
    return sum(jnp.sum(square_magnitude(leaf)) for leaf in jax.tree.leaves(tree))  # type: ignore[return-value]

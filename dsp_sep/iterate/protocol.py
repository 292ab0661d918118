"""What an algorithm is, and what a driver returns."""

import enum
from typing import Any, NamedTuple

import jax
from jax import Array


class NoFixedPointError(TypeError):
    """An algorithm whose iteration has no isolated fixed point, and so no derivative there."""


class Algorithm:
    """The protocol. A subclass is decorated with `node`; its leaves are hyperparameters, the rest is static.

    Shapes and dtypes are checked while tracing, in `prepare` (data) and `init` (hyperparameters against data).
    """

    def prepare(self, data: Any) -> Any:
        """What depends on the data alone, once before the loop. It reads no leaf that may be untied."""
        return data

    def init(self, data: Any, *, key: Array | None = None) -> Any:
        """The state to start from, a pytree; an algorithm that draws one raises without a key."""
        raise NotImplementedError

    def update(self, state: Any, data: Any) -> Any:
        """One iteration: the layer of the unfolded algorithm."""
        raise NotImplementedError

    def readout(self, state: Any, data: Any) -> Any:
        """The user's answer."""
        return state

    def objective(self, state: Any, data: Any) -> Array:
        """What the iteration decreases, `(...)`, one number for each batch item."""
        raise NotImplementedError(f"{type(self).__name__} has no objective")

    def residual(self, state: Any, data: Any) -> Any:
        """Zero at the solution, of the shape of the state: what `Implicit` differentiates the solution through.

        `state + residual` must determine the solution, caches and scales included: what is free is normalised. An
        algorithm without an isolated fixed point raises `NoFixedPointError`.
        """
        return jax.tree.map(lambda new, old: new - old, self.update(state, data), state)


class Status(enum.IntEnum):
    """How a run ended; `Result.status` holds one for the whole run, as an integer array."""

    CONVERGED = 0
    """The stopping rule held."""
    RAN_OUT = 1
    """All the iterations that were allowed are done (`run` knows no other good end)."""
    NOT_FINITE = 2
    """The last state holds a NaN or an infinity."""


class Result(NamedTuple):
    """What every driver returns.

    Attributes:
        output: the answer, as the algorithm reads it out.
        state: the last state; given back as `state=`, the iteration goes on from it.
        steps: how many iterations were done, an integer array.
        status: a `Status` as an integer array.
        trace: what `record` returned, stacked along a first axis; `None` without a record.
        distance: how far the state is from a fixed point, `‖residual‖ / ‖state‖`; `None` but with `Implicit`.
    """

    output: Any
    state: Any
    steps: Array
    status: Array
    trace: Any
    distance: Any

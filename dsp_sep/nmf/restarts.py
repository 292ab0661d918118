"""Several starts side by side."""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..pytree import hyper, node, static


class RestartsState(NamedTuple):
    """The states of all starts along one axis, after the batch axes, and the objectives they began with there."""

    states: Any
    beginnings: Array


@node
class Restarts(Algorithm):
    """The same algorithm from several drawn starts at once (`vmap`); the answer is that with the lowest objective.

    Each batch item has a best start of its own, so every array of the output has the batch axes of the objective in
    front. For problems with many local minima, such as blind factorisation; memory and time are those of so many runs.

    Attributes:
        algorithm: the wrapped algorithm, one that draws its start.
        count: how many starts.
    """

    algorithm: Any = hyper(kw_only=False)
    count: int = static(kw_only=False)

    def validate(self) -> None:
        if self.count < 1:
            raise ValueError(f"Restarts: count must be at least 1, got {self.count}")

    def prepare(self, data: Any) -> Any:
        return self.algorithm.prepare(data)

    def init(self, data: Any, *, key: Array | None = None) -> RestartsState:
        if key is None:
            raise ValueError("Restarts: random starts need a key: pass key=jax.random.key(seed) to the driver")
        states = jax.vmap(lambda key: self.algorithm.init(data, key=key))(jax.random.split(key, self.count))
        beginnings = jnp.moveaxis(jax.vmap(lambda state: self.algorithm.objective(state, data))(states), 0, -1)
        axis = beginnings.ndim - 1
        return RestartsState(jax.tree.map(lambda x: jnp.moveaxis(x, 0, axis), states), beginnings)

    def update(self, state: RestartsState, data: Any) -> RestartsState:
        axis = state.beginnings.ndim - 1
        update = jax.vmap(lambda one: self.algorithm.update(one, data), axis, axis)
        return RestartsState(update(state.states), state.beginnings)

    def readout(self, state: RestartsState, data: Any) -> Any:
        best, axis = jnp.argmin(self.objectives(state, data), axis=-1, keepdims=True), state.beginnings.ndim - 1
        outputs = jax.vmap(lambda one: self.algorithm.readout(one, data), axis, axis)(state.states)

        def choose(output: Array) -> Array:
            index = best.reshape(best.shape + (1,) * (output.ndim - best.ndim))
            return jnp.take_along_axis(output, index, axis=axis).squeeze(axis)

        return jax.tree.map(choose, outputs)

    def objective(self, state: RestartsState, data: Any) -> Array:
        return jnp.min(self.objectives(state, data), axis=-1)

    def objectives(self, state: RestartsState, data: Any) -> Array:
        """What each start has reached, `(..., count)`."""
        axis = state.beginnings.ndim - 1
        return jax.vmap(lambda one: self.algorithm.objective(one, data), axis, axis)(state.states)

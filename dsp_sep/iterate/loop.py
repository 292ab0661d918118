"""The loop that iterates until a rule says stop, once for all: forward, and for the adjoint equation."""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from .protocol import Status
from .stopping import RelativeChange


def loop(
    algorithm: Any, state: Any, data: Any, stop: RelativeChange, max_steps: int | Array
) -> tuple[Any, Array, Array]:
    """Iterate until the rule holds, `max_steps` are done, or what the rule measures is not finite any more.

    Returns:
        The state, the number of iterations, and a `Status`.
    """

    def look(carry):
        state, previous, steps, _ = carry
        state = lax.fori_loop(0, stop.every, lambda _, s: algorithm.update(s, data), state)
        value = stop.measure(algorithm, state, data)
        status = jnp.where(stop.holds(value, previous), integer(Status.CONVERGED), integer(Status.RAN_OUT))
        return state, value, steps + stop.every, jnp.where(finite(value), status, integer(Status.NOT_FINITE))

    def undecided(carry):
        _, _, steps, status = carry
        return (status == Status.RAN_OUT) & (steps < max_steps)

    start = (state, stop.measure(algorithm, state, data), integer(0), integer(Status.RAN_OUT))
    state, _, steps, status = lax.while_loop(undecided, look, start)
    return state, steps, status


def finite(tree: Any) -> Array:
    """Whether no inexact leaf holds a NaN or an infinity."""
    leaves = [leaf for leaf in jax.tree.leaves(tree) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return jnp.all(jnp.asarray([jnp.all(jnp.isfinite(leaf)) for leaf in leaves]))


def integer(value: int | Array) -> Array:
    """A number of steps or a status as an array."""
    return jnp.asarray(value, jnp.int32)

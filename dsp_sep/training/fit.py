"""The optax loop."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from jax.tree_util import keystr, tree_leaves_with_path


class Fit(NamedTuple):
    """The parameters after the last step, and the loss before each step, `(steps,)`."""

    params: Any
    losses: np.ndarray


class NotFiniteError(ArithmeticError):
    """A loss or a gradient that is not finite; the message names the step and the leaf."""


def fit(
    loss: Callable[[Any, Any], Array],
    params: Any,
    batches: Iterable[Any],
    optimizer: optax.GradientTransformation,
    *,
    on_step: Callable[[int, float], None] | None = None,
) -> Fit:
    """Take a step of the optimiser on each batch.

    Args:
        loss: `(params, batch) -> number`, to be small; compiled once for each shape of a batch.
        params: what is learned, such as `unconstrain(algorithm, train=...)` gave.
        batches: what to learn on, one for each step.
        optimizer: any optax transformation.
        on_step: called after each step with its number, from 0, and the loss before it.

    Raises:
        NotFiniteError: for a loss or a gradient that is not finite; nothing is updated by it.
        ValueError: for no batches.
    """
    state = optimizer.init(params)
    losses: list[float] = []
    for number, batch in enumerate(batches):
        value, gradient, moved, state = _step(loss, optimizer, params, state, batch)
        if not (np.isfinite(value) and np.isfinite(optax.tree.norm(gradient))):
            raise NotFiniteError(
                f"step {number}: {_culprit(value, gradient)} is not finite; try a smaller learning rate"
            )
        params = moved
        losses.append(float(value))
        if on_step:
            on_step(number, losses[-1])
    if not losses:
        raise ValueError("fit: batches is empty")
    return Fit(params, np.asarray(losses))


@partial(jax.jit, static_argnums=(0, 1))
def _step(loss: Any, optimizer: Any, params: Any, state: Any, batch: Any) -> tuple[Any, Any, Any, Any]:
    value, gradient = jax.value_and_grad(loss)(params, batch)
    updates, state = optimizer.update(gradient, state, params)
    return value, gradient, optax.apply_updates(params, updates), state


def _culprit(value: Array, gradient: Any) -> str:
    if not np.isfinite(value):
        return "the loss"
    bad = [keystr(path) for path, leaf in tree_leaves_with_path(gradient) if not jnp.all(jnp.isfinite(leaf))]
    return f"the gradient of {', '.join(bad)}"

"""One step of training: the gradient over a batch, in parts and on several devices, and what optax makes of it."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array, lax
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from jax.tree_util import keystr, tree_leaves_with_path

Loss = Callable[[Any, Any], Array]
"""`(params, batch) -> number`, the mean over the items of the batch."""


class Progress(NamedTuple):
    """What training carries from step to step; a checkpoint holds it whole.

    Attributes:
        step: steps done.
        params: what is learned.
        optimizer: the state of the optimiser.
        best: the parameters with the best score so far; those of the start before the first validation.
        score: their score.
        waited: validations since.
    """

    step: Any
    params: Any
    optimizer: Any
    best: Any
    score: Any
    waited: Any


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def advance(
    loss: Loss,
    optimizer: optax.GradientTransformation,
    accumulate: int,
    mesh: Mesh | None,
    params: Any,
    state: Any,
    batch: Any,
) -> tuple[Array, Array, Any, Any]:
    """The loss before the step, the norm of each leaf's gradient, the parameters and the optimiser's state after it."""
    value, gradient = _gradient(loss, accumulate, params, batch)
    updates, state = optimizer.update(gradient, state, params)
    norms = jnp.stack([optax.tree.norm(leaf).astype(value.dtype) for leaf in jax.tree.leaves(gradient)])
    found = value, norms, optax.apply_updates(params, updates), state
    return found if mesh is None else lax.with_sharding_constraint(found, NamedSharding(mesh, PartitionSpec()))


def _gradient(loss: Loss, accumulate: int, params: Any, batch: Any) -> tuple[Array, Any]:
    """Value and gradient, of `accumulate` parts of the batch one after the other and averaged."""
    both = jax.value_and_grad(loss)
    if accumulate == 1:
        return both(params, batch)

    def fold(x: Array) -> Array:  # neighbours go to different parts, so that each part has some of every device
        return jnp.moveaxis(x.reshape(-1, accumulate, *x.shape[1:]), 1, 0)

    def add(total: Any, part: Any) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, both(params, part)), None

    parts = jax.tree.map(fold, batch)
    shapes = jax.eval_shape(both, params, jax.tree.map(lambda x: x[0], parts))
    zeros = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    total, _ = lax.scan(add, zeros, parts)
    return jax.tree.map(lambda x: x / accumulate, total)


def leaf_names(params: Any) -> list[str]:
    """What the norms of `advance` belong to."""
    return [keystr(path) for path, _ in tree_leaves_with_path(params)]


def everywhere(tree: Any, mesh: Mesh | None) -> Any:
    """Arrays that every device of the mesh has whole."""
    return jax.tree.map(jnp.asarray, tree) if mesh is None else _place(tree, mesh, PartitionSpec())


def shared_out(batch: Any, mesh: Mesh | None) -> Any:
    """A batch with its first axis over the devices; each process gives its own part of it."""
    return batch if mesh is None else _place(batch, mesh, PartitionSpec(*mesh.axis_names))


def here(tree: Any) -> Any:
    """Arrays that every device has whole, as this process has them."""
    return jax.tree.map(lambda x: x.addressable_data(0) if isinstance(x, jax.Array) else x, tree)


def _place(tree: Any, mesh: Mesh, spec: PartitionSpec) -> Any:
    sharding = NamedSharding(mesh, spec)
    return jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, np.asarray(x)), tree)

"""One pass over an axis that does not fit into memory as a whole."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def blocks(
    map: Callable[[Any], tuple[Any, Any]],
    reduce: Callable[[Any, Any], Any],
    data: Any,
    axis: int = -1,
    *,
    size: int,
) -> tuple[Any, Any]:
    """Apply a function to blocks of frames, one after the other, and gather what it makes of them.

    Only one block's intermediate arrays exist at a time, in the reverse pass too (each block is gone through again
    there). Where `map` treats frames by themselves and `reduce` is a sum, the result is that of one large block.

    Args:
        map: `block -> (kept, partial)`; the arrays of `kept` have the frames of the block along `axis`.
        reduce: `(total, partial) -> total`, such as a sum.
        data: arrays with the same number of frames along `axis`.
        axis: the axis to go along, counted from the end (negative).
        size: frames in a block, the first one excepted, which takes what is left over.

    Returns:
        `kept` for all frames, put together along `axis`, and the total of the partial results.

    Raises:
        ValueError: for a size below 1, an axis counted from the front, or arrays of different lengths.
    """
    lengths = {leaf.shape[axis] for leaf in jax.tree.leaves(data)}
    if size < 1 or axis >= 0 or len(lengths) != 1:
        raise ValueError(
            f"blocks: size must be at least 1 (got {size}), axis negative (got {axis}), "
            f"and all arrays of one length along it (got {sorted(lengths)})"
        )
    (length,) = lengths
    map = jax.checkpoint(map)
    whole = max((length - 1) // size, 0)
    first = length - whole * size

    def block(start: Any, count: int) -> Any:
        return jax.tree.map(lambda x: lax.dynamic_slice_in_dim(x, start, count, axis % x.ndim), data)

    def put(whole: Any, part: Any, start: Any) -> Any:
        return lax.dynamic_update_slice_in_dim(whole, part, start, axis % whole.ndim)

    def empty(part: Any) -> Any:
        shape = list(part.shape)
        shape[axis] = length
        return jnp.zeros(shape, part.dtype)

    def step(carry: Any, start: Any) -> tuple[Any, None]:
        total, gathered = carry
        kept, partial = map(block(start, size))
        gathered = jax.tree.map(lambda all, part: put(all, part, start), gathered, kept)
        return (reduce(total, partial), gathered), None

    kept, total = map(block(0, first))
    if not whole:
        return kept, total
    gathered = jax.tree.map(lambda part: put(empty(part), part, 0), kept)
    (total, gathered), _ = lax.scan(step, (total, gathered), first + size * jnp.arange(whole))
    return gathered, total

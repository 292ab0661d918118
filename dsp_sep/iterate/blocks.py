"""One pass over an axis that does not fit into memory as a whole."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax


def blocks(
    map: Callable[..., tuple[Any, Any]],
    reduce: Callable[[Any, Any], Any],
    data: Any,
    axis: int = -1,
    *,
    size: int,
    replacing: Any = None,
) -> tuple[Any, Any]:
    """Apply a function to blocks of frames, one after the other, and gather what it makes of them.

    Only one block's intermediate arrays exist at a time, in the reverse pass too (each block is gone through again
    there). Where `map` treats frames by themselves and `reduce` is a sum, the result is that of one large block.

    Args:
        map: `block -> (kept, partial)`; the arrays of `kept` have the frames of the block along `axis`. With
            `replacing`, `(block, old) -> (kept, partial)`.
        reduce: `(total, partial) -> total`, such as a sum.
        data: arrays with the same number of frames along `axis`.
        axis: the axis to go along, counted from the end (negative).
        size: frames in a block, the first one excepted, which takes what is left over.
        replacing: arrays with that number of frames too, whose places `kept` takes block by block, so that not both
            are in memory at once.

    Returns:
        `kept` for all frames, put together along `axis`, and the total of the partial results.

    Raises:
        ValueError: for a size below 1, an axis counted from the front, or arrays of different lengths.
    """
    lengths = {leaf.shape[axis] for leaf in jax.tree.leaves((data, replacing))}
    if size < 1 or axis >= 0 or len(lengths) != 1:
        raise ValueError(
            f"blocks: size must be at least 1 (got {size}), axis negative (got {axis}), "
            f"and all arrays of one length along it (got {sorted(lengths)})"
        )
    (length,) = lengths
    whole = max((length - 1) // size, 0)
    first = length - whole * size

    def cut(arrays: Any, start: Any, count: int) -> Any:
        return jax.tree.map(lambda x: lax.dynamic_slice_in_dim(x, start, count, axis % x.ndim), arrays)

    def put(whole: Any, part: Any, start: Any) -> Any:
        return lax.dynamic_update_slice_in_dim(whole, part, start, axis % whole.ndim)

    def empty(part: Any) -> Any:
        shape = list(part.shape)
        shape[axis] = length
        return jnp.zeros(shape, part.dtype)

    @partial(jax.checkpoint, static_argnums=1)
    def block(start: Any, count: int, *old: Any) -> tuple[Any, Any]:
        return _apart(map, start >= 0, cut(data, start, count), *old)

    def old(gathered: Any, start: Any, count: int) -> tuple[Any, ...]:
        return () if replacing is None else (cut(gathered, start, count),)

    def step(carry: Any, start: Any) -> tuple[Any, None]:
        total, gathered = carry
        kept, more = block(start, size, *old(gathered, start, size))
        gathered = jax.tree.map(lambda all, part: put(all, part, start), gathered, kept)
        return (reduce(total, more), gathered), None

    kept, total = block(0, first, *old(replacing, 0, first))
    if not whole:
        return kept, total
    into = jax.tree.map(empty, kept) if replacing is None else replacing
    gathered = jax.tree.map(lambda all, part: put(all, part, 0), into, kept)
    (total, gathered), _ = lax.scan(step, (total, gathered), first + size * jnp.arange(whole))
    return gathered, total


def _apart(function: Callable[..., Any], always: Any, *operands: Any) -> Any:
    """What a function makes of operands, under a condition that always holds: a computation of its own.

    XLA's CPU backend would fuse it with the write into its place, which takes up to twice as long, and copy for every
    block the whole of an array that is to be replaced.
    """
    shapes = jax.eval_shape(function, *operands)
    return lax.cond(always, function, lambda *_: jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes), *operands)

"""Signals cut into overlapping frames, and frames added up again: each is the other's transpose."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .linear import transposes


def blocks_per_frame(n_fft: int, hop: int) -> int:
    """How many blocks of `hop` samples a frame reaches into."""
    return -(-n_fft // hop)


def _frame(signal: Array, *, n_fft: int, hop: int) -> Array:
    starts = np.arange(0, signal.shape[-1] - n_fft + 1, hop, dtype=np.int32)

    def cut(start: Array) -> Array:
        return lax.dynamic_slice_in_dim(signal, start, n_fft, axis=-1)

    return jax.vmap(cut, out_axes=-2)(starts)


def _overlap_add(frames: Array, *, n_fft: int, hop: int) -> Array:
    *batch, count, _ = frames.shape
    overlap = blocks_per_frame(n_fft, hop)
    zero, same = jnp.zeros((), frames.dtype), [(0, 0, 0)] * len(batch)
    frames = lax.pad(frames, zero, [*same, (0, 0, 0), (0, overlap * hop - n_fft, 0)])
    frames = frames.reshape(*batch, count, overlap, hop)
    shifted = [lax.pad(frames[..., k, :], zero, [*same, (k, overlap - 1 - k, 0), (0, 0, 0)]) for k in range(overlap)]
    return sum(shifted).reshape(*batch, -1)[..., : (count - 1) * hop + n_fft]


_frame_p, _overlap_add_p = transposes(_frame, _overlap_add)


def frame(signal: Array, n_fft: int, hop: int) -> Array:
    """Frame `t` is `signal[..., t · hop : t · hop + n_fft]`; as many as there are in full: the rest is left out.

    Args:
        signal: `(..., samples)`.
        n_fft: samples of a frame.
        hop: samples from one frame to the next.

    Returns:
        `(..., frames, n_fft)`.
    """
    rest = (signal.shape[-1] - n_fft) % hop
    return _frame_p(signal[..., : signal.shape[-1] - rest], n_fft=n_fft, hop=hop)


def overlap_add(frames: Array, hop: int) -> Array:
    """The sum of the frames, each `hop` samples later than the one before.

    Args:
        frames: `(..., frames, n_fft)`.
        hop: samples from one frame to the next.

    Returns:
        `(..., (frames - 1) · hop + n_fft)`.
    """
    return _overlap_add_p(frames, n_fft=frames.shape[-1], hop=hop)


def coverage(weights: Array, hop: int, frames: int) -> Array:
    """The overlap-add of so many copies of one frame, at the cost of its edges: between them it has period `hop`.

    Args:
        weights: the frame, `(n_fft,)`.
        hop: samples from one copy to the next.
        frames: the number of copies.

    Returns:
        `((frames - 1) · hop + n_fft,)`.
    """
    n_fft = weights.shape[-1]
    overlap = blocks_per_frame(n_fft, hop)
    if frames <= overlap:
        return overlap_add(jnp.broadcast_to(weights, (frames, n_fft)), hop)
    few, edge = coverage(weights, hop, overlap), (overlap - 1) * hop
    middle = jnp.tile(few[edge : edge + hop], frames - overlap + 1)
    return jnp.concatenate([few[:edge], middle, few[edge + hop :]])

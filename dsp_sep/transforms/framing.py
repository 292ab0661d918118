"""Signals cut into overlapping frames, and frames added up again: each is the other's transpose."""

import functools
from collections.abc import Iterable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from .linear import transposes


def _frame(signal: Array, *, n_fft: int, hop: int) -> Array:
    # The barrier keeps XLA from computing the signal anew for each of the frames that it is in.
    signal = lax.optimization_barrier(signal)
    starts = np.arange(0, signal.shape[-1] - n_fft + 1, hop, dtype=np.int32)
    return jax.vmap(lambda start: lax.dynamic_slice_in_dim(signal, start, n_fft, axis=-1), out_axes=-2)(starts)


def _overlap_add(frames: Array, *, n_fft: int, hop: int) -> Array:
    *batch, count, _ = frames.shape
    overlap = -(-n_fft // hop)
    edge = overlap - 1
    frames = jnp.pad(frames, [(0, 0)] * (frames.ndim - 1) + [(0, overlap * hop - n_fft)])
    blocks = frames.reshape(*batch, count, overlap, hop)
    if count <= edge:
        sums = _sums_of_blocks(blocks)
    else:
        # Written into place, the sums are not computed anew for each of the frames that are cut from them; those with
        # all their terms, apart from the edges, need no test of every sample.
        inner = _sum(blocks[..., edge - k : count - k, k, :] for k in range(overlap))
        head = _sums_of_blocks(blocks[..., :edge, :, :])[..., :edge, :]
        tail = _sums_of_blocks(blocks[..., count - edge :, :, :])[..., edge:, :]
        sums = jnp.zeros((*batch, count + edge, hop), frames.dtype, out_sharding=jax.typeof(inner).sharding)
        for first, part in ((edge, inner), (0, head), (count, tail)):
            sums = lax.dynamic_update_slice_in_dim(sums, part, first, axis=-2)
    return sums.reshape(*batch, -1)[..., : (count - 1) * hop + n_fft]


def _sums_of_blocks(blocks: Array) -> Array:
    """Blocks `(..., count, overlap, hop)`, that at `[t, k]` added to row `t + k`: `(..., count + overlap - 1, hop)`."""
    overlap = blocks.shape[-2]
    same = [(0, 0)] * (blocks.ndim - 3)
    return _sum(jnp.pad(blocks[..., k, :], [*same, (k, overlap - 1 - k), (0, 0)]) for k in range(overlap))


def _sum(terms: Iterable[Array]) -> Array:
    return functools.reduce(jnp.add, terms)


_frame_linear, _overlap_add_linear = transposes(_frame, _overlap_add)


def frame(signal: Array, n_fft: int, hop: int) -> Array:
    """Frame `t` is `signal[..., t · hop : t · hop + n_fft]`; a rest that fills no frame is left out.

    Args:
        signal: `(..., samples)`.
        n_fft: samples of a frame.
        hop: samples from one frame to the next.

    Returns:
        `(..., frames, n_fft)`.
    """
    rest = (signal.shape[-1] - n_fft) % hop
    return _frame_linear(signal[..., : signal.shape[-1] - rest], n_fft=n_fft, hop=hop)


def overlap_add(frames: Array, hop: int) -> Array:
    """The sum of frames, each `hop` samples later than the one before.

    Args:
        frames: `(..., frames, n_fft)`.
        hop: samples from one frame to the next, at most `n_fft`.

    Returns:
        `(..., (frames - 1) · hop + n_fft)`.
    """
    return _overlap_add_linear(frames, n_fft=frames.shape[-1], hop=hop)


def overlap_add_equal(frame: Array, hop: int, frames: int) -> Array:
    """The overlap-add of equal frames, which costs no more than its edges: between them it has the period `hop`.

    Args:
        frame: `(n_fft,)`.
        hop: samples from one frame to the next, at most `n_fft`.
        frames: how many there are.

    Returns:
        `((frames - 1) · hop + n_fft,)`.
    """
    overlap = -(-frame.shape[-1] // hop)
    few = overlap_add(jnp.broadcast_to(frame, (min(frames, overlap), frame.shape[-1])), hop)
    if frames <= overlap:
        return few
    rows = jnp.pad(few, (0, -few.shape[-1] % hop)).reshape(-1, hop)
    row = np.arange(frames + overlap - 1)
    row = np.clip(row, 0, overlap - 1) + np.clip(row - frames + 1, 0, None)
    return rows[row].reshape(-1)[: (frames - 1) * hop + frame.shape[-1]]


def periodic_sum(frame: Array, hop: int) -> Array:
    """One period of the overlap-add of equal frames without end, `sum_m frame[n - m · hop]`: `(hop,)`."""
    overlap = -(-frame.shape[-1] // hop)
    return jnp.sum(jnp.pad(frame, (0, overlap * hop - frame.shape[-1])).reshape(overlap, hop), axis=0)

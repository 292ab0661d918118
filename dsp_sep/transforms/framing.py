"""Signals cut into overlapping frames, and frames added up again: each is the other's transpose."""

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
    zero, same = jnp.zeros((), frames.dtype), [(0, 0, 0)] * len(batch)
    frames = lax.pad(frames, zero, [*same, (0, 0, 0), (0, overlap * hop - n_fft, 0)])
    blocks = frames.reshape(*batch, count, overlap, hop)
    shifted = [lax.pad(blocks[..., k, :], zero, [*same, (k, overlap - 1 - k, 0), (0, 0, 0)]) for k in range(overlap)]
    return sum(shifted[1:], shifted[0]).reshape(*batch, -1)[..., : (count - 1) * hop + n_fft]


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
    before, period, after = jnp.split(few, [(overlap - 1) * hop, overlap * hop])
    return jnp.concatenate([before, jnp.tile(period, frames - overlap + 1), after])


def periodic_sum(frame: Array, hop: int) -> Array:
    """One period of the overlap-add of equal frames without end, `sum_m frame[n - m · hop]`: `(hop,)`."""
    overlap = -(-frame.shape[-1] // hop)
    return jnp.sum(jnp.pad(frame, (0, overlap * hop - frame.shape[-1])).reshape(overlap, hop), axis=0)

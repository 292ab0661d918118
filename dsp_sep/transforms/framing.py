"""Signals cut into overlapping frames, and frames added up again: each is the other's adjoint."""

import jax.numpy as jnp
import numpy as np
from jax import Array


def blocks_per_frame(n_fft: int, hop: int) -> int:
    """How many blocks of `hop` samples a frame reaches into."""
    return -(-n_fft // hop)


def frame(signal: Array, n_fft: int, hop: int, frames: int) -> Array:
    """Frame `t` is `signal[..., t · hop : t · hop + n_fft]`.

    Args:
        signal: `(..., samples)`, at least `(frames - 1) · hop + n_fft` of them.

    Returns:
        `(..., frames, n_fft)`.
    """
    overlap = blocks_per_frame(n_fft, hop)
    samples = (frames - 1 + overlap) * hop
    batch = signal.shape[:-1]
    signal = signal[..., :samples]
    signal = jnp.pad(signal, [(0, 0)] * len(batch) + [(0, samples - signal.shape[-1])])
    blocks = signal.reshape(*batch, -1, hop)
    return jnp.concatenate([blocks[..., k : k + frames, :] for k in range(overlap)], axis=-1)[..., :n_fft]


def overlap_add(frames: Array, hop: int) -> Array:
    """The sum of the frames, each `hop` samples later than the one before.

    Args:
        frames: `(..., frames, n_fft)`.

    Returns:
        Blocks `(..., frames - 1 + overlap, hop)` with `overlap = ⌈n_fft / hop⌉`.
    """
    *batch, count, n_fft = frames.shape
    overlap = blocks_per_frame(n_fft, hop)
    none = [(0, 0)] * len(batch)
    frames = jnp.pad(frames, none + [(0, 0), (0, overlap * hop - n_fft)]).reshape(*batch, count, overlap, hop)
    return sum(jnp.pad(frames[..., k, :], none + [(k, overlap - 1 - k), (0, 0)]) for k in range(overlap))


def coverage(weights: Array, hop: int, frames: int) -> Array:
    """The overlap-add of `frames` times the same frame, at the cost of its edges.

    Args:
        weights: one frame, `(n_fft,)`.

    Returns:
        Blocks `(frames - 1 + overlap, hop)`, as from `overlap_add`. All but the first and last `overlap - 1` are equal.
    """
    overlap = blocks_per_frame(weights.shape[-1], hop)
    rows = frames - 1 + overlap
    parts = jnp.pad(weights, (0, overlap * hop - weights.shape[-1])).reshape(overlap, 1, hop)
    row, part = np.arange(rows), np.arange(overlap)[:, None]
    present = (row >= part) & (row - part < frames)
    edge = min(overlap - 1, rows // 2)
    head, tail = present[:, :edge], present[:, rows - edge :]

    def total(which: np.ndarray) -> Array:
        return jnp.sum(jnp.where(which[..., None], parts, 0), axis=0)

    middle = jnp.broadcast_to(total(present[:, edge : edge + 1]), (rows - 2 * edge, hop))
    return jnp.concatenate([total(head), middle, total(tail)])

"""Recordings of any length, separated in chunks that overlap."""

from typing import Any, NamedTuple

import numpy as np
from jax import Array

from ..iterate import pour
from ..pytree import hyper, node, static


class ChunkState(NamedTuple):
    """What is carried from one push to the next, on the host.

    Attributes:
        pending: the mixture from the start of the next chunk on, `(channels, samples)`.
        faded: what the last chunk adds to the fade into the next, `(sources, channels, fade)`; `None` before the first.
    """

    pending: np.ndarray
    faded: np.ndarray | None


@node
class Chunked:
    """A separator applied to chunks of one size, which overlap and fade into one another: a `Stream`.

    The first and the last `context` samples of a chunk are there only for the separator to hear; next to them, over
    `fade` samples, one chunk gives way to the next along a straight line. So the stems sum to the mixture where those
    of the separator do. Where the separator does not look further than `context` to either side, and
    `size - 2 · context - fade` is a multiple of its hop, the result is what it makes of the whole recording, to
    rounding; the last `context` samples of the recording excepted, after which it hears it mirrored up to a full
    chunk. All chunks have one shape, so that the separator compiles once for each number of channels.

    Attributes:
        separator: any separator.
        size: samples of a chunk.
        context: samples at either end of a chunk that are not used.
        fade: samples over which chunks fade into one another.

    Raises:
        ValueError: at construction, for a chunk that is shorter than its two contexts and fades.
    """

    separator: Any = hyper(kw_only=False)
    size: int = static(default=2**19)
    context: int = static(default=2**14)
    fade: int = static(default=2**13)

    def validate(self) -> None:
        if min(self.context, self.fade) < 0 or self.size < max(2 * (self.context + self.fade), 1):
            raise ValueError(
                f"Chunked: size must be at least twice context and fade together, got size {self.size}, "
                f"context {self.context}, fade {self.fade}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        return self.separator.names

    @property
    def advance(self) -> int:
        """Samples from the start of one chunk to that of the next."""
        return self.size - 2 * self.context - self.fade

    @property
    def latency(self) -> int:
        """Samples by which the stems lag behind the mixture at most: a chunk, before the first is complete."""
        return self.size

    def __call__(self, mixture: Array) -> np.ndarray:
        """Stems `(sources, channels, samples)` of a mixture `(channels, samples)`."""
        return np.concatenate(list(pour(self, [mixture], self.init(mixture.shape[0]))), axis=-1)

    def init(self, channels: int) -> ChunkState:
        """The state before the first chunk."""
        return ChunkState(np.zeros((channels, 0), np.float32), None)

    def push(self, state: ChunkState, chunk: Any) -> tuple[ChunkState, np.ndarray]:
        """Take in `(channels, samples)`, any number of samples; out come stems `(sources, channels, samples)`."""
        chunk = np.asarray(chunk)
        if chunk.ndim != 2 or chunk.shape[0] != state.pending.shape[0]:
            raise ValueError(f"Chunked: expected ({state.pending.shape[0]}, samples), got {chunk.shape}")
        pending, faded = np.concatenate([state.pending, chunk.astype(state.pending.dtype)], axis=-1), state.faded
        ready = [np.zeros((len(self.names), *pending.shape[:1], 0), pending.dtype)]
        while pending.shape[-1] >= self.size:
            stems = self._fade_in(pending[:, : self.size], faded)
            end = self.advance + self.context
            ready.append(stems[..., (0 if faded is None else self.context) : end])
            faded = (1 - self._ramp()) * stems[..., end : end + self.fade]
            pending = pending[:, self.advance :]
        return ChunkState(pending, faded), np.concatenate(ready, axis=-1)

    def flush(self, state: ChunkState) -> np.ndarray:
        """The stems of what is left."""
        channels, samples = state.pending.shape
        if samples == 0:
            return np.zeros((len(self.names), channels, 0), state.pending.dtype)
        chunk = np.pad(state.pending, ((0, 0), (0, self.size - samples)), mode="symmetric")
        stems = self._fade_in(chunk, state.faded)
        return stems[..., (0 if state.faded is None else self.context) : samples]

    def _fade_in(self, chunk: np.ndarray, faded: np.ndarray | None) -> np.ndarray:
        """The stems of a chunk, after the last one has given way to it."""
        stems = np.array(self.separator(chunk))
        if faded is not None:
            fade = slice(self.context, self.context + self.fade)
            stems[..., fade] = faded + self._ramp() * stems[..., fade]
        return stems

    def _ramp(self) -> np.ndarray:
        return ((np.arange(self.fade) + 0.5) / max(self.fade, 1)).astype(np.float32)

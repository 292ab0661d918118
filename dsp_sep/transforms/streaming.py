"""The STFT and its inverse of a signal that comes in chunks, equal to those of the whole signal to rounding.

Both are streams in the sense of `iterate.Stream`. For latency, a spectrogram counts `hop` samples for each frame.

Chunks may have any length. What is carried on then differs in length too, and `push` is compiled anew for each pair of
lengths: few of them if all chunks are alike; with chunks of a multiple of `hop` samples the state settles on one shape,
so that `push` may stand in a scan from there on.
"""

from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import transpose
from ..pytree import hyper, node, static
from .framing import frame, overlap_add, overlap_add_equal
from .stft import STFT, check_spectrogram, frames_of_spectra, signal_of_sums, spectra_of_frames, unit_window


@node
class Pending:
    """What an analysis carries: the samples from one before the next frame on (all there are, if it has not begun)."""

    samples: Array = hyper()
    begun: bool = static()


@node
class AnalysisStream:
    """Chunks of a signal to chunks of its spectrogram: put together, `stft.analyze` of the whole signal."""

    stft: STFT = hyper(kw_only=False)

    @property
    def latency(self) -> int:
        """By how many samples the output lags behind the input (and by up to `hop - 1` more while a frame fills)."""
        return self.stft.n_fft - self.stft.hop - self.stft.grid.offset

    def init(self, batch: tuple[int, ...] = (), dtype: Any = jnp.float32) -> Pending:
        """The state before the signal.

        Args:
            batch: the sizes of the signal's axes before that of its samples.
            dtype: the dtype of the signal.
        """
        begun = self.stft.padding != "reflect"
        return Pending(samples=jnp.zeros((*batch, (1 + self.stft.grid.offset) * begun), dtype), begun=begun)

    def push(self, state: Pending, chunk: Array) -> tuple[Pending, Array]:
        """The state after a chunk `(..., samples)`, and the frames that it completes, `(..., frequency, frames)`."""
        return _push_samples(self.stft, state, chunk)

    def flush(self, state: Pending) -> Array:
        """The frames that reach past the end of the signal, `(..., frequency, frames)`.

        Raises:
            ValueError: if the signal is too short for the padding.
        """
        if not state.begun:
            self.stft.frames(state.samples.shape[-1])
        return _flush_samples(self.stft, state)


@node
class Sums:
    """What a synthesis carries: sums of frames and of squared windows that go on, and how many samples to leave out."""

    signal: Array = hyper()
    power: Array = hyper()
    skip: int = static()


@node
class SynthesisStream:
    """Chunks of a spectrogram to chunks of its signal: put together, `stft.synthesize` of the whole spectrogram.

    The samples are those that the frames reach, to the end of the last: cut to the length of the signal at the end.
    """

    stft: STFT = hyper(kw_only=False)

    @property
    def latency(self) -> int:
        """By how many samples the output lags behind the input."""
        return self.stft.grid.offset

    def init(self, batch: tuple[int, ...] = (), dtype: Any = jnp.float32) -> Sums:
        """The state before the first frame.

        Args:
            batch: the sizes of the signal's axes before that of its samples.
            dtype: the dtype of the signal.
        """
        signal = jnp.zeros((*batch, self.stft.n_fft - self.stft.hop), dtype)
        return Sums(signal=signal, power=jnp.zeros(signal.shape[-1], signal.real.dtype), skip=self.stft.grid.offset)

    def push(self, state: Sums, chunk: Array) -> tuple[Sums, Array]:
        """The state after a chunk `(..., frequency, frames)`, and the samples that it completes, `(..., samples)`."""
        return _push_spectra(self.stft, state, chunk)

    def flush(self, state: Sums) -> Array:
        """The samples that end with the last frame, `(..., samples)`."""
        return signal_of_sums(self.stft, state.signal, state.power)[..., state.skip :]


@jax.jit
def _push_samples(stft: STFT, state: Pending, chunk: Array) -> tuple[Pending, Array]:
    samples, begun = jnp.concatenate([state.samples, chunk.astype(state.samples.dtype)], axis=-1), state.begun
    if not begun and samples.shape[-1] > stft.grid.offset:
        widths = [(0, 0)] * (samples.ndim - 1)
        samples = jnp.pad(samples, [*widths, (stft.grid.offset, 0)], mode="reflect")
        samples, begun = jnp.pad(samples, [*widths, (1, 0)]), True
    spectra = _full_frames(stft, samples if begun else samples[..., :0])
    samples = samples[..., spectra.shape[-2] * stft.hop :]
    return Pending(samples=samples, begun=begun), transpose(spectra)


@jax.jit
def _flush_samples(stft: STFT, state: Pending) -> Array:
    after = stft.grid.after(state.samples.shape[-1] - 1)
    mode = "reflect" if stft.padding == "reflect" and state.samples.shape[-1] > after else "constant"
    widths = [(0, 0)] * (state.samples.ndim - 1)
    return transpose(_full_frames(stft, jnp.pad(state.samples, [*widths, (0, after)], mode=mode)))


def _full_frames(stft: STFT, samples: Array) -> Array:
    count = max(0, 1 + (samples.shape[-1] - 1 - stft.n_fft) // stft.hop)
    if count == 0:
        frames = jnp.zeros((*samples.shape[:-1], 0, stft.n_fft), samples.dtype)
    else:
        frames = frame(samples[..., 1:], stft.n_fft, stft.hop)
    return spectra_of_frames(stft, frames)


@jax.jit
def _push_spectra(stft: STFT, state: Sums, chunk: Array) -> tuple[Sums, Array]:
    check_spectrogram(stft, chunk)
    frames = frames_of_spectra(stft, transpose(chunk))
    count = frames.shape[-2]
    if count == 0:
        return state, state.signal[..., :0]
    window, _ = unit_window(stft, state.power.dtype)
    signal = _add_before(state.signal, overlap_add(frames, stft.hop))
    power = _add_before(state.power, overlap_add_equal(window**2, stft.hop, count))
    done = count * stft.hop
    out = signal_of_sums(stft, signal[..., :done], power[:done])[..., state.skip :]
    return Sums(signal=signal[..., done:], power=power[done:], skip=max(0, state.skip - done)), out


def _add_before(carried: Array, added: Array) -> Array:
    return added.at[..., : carried.shape[-1]].add(carried)

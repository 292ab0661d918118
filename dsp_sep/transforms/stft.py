"""The short-time Fourier transform and its least-squares inverse, as a pytree whose window is a leaf."""

import operator
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..numerics import real_dtype, scale, transpose
from ..pytree import domains, hyper, node, static
from .fourier import fft, ifft, irfft, rfft
from .framing import frame, overlap_add, overlap_add_equal, periodic_sum
from .grid import Grid
from .windows import Hann, by_name


@node
class STFT:
    """Short-time Fourier transform.

    `X[f, t] = sum_n w[n] x[n + t R - c] exp(-2πi f n / N)`, with window w, hop R, N = `n_fft` and `c = ⌊N / 2⌋` if
    centred. The phase counts from the first sample of each frame, as with torch and librosa.

    The inverse is the signal whose STFT is nearest (Griffin and Lim 1984, eq. 6): windowed inverse FFTs, added up, over
    the sum of the squared windows of those frames that exist. It is zero where no window reaches, which is to say
    where that sum is at most `eps²` of its largest value, and a division would leave nothing but rounding.

    | centered | padding | frames | what the inverse of a transform misses |
    |---|---|---|---|
    | yes | constant, reflect | `1 + samples // hop` (`n_fft` even), as torch, librosa | nothing if `hop <= n_fft / 2` |
    | no | constant | all that touch the signal, as scipy's `ShortTimeFFT` | nothing |
    | no | none | `1 + (samples - n_fft) // hop`, as torch | past the last frame, and under zeros of the window |

    The methods with `_frames` in their names have the layout `(..., frames, frequency)`, in which all is computed:
    inside a loop they spare a transposition.

    Attributes:
        n_fft: samples of a frame.
        hop: samples from one frame to the next, at most `n_fft`.
        window: `(window_length,)`, real; a leaf. Given as an array, or by name: "hann" (the default), "hamming",
            "blackman", "sine", "kaiser" (with beta 12), "rectangular"; see `windows`. Or `windows.Hann(length)`, whose
            leaf is the length.
        window_length: samples of the window, at most `n_fft` (the default); it stands in the middle of the frame, with
            zeros around it.
        centered: whether the middle of frame t is at sample `t · hop`, rather than its beginning.
        padding: how the signal goes on at both ends: "constant" (zeros), "reflect", or "none".
        onesided: whether the frequencies end at half the rate, `n_fft // 2 + 1` of them, as is enough for a real
            signal; a complex one needs all `n_fft`.

    Raises:
        ValueError: at construction, for options that contradict each other, or a hop and a window without an inverse
            (a window that is traced is not checked).
    """

    n_fft: int = static()
    hop: int = static()
    window: Any = hyper(default="hann", domain=domains.REAL)
    window_length: int | None = static(default=None)
    centered: bool = static(default=True)
    padding: str = static(default="constant")
    onesided: bool = static(default=True)

    def validate(self) -> None:
        for name in ("n_fft", "hop"):
            object.__setattr__(self, name, operator.index(getattr(self, name)))
        self.grid  # noqa: B018
        self._settle_window()
        if not any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(self.window)):
            lower, upper = (float(bound) for bound in self.frame_bounds)
            if not lower > jnp.finfo(real_dtype(self.window)).eps * upper:
                raise ValueError(
                    f"STFT: there is no inverse with hop = {self.hop} and this window of {self.window_length} samples: "
                    f"some samples are under no window (frame bounds {lower:.3g} and {upper:.3g}); take a smaller hop"
                )

    def _settle_window(self) -> None:
        length = self.window_length
        if isinstance(self.window, Hann):
            if length not in (None, self.n_fft):
                raise ValueError(f"STFT: window_length is {length}, but {self.window} has a length of its own")
            object.__setattr__(self, "window_length", self.n_fft)
            return
        if isinstance(self.window, str):
            length = self.n_fft if length is None else operator.index(length)
            object.__setattr__(self, "window", jnp.asarray(by_name(self.window, length), jnp.result_type(float)))
        if self.window.ndim != 1 or jnp.iscomplexobj(self.window):
            shown = f"{self.window.dtype}{list(self.window.shape)}"
            raise ValueError(f"STFT: window must be real with one axis, got {shown}")
        if length not in (None, self.window.size):
            raise ValueError(f"STFT: window_length is {length}, but the window has {self.window.size} samples")
        if not 1 <= self.window.size <= self.n_fft:
            raise ValueError(f"STFT: window must have 1 to n_fft = {self.n_fft} samples, got {self.window.size}")
        object.__setattr__(self, "window_length", self.window.size)

    @property
    def grid(self) -> Grid:
        """Where the frames stand on the signal."""
        return Grid(self.n_fft, self.hop, self.centered, self.padding)

    @property
    def bins(self) -> int:
        """The number of frequencies."""
        return self.n_fft // 2 + 1 if self.onesided else self.n_fft

    @property
    def dual(self) -> Array:
        """The canonical dual window `w[n] / sum_m w[n - m R]²`, `(n_fft,)`; the inverse uses it but for the edges."""
        window = self.padded_window(real_dtype(self.window))
        return window / jnp.resize(periodic_sum(window**2, self.hop), window.shape)

    @property
    def frame_bounds(self) -> tuple[Array, Array]:
        """A and B of `A |x|² <= |STFT(x)|² <= B |x|²` (all frequencies, all frames): the inverse exists if A > 0.

        The worst amplification of an error by the inverse is `√(B / A)`; where A = B the frame is tight.
        """
        power = self.n_fft * periodic_sum(self.padded_window(real_dtype(self.window)) ** 2, self.hop)
        return jnp.min(power), jnp.max(power)

    def frequencies(self, rate: float) -> Array:
        """The frequencies in Hz, `(frequency,)`, for a rate in Hz; of two sides, the second half is negative."""
        return jnp.asarray((np.fft.rfftfreq if self.onesided else np.fft.fftfreq)(self.n_fft, 1 / rate))

    def times(self, frames: int, rate: float) -> Array:
        """The times of the middles of the frames in seconds, `(frames,)`, for a rate in Hz."""
        return jnp.asarray((np.arange(frames) * self.hop + self.n_fft // 2 - self.grid.offset) / rate)

    def frames(self, samples: int) -> int:
        """The number of frames of a signal of so many samples.

        Raises:
            ValueError: if the signal is too short.
        """
        return self.grid.frames(samples)

    def analyze(self, signal: Array) -> Array:
        """The STFT.

        Args:
            signal: `(..., samples)`, real, or complex where `onesided` is `False`.

        Returns:
            Complex, `(..., frequency, frames)`.

        Raises:
            ValueError: for a signal that is too short, or complex where one side was asked for.
        """
        return _analyze(self, signal)

    def synthesize(self, spectrogram: Array, *, length: int | None = None) -> Array:
        """The signal whose STFT is nearest to a spectrogram in the least-squares sense (any reflection disregarded).

        Args:
            spectrogram: complex, `(..., frequency, frames)`.
            length: the samples wanted; by default `(frames - 1) · hop` if centred (`n_fft` even), else those that have
                all their frames.

        Returns:
            `(..., samples)`, real if `onesided`.

        Raises:
            ValueError: for another number of frequencies, or a length that the frames do not reach.
        """
        return _synthesize(self, spectrogram, length)

    def consistent(self, spectrogram: Array, *, length: int | None = None) -> Array:
        """The projection on the spectrograms of signals, `STFT(iSTFT(S))`; orthogonal unless the padding reflects.

        Args:
            spectrogram: complex, `(..., frequency, frames)`.
            length: the samples of the signals, which must have as many frames.

        Returns:
            Complex, `(..., frequency, frames)`.

        Raises:
            ValueError: for another number of frequencies, or a length with another number of frames.
        """
        return _consistent(self, spectrogram, length)

    def analyze_frames(self, signal: Array) -> Array:
        """`analyze` in the layout `(..., frames, frequency)`."""
        return _analyze_frames(self, signal)

    def synthesize_frames(self, spectra: Array, *, length: int | None = None) -> Array:
        """`synthesize` in the layout `(..., frames, frequency)`."""
        return _synthesize_frames(self, spectra, length)

    def consistent_frames(self, spectra: Array, *, length: int | None = None) -> Array:
        """`consistent` in the layout `(..., frames, frequency)`."""
        return _consistent_frames(self, spectra, length)

    def padded_window(self, dtype: Any) -> Array:
        """The window with the zeros around it, `(n_fft,)`."""
        if isinstance(self.window, Hann):
            return self.window.samples(self.n_fft).astype(dtype)
        around = self.n_fft - self.window.shape[-1]
        return jnp.pad(self.window.astype(dtype), (around // 2, around - around // 2))


def spectra_of_frames(stft: STFT, frames: Array) -> Array:
    """The spectra `(..., frames, frequency)` of frames `(..., frames, n_fft)`, which are windowed here."""
    window = _along_last(stft.padded_window(real_dtype(frames)), frames)
    return (rfft if stft.onesided else fft)(scale(window, frames), n=stft.n_fft)


def frames_of_spectra(stft: STFT, spectra: Array) -> Array:
    """The frames `(..., frames, n_fft)` of spectra `(..., frames, frequency)`, weighted and ready to be added up."""
    frames = (irfft if stft.onesided else ifft)(spectra, n=stft.n_fft)
    window, _ = unit_window(stft, frames.real.dtype)
    return scale(_along_last(window, frames), frames)


def check_spectrogram(stft: STFT, spectrogram: Array, axes: tuple[str, str] = ("frequency", "frames")) -> None:
    """Raise where an array is not a spectrogram of this transform with these last axes."""
    if spectrogram.ndim < 2 or spectrogram.shape[axes.index("frequency") - 2] != stft.bins:
        raise ValueError(
            f"STFT: the spectrogram must have the axes (..., {', '.join(axes)}) with {stft.bins} frequencies (n_fft = "
            f"{stft.n_fft}, onesided = {stft.onesided}), got {list(spectrogram.shape)}"
        )
    if not jnp.iscomplexobj(spectrogram):
        raise ValueError(f"STFT: the spectrogram must be complex, got {spectrogram.dtype}")


def signal_of_sums(stft: STFT, signal: Array, power: Array) -> Array:
    """Frames added up, `(..., samples)`, over the sum of their squared unit windows, `(samples,)`; zero where it is."""
    missed = power <= jnp.finfo(power.dtype).eps ** 2
    _, peak = unit_window(stft, power.dtype)
    gain = jnp.where(missed, 0, 1 / jnp.where(missed, 1, power)) / peak
    return scale(_along_last(gain, signal), signal)


def unit_window(stft: STFT, dtype: Any) -> tuple[Array, Array]:
    """The window over a number, and that number, such that the sum of the squares of shifted windows is 1 at most."""
    window = stft.padded_window(dtype)
    peak = lax.stop_gradient(jnp.sqrt(jnp.max(periodic_sum(window**2, stft.hop))))
    peak = jnp.where(peak > 0, peak, 1)
    return window / peak, peak


@jax.jit
def _analyze_frames(stft: STFT, signal: Array) -> Array:
    if signal.ndim < 1:
        raise ValueError("STFT: signal must have the axes (..., samples), got a number")
    if not jnp.issubdtype(signal.dtype, jnp.inexact):
        signal = signal.astype(jnp.result_type(float))
    if stft.onesided and jnp.iscomplexobj(signal):
        raise ValueError(f"STFT: a complex signal ({signal.dtype}) needs onesided=False")
    stft.frames(signal.shape[-1])
    return spectra_of_frames(stft, frame(stft.grid.extend(signal), stft.n_fft, stft.hop))


@partial(jax.jit, static_argnums=2)
def _synthesize_frames(stft: STFT, spectra: Array, length: int | None) -> Array:
    check_spectrogram(stft, spectra, ("frames", "frequency"))
    frames = frames_of_spectra(stft, spectra)
    count, start = frames.shape[-2], stft.grid.offset
    length = stft.grid.natural_length(count) if length is None else length
    most = stft.grid.reach(count) + stft.hop - 1
    if not 1 <= length <= most:
        raise ValueError(f"STFT: length must be from 1 to {most} samples with {count} frames, got {length}")
    window, _ = unit_window(stft, frames.real.dtype)
    power = overlap_add_equal(window**2, stft.hop, count)
    signal = signal_of_sums(stft, overlap_add(frames, stft.hop), power)[..., start : start + length]
    return jnp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, length - signal.shape[-1])])


@partial(jax.jit, static_argnums=2)
def _consistent_frames(stft: STFT, spectra: Array, length: int | None) -> Array:
    check_spectrogram(stft, spectra, ("frames", "frequency"))
    if length is not None and stft.frames(length) != spectra.shape[-2]:
        raise ValueError(
            f"STFT: a signal of length {length} has {stft.frames(length)} frames, the spectrogram {spectra.shape[-2]}"
        )
    return _analyze_frames(stft, _synthesize_frames(stft, spectra, length))


@jax.jit
def _analyze(stft: STFT, signal: Array) -> Array:
    return transpose(_analyze_frames(stft, signal))


@partial(jax.jit, static_argnums=2)
def _synthesize(stft: STFT, spectrogram: Array, length: int | None) -> Array:
    check_spectrogram(stft, spectrogram)
    return _synthesize_frames(stft, transpose(spectrogram), length)


@partial(jax.jit, static_argnums=2)
def _consistent(stft: STFT, spectrogram: Array, length: int | None) -> Array:
    check_spectrogram(stft, spectrogram)
    return transpose(_consistent_frames(stft, transpose(spectrogram), length))


def _along_last(values: Array, array: Array) -> Array:
    """Values `(n,)` as an array of the rank of another, for a product along its last axis."""
    return values.reshape((1,) * (array.ndim - 1) + values.shape)

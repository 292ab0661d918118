"""The short-time Fourier transform and its least-squares inverse, as a pytree whose window is a leaf."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..numerics import real_dtype, scale, transpose
from ..pytree import domains, hyper, node, static
from .fourier import fft, ifft, irfft, rfft
from .framing import blocks_per_frame, coverage, frame, overlap_add
from .windows import by_name

PADDINGS = ("constant", "reflect", "none")


@node
class STFT:
    """Short-time Fourier transform.

    `X[f, t] = sum_n w[n] x[n + t R - c] exp(-2πi f n / N)`, with window w, hop R, length N (`n_fft`) and `c = ⌊N / 2⌋` if
    centred. The phase is counted from the first sample of each frame, as torch and librosa do.

    The inverse is the signal whose STFT is nearest (Griffin and Lim 1984, eq. 6): windowed inverse FFTs, added up, over
    the sum of the squared windows of the frames that exist. Where no window reaches it is zero; so a sample counts
    when that sum is at most `eps²` of its largest value.

    | centered | padding | frames of `samples` | what the inverse misses |
    |---|---|---|---|
    | yes | constant, reflect | as torch and librosa: `1 + samples // hop` (even N) | nothing if `hop <= n_fft / 2` |
    | no | constant | as scipy's ShortTimeFFT: every frame that touches the signal | nothing |
    | no | none | as torch: `1 + (samples - n_fft) // hop` | samples past the last frame, and where the window is zero |

    Attributes:
        n_fft: length of the Fourier transform in samples.
        hop: samples from one frame to the next, at most `n_fft`.
        window: `(window_length,)`, real; a leaf. Given as an array or as a name: "hann" (the default), "hamming",
            "blackman", "sine", "kaiser" (`beta` 12), "rectangular", all periodic.
        window_length: samples of the window, at most `n_fft` (the default); it stands in the middle of the frame.
        centered: whether frame t is centred on sample `t · hop`, rather than beginning there.
        padding: what the signal is continued with: "constant" (zeros), "reflect", or "none".
        onesided: whether only the frequencies from 0 to half the rate are kept, `n_fft // 2 + 1` of them, as suffices
            for a real signal; a complex signal needs all `n_fft`.

    Raises:
        ValueError: at construction, for options that contradict each other or a frame that cannot be inverted.
    """

    n_fft: int = static()
    hop: int = static()
    window: Any = hyper("hann", domain=domains.REAL)
    window_length: int | None = static(None)
    centered: bool = static(True)
    padding: str = static("constant")
    onesided: bool = static(True)

    def validate(self) -> None:
        for name in ("n_fft", "hop"):
            if not isinstance(getattr(self, name), int) or getattr(self, name) < 1:
                raise ValueError(f"STFT: {name} must be a positive integer, got {getattr(self, name)!r}")
        if self.padding not in PADDINGS:
            raise ValueError(f"STFT: padding must be one of {', '.join(PADDINGS)}, got {self.padding!r}")
        if self.centered and self.padding == "none":
            raise ValueError(
                "STFT: padding 'none' needs centered=False: the first centred frame begins before the signal"
            )
        if not self.centered and self.padding == "reflect":
            raise ValueError("STFT: padding 'reflect' needs centered=True; without it, use 'constant' or 'none'")
        self._set_window()
        if not isinstance(self.window, jax.core.Tracer):
            self._check_invertible()

    def _set_window(self) -> None:
        window, length = self.window, self.window_length
        if isinstance(window, str):
            length = self.n_fft if length is None else length
            window = jnp.asarray(by_name(window, length), jnp.result_type(float))
        if window.ndim != 1 or jnp.iscomplexobj(window):
            raise ValueError(f"STFT: window must be real with one axis, got {window.dtype}{list(window.shape)}")
        if length is not None and length != window.shape[0]:
            raise ValueError(f"STFT: window_length is {length}, but the window has {window.shape[0]} samples")
        if not 1 <= window.shape[0] <= self.n_fft:
            raise ValueError(f"STFT: the window must have 1 to n_fft = {self.n_fft} samples, got {window.shape[0]}")
        object.__setattr__(self, "window", window)
        object.__setattr__(self, "window_length", window.shape[0])

    def _check_invertible(self) -> None:
        lower, upper = (float(bound) for bound in self.frame_bounds)
        if not lower > jnp.finfo(self.window.dtype).eps * upper:
            raise ValueError(
                f"STFT: no inverse with hop = {self.hop} and this window of {self.window_length} samples: some samples "
                f"fall between the windows (frame bounds {lower:.3g} and {upper:.3g}); take a smaller hop"
            )

    # --- what it consists of

    @property
    def bins(self) -> int:
        """The number of frequencies."""
        return self.n_fft // 2 + 1 if self.onesided else self.n_fft

    @property
    def offset(self) -> int:
        """The samples by which the first frame begins before the signal."""
        if self.centered:
            return self.n_fft // 2
        return (blocks_per_frame(self.n_fft, self.hop) - 1) * self.hop if self.padding == "constant" else 0

    @property
    def frame_bounds(self) -> tuple[Array, Array]:
        """The frame bounds: `lower · |x|² <= |STFT(x)|² <= upper · |x|²` over all frequencies; equal for a tight frame."""
        power = self.n_fft * self._periodic_power(self._frame_window(self.window.dtype))
        return jnp.min(power), jnp.max(power)

    @property
    def dual(self) -> Array:
        """The canonical dual window `w[n] / sum_m w[n - m R]²`, `(n_fft,)`: its overlap-add inverts, edges apart."""
        window = self._frame_window(self.window.dtype)
        power = self._periodic_power(window)
        return window / jnp.resize(power, self.n_fft)

    def frequencies(self, rate: float) -> Array:
        """The frequency of each bin in Hz, `(frequency,)`; `rate` in Hz. The upper half of a two-sided one is negative."""
        return jnp.asarray((np.fft.rfftfreq if self.onesided else np.fft.fftfreq)(self.n_fft, 1 / rate))

    def times(self, frames: int, rate: float) -> Array:
        """The time of the middle of each frame in seconds, `(frames,)`; `rate` in Hz."""
        return jnp.asarray((np.arange(frames) * self.hop + self.n_fft // 2 - self.offset) / rate)

    def frames(self, samples: int) -> int:
        """The number of frames of a signal of so many samples.

        Raises:
            ValueError: if the signal is too short for the padding.
        """
        half, reach = self.n_fft // 2, blocks_per_frame(self.n_fft, self.hop)
        least = {"constant": 1, "reflect": half + 1, "none": self.n_fft}[self.padding]
        if samples < least:
            raise ValueError(
                f"STFT: the signal needs at least {least} samples with n_fft = {self.n_fft} and padding "
                f"{self.padding!r}, got {samples}"
            )
        if self.centered:
            return 1 + (samples + 2 * half - self.n_fft) // self.hop
        return (
            reach + (samples - 1) // self.hop if self.padding == "constant" else 1 + (samples - self.n_fft) // self.hop
        )

    # --- the transform, frequency before frames

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
        """The signal whose STFT is nearest to a spectrogram, in the least-squares sense (reflection set aside).

        Args:
            spectrogram: complex, `(..., frequency, frames)`.
            length: samples wanted; by default those under the middle of all frames if centred, else all samples.

        Returns:
            `(..., samples)`, real if `onesided`.

        Raises:
            ValueError: for another number of frequencies, or a length that the frames do not reach.
        """
        return _synthesize(self, spectrogram, length)

    def consistent(self, spectrogram: Array, *, length: int | None = None) -> Array:
        """The projection on spectrograms of signals, `STFT(iSTFT(S))`; the orthogonal one unless `reflect` pads.

        Args:
            spectrogram: complex, `(..., frequency, frames)`.
            length: samples of the signals; they must have as many frames as `spectrogram`.

        Returns:
            Complex, `(..., frequency, frames)`.
        """
        return _consistent(self, spectrogram, length)

    # --- the same, frames before frequency: how it is computed, and the faster layout in memory

    def analyze_frames(self, signal: Array) -> Array:
        """The STFT in the layout `(..., frames, frequency)`; else as `analyze`."""
        return _analyze_frames(self, signal)

    def synthesize_frames(self, spectra: Array, *, length: int | None = None) -> Array:
        """The inverse of `analyze_frames`; else as `synthesize`."""
        return _synthesize_frames(self, spectra, length)

    def consistent_frames(self, spectra: Array, *, length: int | None = None) -> Array:
        """The projection in the layout `(..., frames, frequency)`; else as `consistent`."""
        return _consistent_frames(self, spectra, length)

    # --- parts

    def _frame_window(self, dtype: Any) -> Array:
        left = (self.n_fft - self.window.shape[-1]) // 2
        return jnp.pad(self.window.astype(dtype), (left, self.n_fft - self.window.shape[-1] - left))

    def _periodic_power(self, window: Array) -> Array:
        reach = blocks_per_frame(self.n_fft, self.hop)
        return jnp.sum(jnp.pad(window**2, (0, reach * self.hop - self.n_fft)).reshape(reach, self.hop), axis=0)

    def _extend(self, signal: Array, frames: int) -> Array:
        """The signal with what stands before and after it, as far as the frames reach."""
        samples, none = signal.shape[-1], [(0, 0)] * (signal.ndim - 1)
        if self.padding == "reflect":
            return jnp.pad(signal, none + [(self.n_fft // 2, self.n_fft // 2)], mode="reflect")
        after = (frames - 1) * self.hop + self.n_fft - self.offset - samples
        return lax.pad(signal, jnp.zeros((), signal.dtype), [(0, 0, 0)] * len(none) + [(self.offset, after, 0)])

    def _default_length(self, frames: int) -> int:
        covered = (frames - 1) * self.hop + self.n_fft
        if self.centered:
            return covered - 2 * (self.n_fft // 2)
        reach = blocks_per_frame(self.n_fft, self.hop)
        return (frames - reach + 1) * self.hop if self.padding == "constant" else covered


@jax.jit
def _analyze(stft: STFT, signal: Array) -> Array:
    return transpose(_analyze_frames(stft, signal))


@partial(jax.jit, static_argnums=2)
def _synthesize(stft: STFT, spectrogram: Array, length: int | None) -> Array:
    return _synthesize_frames(stft, transpose(spectrogram), length)


@partial(jax.jit, static_argnums=2)
def _consistent(stft: STFT, spectrogram: Array, length: int | None) -> Array:
    return transpose(_consistent_frames(stft, transpose(spectrogram), length))


@jax.jit
def _analyze_frames(stft: STFT, signal: Array) -> Array:
    signal = _inexact(signal)
    if signal.ndim < 1:
        raise ValueError("STFT: signal must have the axes (..., samples), got a number")
    if stft.onesided and jnp.iscomplexobj(signal):
        raise ValueError(f"STFT: a complex signal ({signal.dtype}) needs onesided=False")
    count = stft.frames(signal.shape[-1])
    frames = frame(stft._extend(signal, count), stft.n_fft, stft.hop)
    window = stft._frame_window(real_dtype(signal))
    return (rfft if stft.onesided else fft)(scale(_row(window, frames), frames), n=stft.n_fft)


@partial(jax.jit, static_argnums=2)
def _synthesize_frames(stft: STFT, spectra: Array, length: int | None) -> Array:
    if spectra.ndim < 2 or spectra.shape[-1] != stft.bins:
        raise ValueError(
            f"STFT: synthesis needs {stft.bins} frequencies (n_fft = {stft.n_fft}, onesided = {stft.onesided}), "
            f"got {spectra.shape[-1] if spectra.ndim else 'a number'}"
        )
    count = spectra.shape[-2]
    length = stft._default_length(count) if length is None else length
    reached = (count - 1) * stft.hop + stft.n_fft - stft.offset
    if not 0 < length < reached + stft.hop:
        raise ValueError(f"STFT: length must be 1 to {reached + stft.hop - 1} with {count} frames, got {length}")
    window = stft._frame_window(real_dtype(spectra))
    frames = (irfft if stft.onesided else ifft)(spectra, n=stft.n_fft)
    signal = overlap_add(scale(_row(window, frames), frames), stft.hop)
    power = coverage(window**2, stft.hop, count)
    missed = power <= jnp.finfo(window.dtype).eps ** 2 * jnp.max(lax.stop_gradient(power))
    gain = jnp.where(missed, 0, 1 / jnp.where(missed, 1, power))
    signal = scale(_row(gain, signal), signal)[..., stft.offset : stft.offset + length]
    return jnp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, length - signal.shape[-1])])


@partial(jax.jit, static_argnums=2)
def _consistent_frames(stft: STFT, spectra: Array, length: int | None) -> Array:
    if length is not None and stft.frames(length) != spectra.shape[-2]:
        raise ValueError(
            f"STFT: a signal of length {length} has {stft.frames(length)} frames, the spectrogram {spectra.shape[-2]}"
        )
    return _analyze_frames(stft, _synthesize_frames(stft, spectra, length))


def _inexact(signal: Array) -> Array:
    return signal if jnp.issubdtype(signal.dtype, jnp.inexact) else signal.astype(jnp.result_type(float))


def _row(window: Array, frames: Array) -> Array:
    return window.reshape((1,) * (frames.ndim - 1) + window.shape)

"""Starts that take each peak of a spectrum for a sinusoid, and turn its phase at its frequency from frame to frame.

Where peaks are is not differentiated; what follows from their magnitudes is.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import log, phase, scale
from ..pytree import node, static


@node
class SinusoidalPhase:
    """Sinusoidal phase unwrapping (Magron, Badeau and David, 2015): `φ_t = φ_{t-1} + 2π hop ν_t`.

    `ν_t` is the frequency of the nearest peak of the frame, by a parabola through the logarithms of three magnitudes;
    peaks below a hundredth of the largest do not count, and bins of a frame without peaks turn at their own frequency.
    The first frame has the phase of the mixture, or zero where there is none. It suits stationary tones. It knows of no
    onsets: after one, phases are those of before, so that for music with strong attacks the mixture's phase is better.

    Attributes:
        n_fft, hop: samples, as in the transform.
    """

    n_fft: int = static()
    hop: int = static()

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        is_peak, offset = peaks(magnitudes, log)
        is_peak = is_peak & (magnitudes >= 0.01 * jnp.max(magnitudes, axis=-2, keepdims=True))
        left, right = neighbours(is_peak)
        bins = _bins(magnitudes)
        nearest = jnp.where(right < 0, left, jnp.where((left < 0) | (bins >= (left + right) // 2), right, left))
        turns = self.hop * frequency(offset, nearest, bins, self.n_fft)[..., 1:]
        turns = jnp.cumsum(turns - lax.stop_gradient(jnp.round(turns)), axis=-1)
        turned = turning(jnp.pad(turns, [(0, 0)] * (turns.ndim - 1) + [(1, 0)]))
        first = jnp.ones_like(turned[..., :1]) if mixture is None else phase(mixture[..., :1])
        return scale(magnitudes, turned * first)


@node
class SPSI:
    """Single pass spectrogram inversion (Beauregard, Harish and Wyse, 2015), for spectrograms without a mixture.

    As `SinusoidalPhase`, but bins around a peak take their phase from it, down to the valleys, with the signs that the
    main lobe of a window has; the parabola goes through the magnitudes themselves, and all peaks count. Phases begin at
    zero. For transforms whose phases count from the beginning of the frame, as here.

    Attributes:
        n_fft, hop: samples, as in the transform.
    """

    n_fft: int = static()
    hop: int = static()

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        is_peak, offset = peaks(magnitudes, lambda magnitude: magnitude)
        left, right = neighbours(is_peak)
        bins = _bins(magnitudes)
        rising = jnp.diff(magnitudes, axis=-2) > 0
        rising = jnp.concatenate([rising, rising[..., -1:, :]], axis=-2)
        owner = jnp.where(rising, right, left)
        above = jnp.take_along_axis(offset, jnp.maximum(owner, 0), axis=-2) >= 0
        away = jnp.where(above, bins - owner, owner - bins)  # to the side on which the sinusoid is
        flipped = (owner >= 0) & ((away == 1) | (away < 0))
        turns = self.hop * frequency(offset, owner, bins, self.n_fft)
        turns = turns + flipped.astype(turns.dtype) / 2
        home = jnp.where(owner < 0, bins, owner)

        def step(before: Array, frame: tuple[Array, ...]) -> tuple[Array, Array]:
            turn, home = frame
            now = jnp.take_along_axis(before, home, axis=-1) + turn
            now = now - lax.stop_gradient(jnp.round(now))
            return now, now

        frames = tuple(jnp.moveaxis(array, -1, 0) for array in (turns, home))
        _, phases = lax.scan(step, jnp.zeros_like(magnitudes[..., 0]), frames)
        return scale(magnitudes, turning(jnp.moveaxis(phases, 0, -1)))


def peaks(magnitudes: Array, warp: Callable[[Array], Array]) -> tuple[Array, Array]:
    """Which bins are larger than both neighbours, and by how many bins the top of the parabola is above them."""
    inner = magnitudes[..., 1:-1, :]
    is_peak = (inner > magnitudes[..., :-2, :]) & (inner > magnitudes[..., 2:, :])
    warped = warp(magnitudes)
    below, here, above = warped[..., :-2, :], warped[..., 1:-1, :], warped[..., 2:, :]
    curvature = below - 2 * here + above
    flat = jnp.finfo(curvature.dtype).eps * jnp.abs(here) + jnp.finfo(curvature.dtype).tiny ** 0.5
    bent = is_peak & (curvature < -flat)
    offset = jnp.where(bent, (below - above) / 2 / jnp.where(bent, curvature, 1), 0)
    around = [(0, 0)] * (magnitudes.ndim - 2) + [(1, 1), (0, 0)]
    return jnp.pad(is_peak, around), jnp.pad(offset, around)


def neighbours(is_peak: Array) -> tuple[Array, Array]:
    """For each bin the last peak up to it and the first from it on; -1 where there is none."""
    axis, bins = is_peak.ndim - 2, _bins(is_peak)
    left = lax.cummax(jnp.where(is_peak, bins, -1), axis=axis)
    beyond = is_peak.shape[-2]
    right = lax.cummin(jnp.where(is_peak, bins, beyond), axis=axis, reverse=True)
    return left, jnp.where(right == beyond, -1, right)


def frequency(offset: Array, peak: Array, bins: Array, n_fft: int) -> Array:
    """That of a bin's peak, in cycles a sample; the bin's own where it has none."""
    owned = peak >= 0
    interpolated = jnp.take_along_axis(offset, jnp.maximum(peak, 0), axis=-2)
    return jnp.where(owned, peak.astype(offset.dtype) + interpolated, bins.astype(offset.dtype)) / n_fft


def turning(turns: Array) -> Array:
    """`e^{2πi turns}`."""
    return lax.complex(jnp.cos(2 * jnp.pi * turns), jnp.sin(2 * jnp.pi * turns))


def _bins(array: Array) -> Array:
    return lax.broadcasted_iota(jnp.int32, array.shape, array.ndim - 2)

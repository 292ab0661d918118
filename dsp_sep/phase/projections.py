"""The three projections that phase recovery alternates between (Magron and Virtanen, 2023, section 2)."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..numerics import expand, phase, scale, transpose
from ..transforms import STFT


def consistent(spectrogram: Array, stft: STFT, length: int | None = None) -> Array:
    """`G(S) = STFT(iSTFT(S))`: the nearest spectrogram that some signal has.

    Args:
        spectrogram: complex, `(..., frequency, frames)`.
        stft: the transform.
        length: samples of the signal; those of the longest that has so many frames unless given.
    """
    return transpose(consistent_frames(transpose(spectrogram), stft, length))


def consistent_frames(spectra: Array, stft: STFT, length: int | None = None) -> Array:
    """`consistent` in the layout `(..., frames, frequency)`, which spares a loop two transpositions."""
    length = longest(stft, spectra.shape[-2]) if length is None else length
    return stft.consistent_frames(spectra, length=length)


def frames_first(values: Array, ndim: int) -> Array:
    """Values `(..., frequency, frames)` in the layout of the loop, with `ndim` axes; a number stays one."""
    return transpose(expand(values, ndim)) if values.ndim else values


def longest(stft: STFT, frames: int) -> int | None:
    """Samples of the longest signal that has so many frames; `None` where those the transform takes by itself are."""
    return frames * stft.hop - 1 + stft.n_fft % 2 if stft.centered else None


def energy(squares: Array, stft: STFT) -> Array:
    """The sum over the whole spectrum and all frames, where one side may be all that is kept: `(...)`.

    This is the norm in which `consistent` is the nearest spectrogram: frequencies that have a mirror count twice.

    Args:
        squares: `(..., frequency, frames)`.
        stft: the transform.
    """
    weights = np.ones(stft.bins, squares.dtype)
    if stft.onesided:
        weights[1 : (stft.n_fft + 1) // 2] = 2
    return jnp.sum(jnp.sum(squares, axis=-1) * weights.reshape((1,) * (squares.ndim - 2) + (-1,)), axis=-1)


def project_magnitude(spectrogram: Array, magnitude: Array) -> Array:
    """`A ⊙ S / |S|`: the nearest spectrogram with the magnitudes `A`; the phase of zero is zero.

    Args:
        spectrogram: complex, `(..., frequency, frames)`.
        magnitude: nonnegative, of the same shape.
    """
    return scale(magnitude, phase(spectrogram))


def project_mixture(sources: Array, mixture: Array, weights: Array | float) -> Array:
    """`S_j + λ_j (X - Σ_k S_k)`: sources that sum to the mixture, the error shared out by weights.

    With equal weights these are the nearest sources that do.

    Args:
        sources: complex, `(..., sources, channels, frequency, frames)`.
        mixture: complex, `(..., 1, channels, frequency, frames)`.
        weights: `λ`, summing to one over the sources, a number or an array of the shape of the sources.
    """
    error = mixture - jnp.sum(sources, axis=-4, keepdims=True)
    return sources + scale(jnp.asarray(weights, error.real.dtype), error)

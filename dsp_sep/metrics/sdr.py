"""Plain signal-to-distortion ratios: of a signal, of a multichannel image, by chunks, and their median."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from .ratios import check, decibels


@jax.jit
def snr(reference: Array, estimate: Array) -> Array:
    """The signal-to-noise ratio of every signal, each channel on its own: `10 log10(Σ s² / Σ (s - ŝ)²)`.

    Args:
        reference: the true signals, (..., samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...). NaN where the reference is silent, +inf for a perfect estimate, 0 for a silent one.
        Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes (a last axis shorter than the one before it), no floats.
    """
    reference, estimate = check("snr", reference, estimate, "samples")
    return _ratio(reference, estimate, axis=-1)


@jax.jit
def sdr(reference: Array, estimate: Array) -> Array:
    """The signal-to-distortion ratio of every image, its channels pooled.

    `10 log10(Σ s² / Σ (s - ŝ)²)`, the sums over channels and samples. This is the SDR of BSS Eval version 4 (museval)
    of one frame, and the measure of the Music Demixing Challenges (which add 1e-7 to both sums).

    Args:
        reference: the true images, (..., channels, samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...). NaN where the reference is silent, +inf for a perfect estimate, 0 for a silent one.
        Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes (a last axis shorter than the one before it), no floats.

    Source: F.-R. Stöter, A. Liutkus, N. Ito, "The 2018 signal separation evaluation campaign", LVA/ICA 2018.
    """
    reference, estimate = check("sdr", reference, estimate, "channels, samples")
    return _ratio(reference, estimate, axis=(-2, -1))


@jax.jit
def usdr(reference: Array, estimate: Array) -> Array:
    """The SDR of the Music Demixing Challenges of every image ("utterance" SDR, of whole songs), its channels pooled.

    `10 log10((Σ s² + ε) / (Σ (s - ŝ)² + ε))` with ε = 1e-7, whatever the scale: finite throughout, 0 dB for silence
    taken for silence, and for full-scale audio equal to `sdr` up to about 100 dB.

    Args:
        reference: the true images, (..., channels, samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...).

    Raises:
        ValueError: as `sdr`.

    Source: Y. Mitsufuji et al., "Music Demixing Challenge 2021", Frontiers in Signal Processing 1, 2022.
    """
    reference, estimate = check("usdr", reference, estimate, "channels, samples")
    energy, error = (jnp.sum(signal**2, axis=(-2, -1)) for signal in (reference, reference - estimate))
    return 10 * jnp.log10((energy + 1e-7) / (error + 1e-7))


@partial(jax.jit, static_argnames=("rate", "seconds"))
def chunk_sdr(reference: Array, estimate: Array, rate: float, seconds: float = 1.0) -> Array:
    """`sdr` of successive chunks, as museval's framewise SDR (its window and hop both `seconds`).

    Samples at the end that fill no chunk are left out. Two differences to museval. There a chunk in which any one
    source or estimate is silent is NaN for all sources, here only for the source whose reference is silent; a silent
    estimate has 0 dB. And there a signal shorter than a chunk is one chunk, here an error.

    Args:
        reference: the true images, (..., channels, samples).
        estimate: the estimated ones, of the same shape.
        rate: samples per second (Hz), a Python number.
        seconds: how long a chunk is, a Python number.

    Returns:
        Decibels, (..., chunks); NaN for chunks in which the reference is silent.

    Raises:
        ValueError: as `sdr`, and for signals shorter than a chunk.
    """
    reference, estimate = check("chunk_sdr", reference, estimate, "channels, samples")
    size, samples = round(rate * seconds), reference.shape[-1]
    if not 0 < size <= samples:
        raise ValueError(f"chunk_sdr: expected chunks of 1 to {samples} samples, got {seconds} s at {rate} Hz")
    return sdr(_chunks(reference, size), _chunks(estimate, size))


@partial(jax.jit, static_argnames=("rate", "seconds"))
def median_sdr(reference: Array, estimate: Array, rate: float, seconds: float = 1.0) -> Array:
    """The median of `chunk_sdr` over the chunks in which the reference sounds: museval's figure for a track.

    Args:
        reference: the true images, (..., channels, samples).
        estimate: the estimated ones, of the same shape.
        rate: samples per second (Hz), a Python number.
        seconds: how long a chunk is, a Python number.

    Returns:
        Decibels, (...); NaN where the reference is silent throughout.

    Raises:
        ValueError: as `chunk_sdr`.
    """
    return jnp.nanmedian(chunk_sdr(reference, estimate, rate, seconds), axis=-1)


def _ratio(reference: Array, estimate: Array, axis: int | tuple[int, ...]) -> Array:
    energy = jnp.sum(reference**2, axis=axis)
    value = decibels(energy, jnp.sum((reference - estimate) ** 2, axis=axis))
    return jnp.where(energy == 0, jnp.nan, value)


def _chunks(signal: Array, size: int) -> Array:
    """(..., channels, samples) to (..., chunks, channels, size)."""
    count = signal.shape[-1] // size
    return jnp.moveaxis(signal[..., : count * size].reshape(*signal.shape[:-1], count, size), -2, -3)

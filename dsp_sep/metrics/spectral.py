"""How far spectrograms are apart, in decibels: the lower the better."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from ..transforms import STFT
from .ratios import check, decibels


@jax.jit
def log_spectral_distance(reference: Array, estimate: Array) -> Array:
    """The log-spectral distance of magnitude spectrograms, each channel on its own.

    `mean_t sqrt(mean_f (20 log10(V / V̂))²)`. Magnitudes more than 100 dB below the largest of the reference count as
    that, in both.

    Args:
        reference: nonnegative, (..., frequency, frames).
        estimate: nonnegative, of the same shape.

    Returns:
        Decibels, (...), zero for equal ones; NaN where the reference is silent. The derivative at equal frames is zero.

    Raises:
        ValueError: shapes that differ, too few axes, no floats.

    Source: A. Gray, J. Markel, "Distance measures for speech processing", IEEE Transactions on Acoustics, Speech, and
    Signal Processing 24, 1976.
    """
    reference, estimate = check("log_spectral_distance", reference, estimate, "frequency, frames", samples=False)
    largest = jnp.max(reference, axis=(-2, -1), keepdims=True)
    floor = jnp.where(largest > 0, 1e-5 * largest, 1)
    difference = 20 * (jnp.log10(jnp.maximum(reference, floor)) - jnp.log10(jnp.maximum(estimate, floor)))
    square = jnp.mean(difference**2, axis=-2)
    distance = jnp.where(square > 0, jnp.sqrt(jnp.where(square > 0, square, 1)), 0)
    return jnp.where(largest[..., 0, 0] > 0, jnp.mean(distance, axis=-1), jnp.nan)


@jax.jit
def spectral_convergence(reference: Array, estimate: Array) -> Array:
    """The spectral convergence of magnitude spectrograms in dB, each channel on its own: `20 log10(‖V - V̂‖ / ‖V‖)`.

    Args:
        reference: nonnegative, (..., frequency, frames); in phase recovery the magnitudes that were given.
        estimate: nonnegative, of the same shape; in phase recovery those of the STFT of the signal that was found.

    Returns:
        Decibels, (...); -inf for equal ones, NaN where the reference is silent. Differentiable where finite; elsewhere
        the derivatives are zero.

    Raises:
        ValueError: shapes that differ, too few axes, no floats.

    Source: N. Sturmel, L. Daudet, "Signal reconstruction from STFT magnitude: a state of the art", DAFx 2011.
    """
    reference, estimate = check("spectral_convergence", reference, estimate, "frequency, frames", samples=False)
    energy, error = (jnp.sum(part**2, axis=(-2, -1)) for part in (reference, reference - estimate))
    return jnp.where(energy == 0, jnp.nan, -decibels(energy, error))


@partial(jax.jit, static_argnames="length")
def inconsistency(stft: STFT, spectrogram: Array, *, length: int | None = None) -> Array:
    """How far a spectrogram is from those that signals have, in dB: `20 log10(‖S - STFT(iSTFT(S))‖ / ‖S‖)`.

    Args:
        stft: the transform.
        spectrogram: complex, (..., frequency, frames).
        length: samples of the signals it is to be the STFT of; by default as `stft.synthesize` has it.

    Returns:
        Decibels, (...), each channel on its own: at most 0, about -135 in float32 for the STFT of a signal, NaN for
        silence. Differentiable where finite; elsewhere the derivatives are zero.

    Source: J. Le Roux, N. Ono, S. Sagayama, "Explicit consistency constraints for STFT spectrograms and their
    application to phase reconstruction", SAPA 2008.
    """
    parts = (spectrogram, spectrogram - stft.consistent(spectrogram, length=length))
    energy, error = (jnp.sum(part.real**2 + part.imag**2, axis=(-2, -1)) for part in parts)
    return jnp.where(energy == 0, jnp.nan, -decibels(energy, error))

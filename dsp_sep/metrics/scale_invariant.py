"""The scale-invariant ratios of Le Roux and others, each channel on its own."""

import jax
import jax.numpy as jnp
from jax import Array

from .bss_eval import SourceRatios, bss_eval_sources
from .ratios import check, decibels


@jax.jit
def si_sdr(reference: Array, estimate: Array) -> Array:
    """The scale-invariant signal-to-distortion ratio of every signal, each channel on its own.

    `10 log10(|α s|² / |α s - ŝ|²)` with `α = <ŝ, s> / |s|²`: the reference s is scaled to fit the estimate ŝ best. The
    mean is not removed. In float32 right to 0.01 dB up to 60 dB and more.

    Args:
        reference: the true signals, (..., samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...). NaN where the reference is silent, +inf for a perfect estimate, -inf for one that is silent or
        has nothing of the reference in it. Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes (a last axis shorter than the one before it), no floats.

    Source: J. Le Roux, S. Wisdom, H. Erdogan, J. R. Hershey, "SDR - half-baked or well done?", ICASSP 2019. Not
    for several channels as one image (it forgives another gain in each): use `sdr`.
    """
    reference, estimate = check("si_sdr", reference, estimate, "samples")
    target, silent = _target(reference, estimate)
    value = decibels(jnp.sum(target**2, axis=-1), jnp.sum((target - estimate) ** 2, axis=-1))
    return jnp.where(silent, jnp.nan, value)


@jax.jit
def sd_sdr(reference: Array, estimate: Array) -> Array:
    """The scale-dependent signal-to-distortion ratio of every signal, each channel on its own.

    `10 log10(|α s|² / |s - ŝ|²)` with the `α` of `si_sdr`: never above `si_sdr`; a wrong gain counts, a low one more
    than in `snr`.

    Args:
        reference: the true signals, (..., samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (...). NaN where the reference is silent, +inf for a perfect estimate, -inf for one that is silent or
        has nothing of the reference in it. Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: as `si_sdr`.

    Source: Le Roux et al. (2019), as `si_sdr`.
    """
    reference, estimate = check("sd_sdr", reference, estimate, "samples")
    target, silent = _target(reference, estimate)
    value = decibels(jnp.sum(target**2, axis=-1), jnp.sum((reference - estimate) ** 2, axis=-1))
    return jnp.where(silent, jnp.nan, value)


@jax.jit
def si_sir(reference: Array, estimate: Array) -> Array:
    """The scale-invariant signal-to-interference ratio of every source, each channel on its own.

    `10 log10(|α s|² / |e|²)`: of what `si_sdr` calls distortion, e is the projection on the span of all sources.

    Args:
        reference: the true sources, (..., sources, channels, samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (..., sources, channels); NaN for all sources where any source or estimate is silent, +inf without
        interference. Computed in float64; differentiable where finite, elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes, no floats.

    Source: Le Roux et al. (2019), as `si_sdr`.
    """
    return jnp.swapaxes(_one_tap("si_sir", reference, estimate).sir, -1, -2)


@jax.jit
def si_sar(reference: Array, estimate: Array) -> Array:
    """The scale-invariant signal-to-artifacts ratio of every source, each channel on its own.

    `10 log10(|α s|² / |e|²)`: of what `si_sdr` calls distortion, e is orthogonal to all sources. With `si_sir` it adds
    up: `10^(-SI-SDR/10) = 10^(-SI-SIR/10) + 10^(-SI-SAR/10)`. The SAR of BSS Eval, fast_bss_eval's scale-invariant one
    too, has target and interference above the line.

    Args:
        reference: the true sources, (..., sources, channels, samples).
        estimate: the estimated ones, of the same shape.

    Returns:
        Decibels, (..., sources, channels), as `si_sir`.

    Raises:
        ValueError: as `si_sir`.

    Source: Le Roux et al. (2019), as `si_sdr`.
    """
    found = _one_tap("si_sar", reference, estimate)
    return jnp.swapaxes(found.sar - 10 * jnp.log10(1 + 10 ** (-found.sir / 10)), -1, -2)


def _target(reference: Array, estimate: Array) -> tuple[Array, Array]:
    """The reference, scaled to fit the estimate best, and where it is silent."""
    energy = jnp.sum(reference**2, axis=-1, keepdims=True)
    silent = energy == 0
    alpha = jnp.sum(estimate * reference, axis=-1, keepdims=True) / jnp.where(silent, 1, energy)
    return alpha * reference, silent[..., 0]


def _one_tap(name: str, reference: Array, estimate: Array) -> SourceRatios:
    """BSS Eval with one tap, every channel as mono: (..., channels, sources)."""
    reference, estimate = check(name, reference, estimate, "sources, channels, samples")
    return bss_eval_sources(*(jnp.swapaxes(signal, -3, -2)[..., None, :] for signal in (reference, estimate)), taps=1)

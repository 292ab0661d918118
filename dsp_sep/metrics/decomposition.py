"""BSS Eval's decomposition of an estimate: filters from statistics, energies from filters, ratios from energies.

An estimate is the reference, filtered (`p`), and what other references add to that (`P - p`), and a rest (`ŝ - P`): `p`
is the projection on the delays of the channels of one reference, `P` on those of all of them. The filters solve normal
equations that are block Toeplitz.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..transforms.fourier import irfft, rfft
from ..transforms.framing import frame
from .parts import Grid
from .ratios import decibels
from .statistics import Pairs, Statistics, sounding
from .toeplitz import solve


class Filters(NamedTuple):
    """The distortion filters, the last axis for their taps.

    Attributes:
        own: from the channels of a reference to those of an estimate, (pairs, C, C, taps).
        joint: from the channels of all references to those of an estimate, (S C, E C, taps).
    """

    own: Array
    joint: Array


class Energies(NamedTuple):
    """Energies of the parts of the estimate of each pair, (pairs,), and in how many samples each signal sounds."""

    image: Array
    error: Array
    filtered: Array
    spatial: Array
    distortion: Array
    projected: Array
    interference: Array
    artifacts: Array
    sounds: Array


class Ratios(NamedTuple):
    """The ratios in dB of each pair, (pairs,); `source_sdr` is that of version 3, to the filtered reference."""

    sdr: Array
    isr: Array
    sir: Array
    sar: Array
    source_sdr: Array


def fit(known: Statistics, which: Pairs, channels: int) -> Filters:
    """The filters that are best on the samples that the statistics are of."""
    power = jnp.diagonal(known.references[0])
    unit = jnp.sqrt(jnp.where(power > 0, power, 1))[None, :, None]
    gram = known.references / (unit * jnp.swapaxes(unit, 1, 2))
    cross = known.estimates / unit
    joint = solve(gram, cross) / unit

    lags, count, _ = gram.shape
    sources = count // channels
    blocks = jnp.diagonal(gram.reshape(lags, sources, channels, sources, channels), axis1=1, axis2=3)
    rows = jnp.moveaxis(cross.reshape(lags, sources, channels, -1), 1, 0)
    own = jax.vmap(solve)(jnp.moveaxis(blocks, -1, 0), rows) / unit.reshape(sources, 1, channels, 1)
    own = jnp.moveaxis(own.reshape(sources, lags, channels, -1, channels), (1, 3), (-1, 1))
    return Filters(own[which.reference, which.estimate], jnp.moveaxis(joint, 0, -1))


def energies(reference: Array, estimate: Array, filters: Filters, which: Pairs, layout: Grid) -> Energies:
    """The energies of a part, `(S, C, samples)` and `(E, C, samples)` with what is around it."""
    reference, estimate = (signal.astype(jnp.float64) for signal in (reference, estimate))
    sources, channels, _ = reference.shape
    end = layout.around + layout.size
    before = reference[..., :end]
    spectra = rfft(frame(before.reshape(sources * channels, end), layout.block, layout.step), n=layout.block)
    own, joint = (_pad(taps, layout.block) for taps in filters)
    every = which.estimates(_filter(spectra, joint, layout).reshape(-1, channels, layout.size))
    alone = jax.vmap(lambda one, taps: _filter(one, taps, layout))(
        which.references(spectra.reshape(sources, channels, *spectra.shape[1:])), own
    )
    truth = which.references(reference[..., layout.around : end])
    guess = which.estimates(estimate[..., layout.around : end])
    return Energies(
        image=_energy(truth),
        error=_energy(truth - guess),
        filtered=_energy(alone),
        spatial=_energy(alone - truth),
        distortion=_energy(guess - alone),
        projected=_energy(every),
        interference=_energy(every - alone),
        artifacts=_energy(guess - every),
        sounds=sounding(reference[..., layout.around : end], estimate[..., layout.around : end]),
    )


def ratios(known: Energies) -> Ratios:
    """The ratios of each pair; NaN for all of them where the channels of any source or estimate sum to silence."""
    values = Ratios(
        sdr=decibels(known.image, known.error),
        isr=decibels(known.image, known.spatial),
        sir=decibels(known.filtered, known.interference),
        sar=decibels(known.projected, known.artifacts),
        source_sdr=decibels(known.filtered, known.distortion),
    )
    silent = jnp.any(known.sounds == 0)
    return jax.tree.map(lambda value: jnp.where(silent, jnp.nan, value), values)


def _energy(image: Array) -> Array:
    return jnp.sum(image**2, axis=(-2, -1))


def _pad(taps: Array, block: int) -> Array:
    return rfft(jnp.pad(taps, [(0, 0)] * (taps.ndim - 1) + [(0, block - taps.shape[-1])]), n=block)


def _filter(spectra: Array, responses: Array, layout: Grid) -> Array:
    """Signals (I, blocks, frequency) through filters (I, O, frequency), blocks overlapping, to (O, size)."""
    outputs = jnp.sum(spectra[:, None] * responses[:, :, None], axis=0)
    return irfft(outputs, n=layout.block)[..., layout.around :].reshape(-1, layout.size)

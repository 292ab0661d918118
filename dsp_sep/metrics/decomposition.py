"""BSS Eval's decomposition of an estimate: by filters, from statistics to energies to ratios.

An estimate is the reference, filtered (`p`), and what other references add to that (`P - p`), and a rest (`ŝ - P`): `p`
is the projection on the delays of the channels of one reference, `P` on those of all of them. A filter of so many taps
is the least-squares solution of normal equations, block Toeplitz; every energy is a quadratic form of the filters.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .ratios import decibels
from .statistics import Pairs, Statistics
from .toeplitz import quadratic, solve, spectrum


class Filters(NamedTuple):
    """The distortion filters of each pair of a reference and an estimate.

    Attributes:
        own: from the channels of the reference to those of the estimate, (pairs, taps, C, C).
        joint: from the channels of all references, (pairs, taps, S C, C).
    """

    own: Array
    joint: Array


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
    unit = jnp.sqrt(jnp.where(power > 0, power, 1))
    gram = known.references / (unit[None, :, None] * unit[None, None, :])
    cross = known.estimates / unit[None, :, None]
    joint = solve(gram, cross) / unit[None, :, None]
    rows = jnp.moveaxis(cross.reshape(cross.shape[0], -1, channels, cross.shape[-1]), 1, 0)
    own = jax.vmap(solve)(_own(gram, channels), rows) / unit.reshape(-1, 1, channels, 1)
    own = _pick(jnp.moveaxis(own, 0, 1), which, channels)
    by_estimate = jnp.moveaxis(joint.reshape(*joint.shape[:2], -1, channels), -2, 0)
    return Filters(own, by_estimate[which.estimate])


def ratios(known: Statistics, filters: Filters, which: Pairs) -> Ratios:
    """The ratios of each pair; NaN for all of them where the channels of any source or estimate sum to silence."""
    channels = filters.own.shape[-1]
    taps = filters.own.shape[1]
    every = spectrum(known.references)
    alone = spectrum(_own(known.references, channels)[which.reference])

    def energy(joint: Array) -> Array:
        columns = jnp.moveaxis(joint, 0, 2).reshape(taps, joint.shape[2], -1)
        return jnp.sum(quadratic(every, columns).reshape(-1, channels), axis=-1)

    image = jnp.sum(_own(known.references, channels)[which.reference][:, 0].diagonal(axis1=-2, axis2=-1), axis=-1)
    filtered = jnp.sum(quadratic(alone, filters.own), axis=-1)
    spatial = jnp.sum(quadratic(alone, filters.own.at[:, 0].add(-_identity(filters.own))), axis=-1)
    projected = energy(filters.joint)
    interference = energy(filters.joint - _embed(filters.own, which, filters.joint.shape[2]))

    estimate = known.energy[which.estimate]
    cross = jnp.moveaxis(known.estimates.reshape(*known.estimates.shape[:2], -1, channels), -2, 0)[which.estimate]
    artifacts = _remainder(estimate, projected, jnp.sum(cross * filters.joint, axis=(1, 2, 3)))
    own_cross = _pick(known.estimates.reshape(taps, -1, channels, known.estimates.shape[-1]), which, channels)
    distortion = _remainder(estimate, filtered, jnp.sum(own_cross * filters.own, axis=(1, 2, 3)))
    values = Ratios(
        sdr=decibels(image, known.error),
        isr=decibels(image, spatial),
        sir=decibels(filtered, interference),
        sar=decibels(projected, artifacts),
        source_sdr=decibels(filtered, distortion),
    )
    silent = jnp.any(known.sounds == 0)
    return jax.tree.map(lambda value: jnp.where(silent, jnp.nan, value), values)


def _remainder(whole: Array, part: Array, inner: Array) -> Array:
    """`|a - b|²` from `|a|²`, `|b|²` and `<a, b>`; zero where that is rounding."""
    rest = whole + part - 2 * inner
    return jnp.where(rest > 64 * jnp.finfo(rest.dtype).eps * (whole + part), rest, 0)


def _own(gram: Array, channels: int) -> Array:
    """(taps, S C, S C) to the blocks of each source by itself, (S, taps, C, C)."""
    taps, count, _ = gram.shape
    blocks = gram.reshape(taps, count // channels, channels, count // channels, channels)
    return jnp.moveaxis(jnp.diagonal(blocks, axis1=1, axis2=3), -1, 0)


def _pick(blocks: Array, which: Pairs, channels: int) -> Array:
    """(taps, S, C, E C) to the blocks of the pairs, (pairs, taps, C, C)."""
    apart = blocks.reshape(*blocks.shape[:3], -1, channels)
    return jnp.moveaxis(apart, (1, 3), (0, 1))[which.reference, which.estimate]


def _embed(own: Array, which: Pairs, rows: int) -> Array:
    """Filters of one source as filters of all, zero for the others: (pairs, taps, C, C) to (pairs, taps, S C, C)."""
    count, taps, channels, _ = own.shape
    chosen = which.reference[:, None] == np.arange(rows // channels)
    spread = jnp.asarray(chosen, own.dtype)[:, None, :, None, None] * own[:, :, None]
    return spread.reshape(count, taps, rows, channels)


def _identity(own: Array) -> Array:
    return jnp.broadcast_to(jnp.eye(own.shape[-1], dtype=own.dtype), (own.shape[0], *own.shape[2:]))

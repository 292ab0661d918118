"""What the algorithms of the room share: data, units, and passes over the frames."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import blocks, check_finite, check_nonnegative
from ..numerics import maxima, scale, square_magnitude, sum_and_max, sum_of_few, tiny


class Mixture(NamedTuple):
    """The data, and the unit of the room, in which the mixture has a mean power of one.

    Kept as the user gave them, so that what is in units of the room exists for the frames at hand only.

    Attributes:
        given: the mixture, `(..., channels, frequency, frames)`.
        given_magnitudes: of the sources, `(..., sources, 1 or channels, frequency, frames)`.
        unit: the root of the mean power, in the user's numbers, `(..., 1, 1, 1)`.
        peak: the largest power of the mixture, in units, `(..., 1, 1)`.
    """

    given: Array
    given_magnitudes: Array
    unit: Array
    peak: Array

    @property
    def mixture(self) -> Array:
        """The mixture in units."""
        return scale(1 / self.unit, self.given)

    @property
    def magnitudes(self) -> Array:
        """The magnitudes in units."""
        return self.given_magnitudes / jnp.expand_dims(self.unit, -4)


def prepare(data: tuple[Array, Array], name: str) -> Mixture:
    """Check a mixture and magnitudes, and find their unit."""
    mixture, magnitudes = data
    if mixture.ndim < 3 or not jnp.iscomplexobj(mixture):
        raise ValueError(
            f"{name}: the mixture has shape {mixture.shape} and dtype {mixture.dtype}, "
            f"expected complex (..., channels, frequency, frames)"
        )
    *batch, channels, frequencies, frames = mixture.shape
    fits = magnitudes.ndim == mixture.ndim + 1 and magnitudes.shape[-3] in (1, channels)
    if not fits or jnp.iscomplexobj(magnitudes) or magnitudes.shape[-2:] != mixture.shape[-2:]:
        raise ValueError(
            f"{name}: magnitudes have shape {magnitudes.shape} and dtype {magnitudes.dtype}, expected real "
            f"{(*batch, 'sources', f'1 or {channels}', frequencies, frames)} to go with a mixture of shape "
            f"{mixture.shape}"
        )
    check_nonnegative(name, "magnitudes", magnitudes)
    check_finite(name, "the mixture", mixture)
    _, unit, peak = in_units(mixture)
    return Mixture(mixture, magnitudes, unit, peak)


class Observation(NamedTuple):
    """The mixture with a mean power of one, and the root of the mean power it had, `(..., 1, 1, 1)`."""

    mixture: Array
    unit: Array


def observation(mixture: Array, name: str) -> Observation:
    """Check and scale the mixture that is all an algorithm knows."""
    if mixture.ndim < 3 or not jnp.iscomplexobj(mixture) or mixture.shape[-3] < 2:
        raise ValueError(
            f"{name}: the mixture has shape {mixture.shape} and dtype {mixture.dtype}, "
            f"expected complex (..., channels, frequency, frames) with two channels or more"
        )
    check_finite(name, "the mixture", mixture)
    return Observation(*in_units(mixture)[:2])


def in_units(mixture: Array) -> tuple[Array, Array, Array]:
    """The mixture with a mean power of one, the root of the mean power it had, and the largest power it has now.

    Silence stays; its unit and peak are one.
    """
    of_rows = jnp.stack(maxima([jnp.abs(mixture.real), jnp.abs(mixture.imag)]))
    largest = jnp.expand_dims(jnp.max(of_rows, axis=(0, -2, -1)), (-3, -2, -1))
    silent = largest <= tiny(largest.dtype)
    largest = jnp.where(silent, 1, largest)  # so that no square leaves the numbers
    totals, peaks = sum_and_max(square_magnitude(scale(1 / largest, mixture)))
    mean = jnp.expand_dims(jnp.sum(totals, axis=(-2, -1)), (-3, -2, -1)) / math.prod(mixture.shape[-3:])
    power = jnp.where(silent, 1, mean)
    unit = largest * jnp.sqrt(power)
    peak = jnp.where(silent, 1, jnp.expand_dims(jnp.max(peaks, axis=(-2, -1)), (-3, -2, -1)) / power)
    return scale(1 / unit, mixture), unit, peak[..., 0]


def over_frames(
    map: Callable[..., tuple[Any, Any]], data: Mixture, *others: Any, block: int | None, replacing: Any = None
) -> tuple[Any, Any]:
    """A pass over all frames at once, or block by block; see `blocks`.

    Args:
        map: a function of the data and the others, of some frames each, and of what is to be replaced, if anything is.
        data: the mixture and its magnitudes.
        others: arrays with the same frames.
        block: frames at a time; all unless given.
        replacing: arrays whose places what is kept takes.
    """

    def frames(block: Any, *old: Any) -> tuple[Any, Any]:
        (given, magnitudes), others = block
        return map(data._replace(given=given, given_magnitudes=magnitudes), *others, *old)

    arrays = (data.given, data.given_magnitudes), others
    if block is None:
        return frames(arrays, *(() if replacing is None else (replacing,)))
    return blocks(
        frames, lambda total, more: jax.tree.map(jnp.add, total, more), arrays, size=block, replacing=replacing
    )


def mean_power(magnitudes: Array) -> Array:
    """One power for all channels, `(..., sources, 1, frequency, frames)`."""
    return sum_of_few(magnitudes**2, -3, keepdims=True) / magnitudes.shape[-3]

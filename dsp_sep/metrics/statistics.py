"""What BSS Eval needs to know of references and estimates to fit its filters: sums over samples."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..transforms.fourier import irfft, rfft
from ..transforms.framing import frame
from .parts import Grid


class Statistics(NamedTuple):
    """Sums over samples in float64; `S` references, `E` estimates, `C` channels.

    Attributes:
        references: `Σ_n r_i(n) r_j(n + lag)` of all channels of all references, (lags, S C, S C).
        estimates: `Σ_n r_i(n) e_j(n + lag)`, (lags, S C, E C).
    """

    references: Array
    estimates: Array


class Pairs(NamedTuple):
    """Which reference is compared with which estimate: two arrays of indices (pairs,)."""

    reference: np.ndarray
    estimate: np.ndarray

    def references(self, signals: Array) -> Array:
        """The reference of each pair, of all references."""
        return _pick(signals, self.reference)

    def estimates(self, signals: Array) -> Array:
        """The estimate of each pair, of all estimates."""
        return _pick(signals, self.estimate)


def pairs(sources: int, *, all_of_them: bool = False) -> Pairs:
    """Each reference with the estimate of its number, or with every estimate (the estimates run fastest)."""
    index = np.arange(sources)
    return Pairs(np.repeat(index, sources), np.tile(index, sources)) if all_of_them else Pairs(index, index)


def statistics(reference: Array, estimate: Array, layout: Grid) -> Statistics:
    """The statistics of a part, `(S, C, samples)` and `(E, C, samples)` with what is around it."""
    both = jnp.concatenate([reference, estimate]).astype(jnp.float64)
    channels = both.reshape(-1, both.shape[-1])[:, layout.around :]
    count = reference.shape[0] * reference.shape[1]
    correlations = correlate(channels[:count, : layout.size], channels, layout)
    return Statistics(correlations[..., :count], correlations[..., count:])


def correlate(first: Array, second: Array, layout: Grid) -> Array:
    """`Σ_n first_i(n) second_j(n + lag)` for lags from 0 on: (I, size), (J, size + around) to (lags, I, J)."""
    blocks = first.reshape(first.shape[0], -1, layout.step)
    blocks = jnp.pad(blocks, ((0, 0), (0, 0), (0, layout.around)))
    later = frame(second, layout.block, layout.step)
    cross = jnp.sum(jnp.conj(rfft(blocks, n=layout.block))[:, None] * rfft(later, n=layout.block)[None], axis=-2)
    return jnp.moveaxis(irfft(cross, n=layout.block)[..., : layout.taps], -1, 0)


def sounding(reference: Array, estimate: Array) -> Array:
    """In how many samples the channels of each reference, then of each estimate, do not sum to zero: (S + E,)."""
    signals = lax.stop_gradient(jnp.concatenate([reference, estimate]))
    return jnp.sum(jnp.sum(signals, axis=-2) != 0, axis=-1)


def _pick(signals: Array, index: np.ndarray) -> Array:
    return signals if np.array_equal(index, np.arange(len(signals))) else signals[index]

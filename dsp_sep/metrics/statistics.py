"""What BSS Eval needs to know of references and estimates: sums over samples, so that those of parts add up.

The correlations are taken by blocks: FFTs of 16 times as many samples as there are lags, whatever the signals' length.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..transforms.fourier import irfft, rfft
from ..transforms.framing import frame

BLOCKS = 16
"""How many blocks of FFTs make a segment of a long signal."""


class Statistics(NamedTuple):
    """Sums over samples of sources and estimates in float64; `S` references, `E` estimates, `C` channels.

    Attributes:
        references: `Σ_n r_i(n) r_j(n + lag)` of all channels of all references, (lags, S C, S C).
        estimates: `Σ_n r_i(n) e_j(n + lag)`, (lags, S C, E C).
        energy: of each estimate, (E,).
        error: `Σ (r - e)²` of each pair, (pairs,).
        sounds: in how many samples the channels of a reference, then of an estimate, do not sum to zero, (S + E,).
    """

    references: Array
    estimates: Array
    energy: Array
    error: Array
    sounds: Array


class Pairs(NamedTuple):
    """Which reference is compared with which estimate: two arrays of indices (pairs,)."""

    reference: np.ndarray
    estimate: np.ndarray


def pairs(sources: int, *, all_of_them: bool) -> Pairs:
    """Each reference with the estimate of its number, or with every estimate (the estimates run fastest)."""
    index = np.arange(sources)
    return Pairs(np.repeat(index, sources), np.tile(index, sources)) if all_of_them else Pairs(index, index)


def statistics(reference: Array, estimate: Array, which: Pairs, taps: int, context: int = 0) -> Statistics:
    """The statistics of a part.

    Args:
        reference: (S, C, samples + context).
        estimate: (E, C, samples + context).
        which: the pairs of which the error is wanted.
        taps: the number of lags.
        context: how many samples at the end belong to the next part, at most `taps - 1`; after them all is silent.
    """
    both = jnp.concatenate([reference, estimate]).astype(jnp.float64)
    samples = both.shape[-1] - context
    part = both[..., :samples]
    count = reference.shape[0] * reference.shape[1]
    channels = both.reshape(-1, both.shape[-1])
    after = jnp.pad(channels, ((0, 0), (0, taps - 1 - context)))
    correlations = correlate(channels[:count, :samples], after, taps)
    truth, guess = part[: reference.shape[0]], part[reference.shape[0] :]
    return Statistics(
        correlations[..., :count],
        correlations[..., count:],
        jnp.sum(guess**2, axis=(-2, -1)),
        jnp.sum((truth[which.reference] - guess[which.estimate]) ** 2, axis=(-2, -1)),
        jnp.sum(lax.stop_gradient(jnp.sum(part, axis=-2)) != 0, axis=-1),
    )


def whole_statistics(reference: Array, estimate: Array, which: Pairs, taps: int) -> Statistics:
    """The statistics of signals of any length, (S, C, samples) and (E, C, samples), in the memory of a segment."""
    samples, context = reference.shape[-1], taps - 1
    size = segment_size(taps)
    whole = max(samples - context, 0) // size

    @jax.checkpoint
    def add(total: Statistics, start: Array) -> tuple[Statistics, None]:
        truth, guess = (
            lax.dynamic_slice_in_dim(signal, start, size + context, axis=-1) for signal in (reference, estimate)
        )
        return jax.tree.map(jnp.add, total, statistics(truth, guess, which, taps, context)), None

    rest = statistics(reference[..., whole * size :], estimate[..., whole * size :], which, taps)
    return lax.scan(add, rest, jnp.arange(whole) * size)[0] if whole else rest


def segment_size(taps: int) -> int:
    """How many samples of a long signal are taken at a time."""
    return BLOCKS * (_block(taps) - taps + 1)


def correlate(first: Array, second: Array, lags: int) -> Array:
    """`Σ_n first_i(n) second_j(n + lag)` for lags from 0 on.

    Args:
        first: (I, samples).
        second: (J, samples + lags - 1).
        lags: how many.

    Returns:
        (lags, I, J).
    """
    size = _block(lags)
    step = size - lags + 1
    count = -(-first.shape[-1] // step)
    rest = count * step - first.shape[-1]
    blocks = jnp.pad(first, ((0, 0), (0, rest))).reshape(-1, count, step)
    blocks = jnp.pad(blocks, ((0, 0), (0, 0), (0, lags - 1)))
    later = frame(jnp.pad(second, ((0, 0), (0, rest))), size, step)
    cross = jnp.sum(jnp.conj(rfft(blocks, n=size))[:, None] * rfft(later, n=size)[None], axis=-2)
    return jnp.moveaxis(irfft(cross, n=size)[..., :lags], -1, 0)


def _block(lags: int) -> int:
    return max(16 * 2 ** int(np.ceil(np.log2(lags))), 4096)

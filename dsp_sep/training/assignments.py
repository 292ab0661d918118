"""Losses where nobody knows which estimate belongs to which source."""

import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..metrics.permutation import best_order
from ..numerics import matmul
from .losses import Loss

MOST = 12
"""Estimates that `mixture_invariant` takes: it tries all ways to share them out."""


def permutation_invariant(loss: Loss, reference: Array, estimate: Array) -> Array:
    """The loss of each reference with the estimate that the best order gives it (Kolbæk et al., 2017, "uPIT").

    The order is that of the lowest sum over sources; among up to six by trying all, beyond by the Hungarian algorithm.
    It counts as constant for the gradient. The loss of a pair must depend on the pair alone, and on what all references
    have in common, as those of this room do.

    Args:
        loss: such as `negative_si_sdr`.
        reference: `(..., sources, channels, samples)`.
        estimate: of the same shape, in any order.

    Returns:
        `(..., sources)`, in the order of the references.
    """
    sources = reference.shape[-3]
    shifted = [loss(reference, jnp.roll(estimate, -shift, axis=-3)) for shift in range(sources)]
    by_shift = jnp.stack(shifted, axis=-1)
    shift_of = (np.arange(sources)[None, :] - np.arange(sources)[:, None]) % sources
    of_pair = by_shift[..., np.arange(sources)[:, None], shift_of]
    order = best_order(-lax.stop_gradient(of_pair))
    return jnp.take_along_axis(of_pair, order[..., None], axis=-1)[..., 0]


def mixture_invariant(loss: Loss, mixtures: Array, estimate: Array) -> Array:
    """The loss of mixtures remixed from the estimates in the best way: learning without any true source.

    `min over A of loss(x, A ŝ)`, where each estimate goes to one mixture (Wisdom et al., "Unsupervised sound separation
    using mixture invariant training", NeurIPS 2020, equation 2). The separator hears the sum of the mixtures. Which way
    is best counts as constant for the gradient; all are tried, one after the other, in the memory of one.

    Args:
        loss: such as `negative_sdr`.
        mixtures: the true mixtures, `(..., mixtures, channels, samples)`.
        estimate: sources of their sum, `(..., sources, channels, samples)`, at least as many as mixtures.

    Returns:
        `(..., mixtures)`.

    Raises:
        ValueError: for other shapes, or more than twelve sources.
    """
    count, sources = mixtures.shape[-3], estimate.shape[-3]
    alike = mixtures.shape[:-3] + mixtures.shape[-2:] == estimate.shape[:-3] + estimate.shape[-2:]
    if not alike or not count <= sources <= MOST:
        raise ValueError(
            f"mixture_invariant: mixtures {mixtures.shape} and estimate {estimate.shape} must be "
            f"(..., mixtures, channels, samples) and (..., sources, channels, samples), with at most {MOST} sources"
        )
    ways = np.stack(np.meshgrid(*[np.arange(count)] * sources, indexing="ij"), axis=-1).reshape(-1, sources)
    shares = jnp.asarray(ways[:, None, :] == np.arange(count)[:, None], estimate.dtype)
    known = lax.stop_gradient((mixtures, estimate))
    totals = lax.map(lambda share: jnp.sum(loss(known[0], _remix(share, known[1])), axis=-1), shares)
    return loss(mixtures, _remix(shares[jnp.argmin(totals, axis=0)], estimate))


def _remix(share: Array, estimate: Array) -> Array:
    """`(..., mixtures, sources)` times `(..., sources, channels, samples)`."""
    flat = estimate.reshape(*estimate.shape[:-2], -1)
    share = jnp.broadcast_to(share, (*estimate.shape[:-3], *share.shape[-2:]))
    return matmul(share, flat).reshape(*share.shape[:-1], *estimate.shape[-2:])

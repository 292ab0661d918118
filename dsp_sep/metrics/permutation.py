"""Which estimate belongs to which source: the assignment of the highest mean score."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

FEW = 6
"""Up to so many sources all orders are tried; beyond, the Hungarian algorithm finds the best."""


def best_order(score: Array) -> Array:
    """The order of estimates with the highest mean score; the first by the alphabet where several have it.

    Args:
        score: of each source with each estimate, (..., sources, estimates), as many of one as of the other. Infinities
            count as 1e6 dB, and NaN as nothing at all.

    Returns:
        The number of the estimate for each source, (..., sources).
    """
    score = jnp.nan_to_num(score, nan=0.0, posinf=1e6, neginf=-1e6)
    sources = score.shape[-1]
    if sources <= FEW:
        orders = np.array(list(itertools.permutations(range(sources))))
        means = jnp.mean(score[..., np.arange(sources), orders], axis=-1)
        return jnp.asarray(orders)[jnp.argmax(means, axis=-1)]
    from optax.assignment import hungarian_algorithm

    rows, columns = jax.vmap(hungarian_algorithm)(-score.reshape(-1, sources, sources))
    order = jnp.take_along_axis(columns, jnp.argsort(rows, axis=-1), axis=-1)
    return order.reshape(score.shape[:-1])

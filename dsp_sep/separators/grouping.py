"""Which components of a factorisation belong to the same source."""

from typing import NamedTuple, Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..masking import ratio
from ..nmf import Factors
from ..numerics import divide, matmul, transpose
from ..pytree import hyper, node
from .clustering import k_means, timbre


class Found(NamedTuple):
    """What blind separation has found: the factors, and the frequencies of the rows of the dictionary in Hz."""

    factors: Factors
    frequencies: np.ndarray


class Grouping(Protocol):
    """A way to gather components into sources."""

    def __call__(self, found: Found, sources: int, key: Array) -> np.ndarray:
        """The source of each component, `(components,)`, integers from 0."""


@node
class ByTimbre:
    """What sounds alike is one source: k-means of mel-cepstra (Spiertz and Gnann, 2009); the loudest source first."""

    def __call__(self, found: Found, sources: int, key: Array) -> np.ndarray:
        return _loudest_first(k_means(timbre(found.factors.dictionary, found.frequencies), sources, key=key), found)


@node
class ByActivation:
    """What sounds at the same time is one source: k-means of activations of unit norm about their mean.

    The squared distance of two components is then `2 - 2 · correlation`. For sources that are more than one component
    at a time (a drum, a chord that is strummed); not for a melody, whose notes follow each other. The loudest first.
    """

    def __call__(self, found: Found, sources: int, key: Array) -> np.ndarray:
        H = found.factors.activations
        H = H - jnp.mean(H, axis=-1, keepdims=True)
        unit = divide(H, jnp.sqrt(jnp.sum(H**2, axis=-1, keepdims=True)))
        return _loudest_first(k_means(unit, sources, key=key), found)


@node
class ByOracle:
    """Each component to the source that has most of its energy: an upper bound, for the sources have to be known.

    Attributes:
        magnitudes: of the sources, `(sources, frequency, frames)`, for the frames that were factorised; sources keep
            their order.
    """

    magnitudes: Array = hyper(kw_only=False)

    def __call__(self, found: Found, sources: int, key: Array) -> np.ndarray:
        W, H = found.factors
        if self.magnitudes.shape != (sources, W.shape[0], H.shape[1]):
            raise ValueError(
                f"ByOracle: magnitudes have shape {self.magnitudes.shape}, "
                f"expected {(sources, W.shape[0], H.shape[1])} (sources, frequency, frames)"
            )
        shares = ratio(self.magnitudes[:, None], 2.0)[:, 0]
        energy = jnp.stack([jnp.sum(matmul(transpose(W**2), share) * H**2, axis=-1) for share in shares])
        return np.asarray(jnp.argmax(energy, axis=0))


def _loudest_first(labels: Array, found: Found) -> np.ndarray:
    """The labels renumbered by the energy of their components."""
    W, H = map(np.asarray, found.factors)
    total = np.bincount(np.asarray(labels), (W**2).sum(axis=0) * (H**2).sum(axis=1), minlength=int(np.max(labels)) + 1)
    rank = np.empty(total.size, int)
    rank[np.argsort(-total, stable=True)] = np.arange(total.size)
    return rank[np.asarray(labels)]

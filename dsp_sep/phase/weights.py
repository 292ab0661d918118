"""How the error of the mixture is shared among the sources."""

from typing import Protocol

import jax.numpy as jnp
from jax import Array

from ..masking import ratio
from ..numerics import expand
from ..pytree import Number, domains, hyper, node


class MixtureWeight(Protocol):
    """Weights that sum to one over the sources, for magnitudes `(..., sources, channels, frequency, frames)`."""

    def __call__(self, magnitudes: Array) -> Array: ...


@node
class Uniform:
    """`λ_j = 1 / J`, as MISI has it: the nearest sources that sum to the mixture."""

    def __call__(self, magnitudes: Array) -> Array:
        return jnp.asarray(1 / magnitudes.shape[-4], magnitudes.dtype)


@node
class MagnitudeRatio:
    """`λ_j = A_jᵖ / Σ_k A_kᵖ`: loud sources take more of the error (Wang, Le Roux, Wang and Hershey, 2018, for p = 1).

    Attributes:
        exponent: `p`, any real number, shape `()` or one that broadcasts against the magnitudes from the right, such
            as `(sources, 1, 1, 1)`; 0 is `Uniform`, 2 gives the gains of a Wiener filter.
    """

    exponent: Number = hyper(default=1.0, domain=domains.REAL, kw_only=False)

    def __call__(self, magnitudes: Array) -> Array:
        return ratio(magnitudes, expand(self.exponent, magnitudes.ndim))


@node
class GivenWeights:
    """Weights from elsewhere.

    Attributes:
        weights: `λ`, broadcasting against `(..., sources, channels, frequency, frames)` from the right, and summing to
            one over the sources if the answer is to sum to the mixture.
    """

    weights: Number = hyper(domain=domains.REAL, kw_only=False)

    def __call__(self, magnitudes: Array) -> Array:
        return expand(self.weights, magnitudes.ndim)

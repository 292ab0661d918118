"""What is added to the divergence to prefer some factors to others."""

from typing import Protocol

import jax.numpy as jnp
from jax import Array

from ..numerics import expand
from ..pytree import Number, domains, hyper, node


class Penalty(Protocol):
    """A penalty on a factor `H` (or `W`); the same divergence with and without it is minimised by the same rules."""

    def value(self, H: Array) -> Array:
        """The penalty, `(...)`, one number for each batch item."""

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        """The parts (negative, positive) of the derivative, both nonnegative, broadcasting against the factor."""


@node
class Sparsity:
    """The L1 norm, `weight · Σ h`: fewer components at a time.

    On activations it needs a dictionary that is held (`Activations`): where both factors are learned the scale of the
    one makes up for that of the other. The weight is not scaled by anything; scikit-learn's `alpha_H` is
    `weight / frequencies` of this, torchnmf's `alpha` is the same.

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)` for one of its own to each component.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        return jnp.sum(expand(self.weight, H.ndim) * H, axis=(-2, -1))

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, expand(self.weight, H.ndim)

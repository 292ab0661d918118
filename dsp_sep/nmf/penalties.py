"""What is added to the divergence to prefer some factors to others, element by element or group by group.

Every penalty is written for `H` `(..., components, frames)`. On a dictionary it is shown `Wᵀ`, so that components are
always the axis before the last, and frequency takes the place of time. All of them keep the proof of descent of
`MajorizeMinimize` (see `rules`); with `Heuristic` those of a degree above that of the divergence do not.

On one factor alone a penalty needs the other to be held (`Activations`), to be penalised too, or to be normalised
(`SparseNMF`): else the scale of the one makes up for that of the other.
"""

from collections.abc import Sequence
from typing import Protocol

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..numerics import expand, matmul, power, transpose
from ..pytree import Number, domains, hyper, node, static
from .rules import Degrees

NONE = float("inf")
"""The lowest degree of a negative part that is not there."""


class Penalty(Protocol):
    """A penalty on a factor `H`, `(..., components, frames)`, or on `Wᵀ`."""

    def value(self, H: Array) -> Array:
        """The penalty, `(...)`, one number for each batch item."""

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        """The parts (negative, positive) of the derivative, both nonnegative, broadcasting against the factor."""

    @property
    def degrees(self) -> Degrees:
        """The degrees of a majorising function with these parts; see `rules`."""


@node
class Sparsity:
    """The L1 norm, `weight · Σ h`: fewer components at a time.

    The weight is not scaled by anything; scikit-learn's `alpha_H` with `l1_ratio=1` is `weight / frequencies` of this
    (it multiplies `alpha_H` by the rows of `V` and `alpha_W` by its columns), torchnmf's `alpha` is the same.

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)` for one of its own to each component.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        return jnp.sum(expand(self.weight, H.ndim) * H, axis=(-2, -1))

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, expand(self.weight, H.ndim)

    @property
    def degrees(self) -> Degrees:
        return 1.0, NONE


@node
class Energy:
    """The squared L2 norm, `weight / 2 · Σ h²`: no component louder than needed.

    scikit-learn's `alpha_H` with `l1_ratio=0` is `weight / frequencies` of this, with the exponent of `Heuristic`.

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)` for one of its own to each component.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        return jnp.sum(expand(self.weight, H.ndim) * H**2, axis=(-2, -1)) / 2

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, expand(self.weight, H.ndim) * H

    @property
    def degrees(self) -> Degrees:
        return 2.0, NONE


@node
class PNorm:
    """The p-th power of the p-norm, `weight / p · Σ hᵖ`, with p a trainable leaf.

    `Sparsity` at p = 1 and `Energy` at p = 2, which are faster. Below 1 it is concave and prefers exact zeros, which
    multiplicative updates approach and keep; the solution then depends on the start.

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)`.
        p: positive, shape `()`.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)
    p: Number = hyper(domain=domains.POSITIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        return jnp.sum(expand(self.weight, H.ndim) * power(H, self.p), axis=(-2, -1)) / self.p

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, expand(self.weight, H.ndim) * power(H, self.p - 1)

    @property
    def degrees(self) -> Degrees:
        return jnp.maximum(self.p, 1), NONE


@node
class GroupSparsity:
    """`weight · Σ log(ε + ‖h_g‖₁)` over sources `g` and frames: few sources at a time, each with all its components.

    Lefèvre, Bach and Févotte (2011), "Itakura-Saito nonnegative matrix factorization with group sparsity". Concave in
    the norm: the solution depends on the start.

    Attributes:
        weight: nonnegative, shape `()`.
        epsilon: ε, positive, shape `()`, in units of `h`: norms below it count as silence.
        components: how many components belong to each source, in order, as for `parts`.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)
    epsilon: Number = hyper(domain=domains.POSITIVE)
    components: Sequence[int] = static()

    def value(self, H: Array) -> Array:
        return self.weight * jnp.sum(jnp.log(self.epsilon + self._norms(H)), axis=(-2, -1))

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, self.weight * matmul(transpose(self._members(H)), 1 / (self.epsilon + self._norms(H)))

    @property
    def degrees(self) -> Degrees:
        return 1.0, NONE

    def _norms(self, H: Array) -> Array:
        return matmul(self._members(H), H)

    def _members(self, H: Array) -> Array:
        """Which components (columns) are whose (rows), `(..., sources, components)`."""
        if sum(self.components) != H.shape[-2]:
            raise ValueError(
                f"GroupSparsity: components {tuple(self.components)} do not add up to the {H.shape[-2]} of the factor"
            )
        members = np.repeat(np.eye(len(self.components)), self.components, axis=1)
        return expand(jnp.asarray(members, H.dtype), H.ndim)

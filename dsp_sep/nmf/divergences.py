"""The beta-divergences between a spectrogram `V` and its model `Y = W H`, and what multiplicative updates need of them.

The derivative of `D(V | Y)` with respect to `Y` is the difference of two nonnegative parts, `positive - negative`.
An update of `H` needs `Wᵀ negative` and `Wᵀ positive`, one of `W` needs `negative Hᵀ` and `positive Hᵀ`.
Source: Févotte and Idier, "Algorithms for nonnegative matrix factorization with the β-divergence", 2011.
"""

import abc

import jax.numpy as jnp
from jax import Array

from ..numerics import matmul, transpose
from ..pytree import Number, domains, hyper, node
from .rules import Degrees


class Divergence(abc.ABC):
    """A divergence `D(V | Y)`, element by element. `V` and `Y` are at least their floor, so that none is zero."""

    @abc.abstractmethod
    def value(self, V: Array, Y: Array) -> Array:
        """The divergence of each element."""

    @abc.abstractmethod
    def derivative(self, V: Array, Y: Array) -> tuple[Array, Array]:
        """The parts (negative, positive) of the derivative with respect to `Y`."""

    @property
    @abc.abstractmethod
    def degrees(self) -> Degrees:
        """`max(β, 1)` and `min(β - 1, 1)`: how the parts change with the model, for the rules of the updates."""

    def activations_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        """`(Wᵀ negative, Wᵀ positive)`, both `(..., components, frames)`."""
        negative, positive = self.derivative(V, jnp.maximum(matmul(W, H), floor))
        return matmul(transpose(W), negative), matmul(transpose(W), positive)

    def dictionary_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        """`(negative Hᵀ, positive Hᵀ)`, both `(..., frequency, components)`."""
        negative, positive = self.derivative(V, jnp.maximum(matmul(W, H), floor))
        return matmul(negative, transpose(H)), matmul(positive, transpose(H))


@node
class Euclidean(Divergence):
    """`(v - y)² / 2`, the beta-divergence with β = 2. The model itself is never formed: `Wᵀ W H`."""

    def value(self, V: Array, Y: Array) -> Array:
        return (V - Y) ** 2 / 2

    def derivative(self, V: Array, Y: Array) -> tuple[Array, Array]:
        return V, Y

    @property
    def degrees(self) -> Degrees:
        return 2.0, 1.0

    def activations_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        return matmul(transpose(W), V), matmul(matmul(transpose(W), W), H)

    def dictionary_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        return matmul(V, transpose(H)), matmul(W, matmul(H, transpose(H)))


@node
class KullbackLeibler(Divergence):
    """`v log(v/y) - v + y`, β = 1. The positive part is one: sums of columns of `W`, of rows of `H`."""

    def value(self, V: Array, Y: Array) -> Array:
        return V * jnp.log(V / Y) - V + Y

    def derivative(self, V: Array, Y: Array) -> tuple[Array, Array]:
        return V / Y, jnp.ones_like(Y)

    @property
    def degrees(self) -> Degrees:
        return 1.0, 0.0

    def activations_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        negative = V / jnp.maximum(matmul(W, H), floor)
        return matmul(transpose(W), negative), transpose(jnp.sum(W, axis=-2, keepdims=True))

    def dictionary_parts(self, V: Array, W: Array, H: Array, floor: Array) -> tuple[Array, Array]:
        negative = V / jnp.maximum(matmul(W, H), floor)
        return matmul(negative, transpose(H)), transpose(jnp.sum(H, axis=-1, keepdims=True))


@node
class ItakuraSaito(Divergence):
    """`v/y - log(v/y) - 1`, β = 0: for power spectrograms; the same for `(c v, c y)` at every scale `c`."""

    def value(self, V: Array, Y: Array) -> Array:
        return V / Y - jnp.log(V / Y) - 1

    def derivative(self, V: Array, Y: Array) -> tuple[Array, Array]:
        inverse = 1 / Y
        return V * inverse * inverse, inverse

    @property
    def degrees(self) -> Degrees:
        return 1.0, -1.0


@node
class Beta(Divergence):
    """The beta-divergence of any order, `(v^β + (β - 1) y^β - β v y^(β-1)) / (β (β - 1))`, with β a trainable leaf.

    With β = 0, 1, 2 it is `ItakuraSaito`, `KullbackLeibler`, `Euclidean`, which are faster. Its value is computed as
    `v L(β - 1) - L(β)`, where `L(p) = (v^p - y^p) / p` is `log(v/y)` at `p = 0`, so that no order is singular. Below
    β = 0 silence weighs more than sound by far, and in single precision the rest may be lost beside it.

    Attributes:
        beta: β, any real number, shape `()`. Between 0 and 1 small values count more than with larger β.
    """

    beta: Number = hyper(domain=domains.REAL, kw_only=False)

    def value(self, V: Array, Y: Array) -> Array:
        return V * _power_difference(V, Y, self.beta - 1) - _power_difference(V, Y, self.beta)

    def derivative(self, V: Array, Y: Array) -> tuple[Array, Array]:
        # one power for both; below β = 0 it may exceed all numbers, so its logarithm is bounded
        log_y = jnp.log(Y)
        bound = 0.9 * jnp.log(jnp.finfo(Y.dtype).max) + jnp.minimum(log_y - jnp.log(V), 0)
        positive = jnp.exp(jnp.minimum((self.beta - 1) * log_y, bound))
        return V / Y * positive, positive

    @property
    def degrees(self) -> Degrees:
        return jnp.maximum(self.beta, 1), jnp.minimum(self.beta - 1, 1)


def _power_difference(V: Array, Y: Array, p: Array) -> Array:
    """`(V^p - Y^p) / p`, and its limit `log(V / Y)` at `p = 0`."""
    log_v, log_y = jnp.log(V), jnp.log(Y)
    half = p * (log_v - log_y) / 2
    small = jnp.abs(half) < 0.01
    safe = jnp.where(small, 1, half)
    quotient = jnp.where(small, 1 + half**2 / 6 * (1 + half**2 / 20), jnp.sinh(safe) / safe)
    return (log_v - log_y) * jnp.exp(p * (log_v + log_y) / 2) * quotient

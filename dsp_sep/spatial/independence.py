"""What blind separation assumes of a source: how its powers vary together.

A source model looks at powers `|y|²` `(..., sources, frequency, frames)` and gives weights, one over the variances.
"""

import abc
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array

from .. import nmf
from ..nmf.updates import observe, update_activations, update_dictionary
from ..numerics import matmul
from ..pytree import Number, domains, hyper, node, static


class SourceModel(abc.ABC):
    """A model of the sources. The methods see positive powers; the mean power of the mixture is one."""

    def start(self, powers: Array, key: Array | None) -> Any:
        """The state for the powers that the start gives."""
        return ()

    def fit(self, state: Any, powers: Array) -> Any:
        """The state nearer to powers."""
        return state

    @abc.abstractmethod
    def weights(self, state: Any, powers: Array) -> Array:
        """`φ`, broadcasting against the powers."""

    @abc.abstractmethod
    def loss(self, state: Any, powers: Array) -> Array:
        """The negative log-likelihood of the sources, of a mean frame, `(...)`."""


@node
class Laplace(SourceModel):
    """A spherical Laplacian over frequencies: all of a source comes and goes together; robust. `φ = 1 / ‖y‖`."""

    def weights(self, state: Any, powers: Array) -> Array:
        return 1 / _norm(powers)

    def loss(self, state: Any, powers: Array) -> Array:
        return _mean(2 * _norm(powers))


@node
class Gauss(SourceModel):
    """A Gaussian with one variance for all frequencies of a frame. `φ = frequencies / ‖y‖²`."""

    def weights(self, state: Any, powers: Array) -> Array:
        return powers.shape[-2] / _norm(powers) ** 2

    def loss(self, state: Any, powers: Array) -> Array:
        return _mean(2 * powers.shape[-2] * jnp.log(_norm(powers)))


@node
class IndependentLowRank(SourceModel):
    """Gaussian sources with variances of low rank, `r_j = T_j V_j` (ILRMA; Kitamura et al., 2016). `φ = 1 / r`.

    Attributes:
        components: how many for each source: 2 or so for speech, more for music.
        initial: where the factors start; drawn, with a key, unless given.
    """

    components: int = static()
    initial: nmf.starts.Start = hyper(default=nmf.Random())

    def start(self, powers: Array, key: Array | None) -> nmf.Factors:
        V = observe(powers, "IndependentLowRank").V
        return nmf.Factors(
            self.initial.start_dictionary(V, self.components, key),
            self.initial.start_activations(V, self.components, key),
        )

    def fit(self, state: nmf.Factors, powers: Array) -> nmf.Factors:
        return _factors(state, lambda state: powers)

    def weights(self, state: nmf.Factors, powers: Array) -> Array:
        return 1 / _variance(state)

    def loss(self, state: nmf.Factors, powers: Array) -> Array:
        r = _variance(state)
        return _mean(jnp.sum(powers / r + jnp.log(r), axis=-2, keepdims=True))


@node
class HeavyTailed(SourceModel):
    """`IndependentLowRank` for Student's t (Mogami et al., 2017, whose domain parameter is 2 here).

    With `ζ = (ν r + 2 |y|²) / (ν + 2)`: factors as for the powers `|y|² r / ζ`, and `φ = 1 / ζ`.

    Attributes:
        components: how many for each source.
        freedom: `ν`, positive: 1 is Cauchy's, infinity Gauss's.
        initial: where the factors start; drawn, with a key, unless given.
    """

    components: int = static()
    freedom: Number = hyper(default=1000.0, domain=domains.POSITIVE)
    initial: nmf.starts.Start = hyper(default=nmf.Random())

    start = IndependentLowRank.start

    def fit(self, state: nmf.Factors, powers: Array) -> nmf.Factors:
        return _factors(state, lambda state: powers * _variance(state) * self.weights(state, powers))

    def weights(self, state: nmf.Factors, powers: Array) -> Array:
        return (self.freedom + 2) / (self.freedom * _variance(state) + 2 * powers)

    def loss(self, state: nmf.Factors, powers: Array) -> Array:
        r = _variance(state)
        tails = (1 + self.freedom / 2) * jnp.log1p(2 * powers / (self.freedom * r))
        return _mean(jnp.sum(jnp.log(r) + tails, axis=-2, keepdims=True))


@node
class LearnedSources(SourceModel):
    """Variances by a network, `r = network(√|y|²)²`: trained through the iterations (Scheibler and Togami, 2021).

    Attributes:
        network: magnitudes `(..., sources, frequency, frames)` to magnitudes of this shape, source by source.
    """

    network: Callable[[Array], Array] = hyper(kw_only=False)

    def weights(self, state: Any, powers: Array) -> Array:
        return 1 / self._variance(powers)

    def loss(self, state: Any, powers: Array) -> Array:
        r = self._variance(powers)
        return _mean(jnp.sum(powers / r + jnp.log(r), axis=-2, keepdims=True))

    def _variance(self, powers: Array) -> Array:
        eps = jnp.finfo(powers.dtype).eps
        return jnp.maximum(self.network(jnp.sqrt(jnp.maximum(powers, eps**2))).astype(powers.dtype) ** 2, eps)


def _factors(state: nmf.Factors, powers: Callable[[nmf.Factors], Array]) -> nmf.Factors:
    """One update of each factor for the Itakura-Saito divergence, from powers that may depend on them."""
    V = observe(powers(state), "IndependentLowRank")
    W = update_dictionary(V, *state, nmf.ItakuraSaito(), nmf.MajorizeMinimize())
    state = nmf.Factors(W, state.activations)
    V = observe(powers(state), "IndependentLowRank")
    return nmf.Factors(W, update_activations(V, *state, nmf.ItakuraSaito(), nmf.MajorizeMinimize()))


def _variance(state: nmf.Factors) -> Array:
    product = matmul(*state)
    return jnp.maximum(product, jnp.finfo(product.dtype).eps ** 2)


def _norm(powers: Array) -> Array:
    """Over frequencies, `(..., sources, 1, frames)`."""
    return jnp.sqrt(jnp.sum(powers, axis=-2, keepdims=True))


def _mean(x: Array) -> Array:
    """The mean over frames of a sum over sources, `(...)`, for `(..., sources, 1, frames)`."""
    return jnp.sum(jnp.mean(x, axis=(-2, -1)), axis=-1)

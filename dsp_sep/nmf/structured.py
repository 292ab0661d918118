"""Factorisations whose model is more than a product of two matrices: one multiplicative update for all of them.

A model is a function of nonnegative factors that is linear in each of them, with nonnegative coefficients. Its
vector-Jacobian product then takes nonnegative arrays to nonnegative arrays, so that of the two parts of the derivative
with respect to the model it makes the two parts of the derivative with respect to a factor: `Wᵀ negative` and
`Wᵀ positive`, whatever stands in the place of `W`. Jensen's inequality holds for any such map, and with it the proof of
descent. So a model here is its equation and nothing else.
"""

import math
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import divide
from ..pytree import hyper, node
from .divergences import Divergence, KullbackLeibler
from .rules import MajorizeMinimize, Rule
from .updates import Observed, Weighted, distance, multiply, observe, weighted_derivative

Parts = dict[str, Array]
"""The factors of a model by name."""


class Model(Protocol):
    """A model of a spectrogram, linear in each of its factors."""

    def shapes(self, frequencies: int, frames: int) -> dict[str, tuple[int, ...]]:
        """The shapes of the factors, in the order in which they are updated."""

    @property
    def gains(self) -> tuple[str, ...]:
        """The factors of which one stands in each term: the model is linear in all of them together."""

    def __call__(self, factors: Parts) -> Array:
        """The model, `(..., frequency, frames)`, of factors with any batch axes in front."""


@node
class Structured(Algorithm):
    """A structured factorisation, `min D(V | model(factors))`, by multiplicative updates of one factor after another.

    The updates come from the model's vector-Jacobian product (see this module); for a plain product `NMF` is the
    hand-written, faster one. The objective never rises with `MajorizeMinimize`. Data: `V` `(..., frequency, frames)`,
    or `Weighted`. Output: the factors by name, each with the batch axes of `V` in front. A start other than the random
    one is handed to the driver as `state=`; zeros in it stay.

    Attributes:
        model: `Convolutive`, `Convolutive2D`, `Harmonic`, `SourceFilter`, or any other `Model`.
        divergence: what is measured; Kullback-Leibler unless given.
        rule: how the derivative becomes a factor.
    """

    model: Any = hyper(kw_only=False)
    divergence: Divergence = hyper(default=KullbackLeibler())
    rule: Rule = hyper(default=MajorizeMinimize())

    def prepare(self, data: Array | Weighted) -> Observed:
        return observe(data, f"Structured({type(self.model).__name__})")

    def init(self, data: Observed, *, key: Array | None = None) -> Parts:
        """Half-normal numbers, the gains scaled so that the model has the mean of `V`."""
        if key is None:
            raise ValueError("Structured: a random start needs a key: pass key=jax.random.key(seed) to the driver")
        batch, shapes = data.V.shape[:-2], self.model.shapes(*data.V.shape[-2:])
        keys = jax.random.split(key, len(shapes))
        factors = {
            name: jnp.abs(jax.random.normal(k, (*batch, *shape), data.V.dtype)) / math.sqrt(2 / math.pi)
            for (name, shape), k in zip(shapes.items(), keys, strict=True)
        }
        means = [jnp.mean(x, axis=(-2, -1)) for x in (data.V, self.model(factors))]
        gain = divide(*means)
        for name in self.model.gains:
            factors[name] = factors[name] * gain.reshape(batch + (1,) * (factors[name].ndim - len(batch)))
        return factors

    def update(self, state: Parts, data: Observed) -> Parts:
        for name in self.model.shapes(*data.V.shape[-2:]):
            state = {**state, name: self._updated(name, state, data)}
        return state

    def _updated(self, name: str, state: Parts, data: Observed) -> Array:
        Y, pull = jax.vjp(lambda factor: self.model({**state, name: factor}), state[name])
        (negative,), (positive,) = map(pull, weighted_derivative(data, Y, self.divergence))
        return multiply(state[name], (negative, positive), self.divergence, self.rule)

    def objective(self, state: Parts, data: Observed) -> Array:
        return distance(data, self.model(state), self.divergence)

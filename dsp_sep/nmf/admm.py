"""Factorisation by the alternating direction method of multipliers."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve

from ..iterate import Algorithm
from ..numerics import expand, matmul, transpose
from ..pytree import Number, domains, hyper, node, static
from .divergences import Divergence, KullbackLeibler
from .proximal import PROXIMAL, proximal
from .starts import Random, Start
from .updates import Factors, Observed, Weighted, objective, observe


class Splitting(NamedTuple):
    """The free factors, the nonnegative ones, the free model, and the multipliers of the three equations."""

    free: Factors
    nonnegative: Factors
    model: Array
    multipliers: tuple[Array, Array, Array]


class Scaled(NamedTuple):
    """The spectrogram divided by its mean, and the mean, `(..., 1, 1)`."""

    observed: Observed
    mean: Array


@node
class ADMM(Algorithm):
    """NMF by ADMM, `min D(V | X)` subject to `X = W H`, `W = W₊ ≥ 0`, `H = H₊ ≥ 0`.

    Sun and Févotte (2014), "Alternating direction method of multipliers for non-negative matrix factorization with the
    beta-divergence": least squares for `W` and `H`, the proximal step of the divergence for `X`,
    projections for `W₊` and `H₊`, then the multipliers. Elements may become exactly zero and leave it again. `V` is
    divided by its mean first, so that ρ has no unit. Data: `V` `(..., frequency, frames)`; output:
    `Factors(W₊, H₊)`. The objective is that of the output; it does not fall at every step, and nothing is proved as the
    problem is not convex (`BestSoFar` keeps the best). For the divergences whose proximal step has a closed form
    (`proximal`). Given starts are relative to `V` divided by its mean.

    Attributes:
        components: how many.
        penalty: ρ, positive, shape `()`: small values move far and less surely. With `ItakuraSaito`, which is not
            convex in the model, take 10: at 1 it goes round in circles, with elements of the model that are zero.
        divergence: `Euclidean()`, `KullbackLeibler()` or `ItakuraSaito()`.
        start: where it starts from; drawn unless given.
    """

    components: int = static()
    penalty: Number = hyper(default=1.0, domain=domains.POSITIVE)
    divergence: Divergence = hyper(default=KullbackLeibler())
    start: Start = hyper(default=Random())

    def validate(self) -> None:
        if self.components < 1:
            raise ValueError(f"ADMM: components must be at least 1, got {self.components}")
        if type(self.divergence) not in PROXIMAL:
            names = ", ".join(f"{kind.__name__}()" for kind in PROXIMAL)
            raise ValueError(f"ADMM: divergence must be one of {names}, got {self.divergence}")

    def prepare(self, data: Array | Weighted) -> Scaled:
        observed = observe(data, "ADMM")
        if observed.weights is not None:
            raise ValueError("ADMM knows no weights; use NMF for weighted data")
        mean = jnp.mean(observed.V, axis=(-2, -1), keepdims=True)
        return Scaled(Observed(observed.V / mean, observed.floor / mean), mean)

    def init(self, data: Scaled, *, key: Array | None = None) -> Splitting:
        V = data.observed.V
        factors = Factors(
            self.start.start_dictionary(V, self.components, key), self.start.start_activations(V, self.components, key)
        )
        zeros = (jnp.zeros_like(V), jnp.zeros_like(factors.dictionary), jnp.zeros_like(factors.activations))
        return Splitting(factors, factors, matmul(*factors), zeros)

    def update(self, state: Splitting, data: Scaled) -> Splitting:
        (_, H), (W_, H_), X = state.free, state.nonnegative, state.model
        on_X, on_W, on_H = (multiplier / self.penalty for multiplier in state.multipliers)
        W = transpose(_least_squares(transpose(H), transpose(X + on_X), transpose(W_ - on_W)))
        H = _least_squares(W, X + on_X, H_ - on_H)
        Y = matmul(W, H)
        X = proximal(self.divergence, data.observed.V, Y - on_X, self.penalty)
        W_, H_ = jnp.maximum(W + on_W, 0), jnp.maximum(H + on_H, 0)
        moved = (self.penalty * (on_X + X - Y), self.penalty * (on_W + W - W_), self.penalty * (on_H + H - H_))
        return Splitting(Factors(W, H), Factors(W_, H_), X, moved)

    def readout(self, state: Splitting, data: Scaled) -> Factors:
        W, H = state.nonnegative
        return Factors(W, data.mean * H)

    def objective(self, state: Splitting, data: Scaled) -> Array:
        observed = Observed(data.mean * data.observed.V, data.mean * data.observed.floor)
        return objective(observed, *self.readout(state, data), self.divergence)


def _least_squares(W: Array, X: Array, anchor: Array) -> Array:
    """`argmin ‖X - W H‖² + ‖H - anchor‖²` over `H`."""
    gram = matmul(transpose(W), W) + expand(jnp.eye(W.shape[-1], dtype=W.dtype), W.ndim)
    return cho_solve(cho_factor(gram), matmul(transpose(W), X) + anchor)

"""Solvers for the Euclidean distance that need the products of the data with a factor once, and use them repeatedly."""

import math
from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from ..iterate import Algorithm
from ..numerics import divide, matmul, tiny, transpose
from ..pytree import Number, domains, hyper, node, static
from .divergences import Euclidean
from .starts import Random, Start
from .updates import Factors, Observed, Weighted, objective, observe


@node
class HALS(Algorithm):
    """Hierarchical alternating least squares, `min ½ ‖V - W H‖²`, each component in turn exactly.

    Cichocki and Phan (2009): `h_k ← max(h_k + (w_kᵀ V - w_kᵀ W H) / ‖w_k‖², 0)`, and the same for the columns of `W`,
    which goes first. Each step is the minimum in one component, so the objective never rises; it needs far fewer
    iterations than multiplicative updates. `repeats` above 1 is accelerated HALS (Gillis and Glineur, 2012): `V Hᵀ` and
    `H Hᵀ` are computed once for so many sweeps over `W`, fewer once they achieve little, and likewise for `H`. Elements
    that reach zero may leave it again. Data: `V` `(..., frequency, frames)`; output: `Factors`. For β = 2 only, and
    without weights. Magnitudes of music are better fitted by `KullbackLeibler` as a rule.

    Attributes:
        components: how many.
        repeats: sweeps at most over each factor for one product with `V`; `accelerated_repeats` is that paper's choice.
        least_progress: δ, between 0 and 1, shape `()`: sweeps end with the first that moves the factor (its Frobenius
            norm) less than δ times as far as the first one did; 0.1 in that paper, 0 for all of them.
        sparsity: the weight of an L1 penalty on `H`, as `Sparsity`'s: nonnegative, shape `()`.
        start: where it starts from; drawn unless given.
    """

    components: int = static()
    repeats: int = static(default=1)
    least_progress: Number = hyper(default=0.1, domain=domains.UNIT_INTERVAL)
    sparsity: Number = hyper(default=0.0, domain=domains.NONNEGATIVE)
    start: Start = hyper(default=Random())

    def validate(self) -> None:
        if self.components < 1 or self.repeats < 1:
            raise ValueError(
                f"HALS: components and repeats must be at least 1, got {self.components} and {self.repeats}"
            )

    def prepare(self, data: Array | Weighted) -> Observed:
        return _unweighted(data, "HALS")

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        return _drawn(self.start, data, self.components, key)

    def update(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        W = transpose(self._sweeps(transpose(W), *_products(transpose(data.V), transpose(H)), 0 * self.sparsity))
        return Factors(W, self._sweeps(H, *_products(data.V, W), self.sparsity))

    def objective(self, state: Factors, data: Observed) -> Array:
        W, H = state
        return objective(data, W, H, Euclidean()) + self.sparsity * jnp.sum(H, axis=(-2, -1))

    def _sweeps(self, H: Array, correlation: Array, gram: Array, sparsity: Array) -> Array:
        return _repeat(lambda H: _sweep(H, correlation, gram, sparsity), H, self.repeats, self.least_progress)


@node
class AcceleratedMU(Algorithm):
    """Multiplicative updates for `½ ‖V - W H‖²`, each product with `V` used for several of them.

    Gillis and Glineur (2012), "Accelerated multiplicative updates and hierarchical ALS algorithms for nonnegative
    matrix factorization": `H ← H ⊙ Wᵀ V / (Wᵀ W H)` costs little once `Wᵀ V` and `Wᵀ W` are there. The objective never
    rises, zeros stay. With `repeats = 1` it is `NMF` with `Euclidean()`. `HALS` is faster still.

    Attributes:
        components: how many.
        repeats: updates at most of each factor for one product with `V`; `accelerated_repeats` is that paper's choice.
        least_progress: δ, between 0 and 1, shape `()`: updates end with the first that moves the factor (its Frobenius
            norm) less than δ times as far as the first one did; 0.1 in that paper, 0 for all of them.
        start: where it starts from; drawn unless given.
    """

    components: int = static()
    repeats: int = static(default=10)
    least_progress: Number = hyper(default=0.1, domain=domains.UNIT_INTERVAL)
    start: Start = hyper(default=Random())

    def validate(self) -> None:
        if self.components < 1 or self.repeats < 1:
            raise ValueError(
                f"AcceleratedMU: components and repeats must be at least 1, got {self.components} and {self.repeats}"
            )

    def prepare(self, data: Array | Weighted) -> Observed:
        return _unweighted(data, "AcceleratedMU")

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        return _drawn(self.start, data, self.components, key)

    def update(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        W = transpose(self._several(transpose(W), *_products(transpose(data.V), transpose(H))))
        return Factors(W, self._several(H, *_products(data.V, W)))

    def objective(self, state: Factors, data: Observed) -> Array:
        return objective(data, *state, Euclidean())

    def _several(self, H: Array, correlation: Array, gram: Array) -> Array:
        smallest = tiny(H.dtype)

        def step(H: Array) -> Array:
            return H * jnp.maximum(correlation / jnp.maximum(matmul(gram, H), smallest), smallest)

        return _repeat(step, H, self.repeats, self.least_progress)


def accelerated_repeats(frequencies: int, frames: int, components: int, alpha: float) -> int:
    """How often to update a factor `H` for one product with `V`, `⌊1 + α ρ⌋` (Gillis and Glineur, 2012).

    `ρ = 1 + (F N + F K) / (N K + N)` compares what the products with `V` cost with what an update costs.

    Args:
        frequencies: F.
        frames: N.
        components: K.
        alpha: 2 for multiplicative updates and 0.5 for HALS, in that paper.
    """
    return math.floor(1 + alpha * (1 + (frequencies * (frames + components)) / (frames * (components + 1))))


def _unweighted(data: Array | Weighted, name: str) -> Observed:
    observed = observe(data, name)
    if observed.weights is not None:
        raise ValueError(f"{name} knows no weights; use NMF with Euclidean() for weighted data")
    return observed


def _drawn(start: Start, data: Observed, components: int, key: Array | None) -> Factors:
    return Factors(start.start_dictionary(data.V, components, key), start.start_activations(data.V, components, key))


def _products(V: Array, W: Array) -> tuple[Array, Array]:
    """`(Wᵀ V, Wᵀ W)`."""
    return matmul(transpose(W), V), matmul(transpose(W), W)


def _sweep(H: Array, correlation: Array, gram: Array, sparsity: Array) -> Array:
    """Each row of `H` in turn at the minimum of `½ ‖V - W H‖² + sparsity Σ h`."""

    def row(H: Array, k: Array) -> tuple[Array, None]:
        own = lax.dynamic_index_in_dim(H, k, H.ndim - 2)
        target = lax.dynamic_index_in_dim(correlation, k, H.ndim - 2)
        weights = lax.dynamic_index_in_dim(gram, k, H.ndim - 2)
        energy = lax.dynamic_index_in_dim(weights, k, H.ndim - 1)
        moved = jnp.maximum(own + divide(target - matmul(weights, H) - sparsity, energy), 0)
        return lax.dynamic_update_slice_in_dim(H, moved, k, H.ndim - 2), None

    return lax.scan(row, H, jnp.arange(H.shape[-2]))[0]


def _repeat(step: Callable[[Array], Array], H: Array, repeats: int, least: Array) -> Array:
    """At most so many steps; in each batch item none after one that moves less than a share of what the first did."""
    first = step(H)
    if repeats == 1:
        return first
    enough = least**2 * _square_distance(first, H)

    def again(carry: tuple[Array, Array], _: None) -> tuple[tuple[Array, Array], None]:
        H, going = carry
        moved = jnp.where(going, lax.cond(jnp.any(going), step, lambda H: H, H), H)
        return (moved, going & (_square_distance(moved, H) >= enough)), None

    start = (first, _square_distance(first, H) >= enough)
    return lax.scan(again, start, None, length=repeats - 1)[0][0]


def _square_distance(a: Array, b: Array) -> Array:
    return lax.stop_gradient(jnp.sum((a - b) ** 2, axis=(-2, -1), keepdims=True))

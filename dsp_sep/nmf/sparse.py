"""Sparse NMF with the normalisation of the dictionary inside the objective."""

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import divide, square_magnitude, transpose
from ..pytree import Number, domains, hyper, node, static
from .divergences import Divergence, KullbackLeibler
from .penalties import Sparsity
from .rules import Heuristic, Rule
from .starts import Random, Start
from .updates import Factors, Observed, Weighted, dictionary_parts, multiply, objective, observe, update_activations


@node
class SparseNMF(Algorithm):
    """Sparse NMF, `min D(V | W̄ H) + μ Σ h` over `W` and `H`, `W̄` being `W` with columns of unit norm.

    Le Roux, Weninger and Hershey (2015), "Sparse NMF: half-baked or well done?". With the L1 penalty alone (`NMF` with
    `Sparsity`) the scale of `W` makes up for that of `H`; rescaling between updates is not the same objective's
    descent. Here the derivative is that of the normalised objective: `W ← W̄ ⊙ (A⁻ + W̄ ⊙ 1 1ᵀ(W̄ ⊙ A⁺)) / (A⁺ + W̄ ⊙ 1
    1ᵀ(W̄ ⊙ A⁻))`, with `A⁻ = (Y^(β-2) ⊙ V) Hᵀ`, `A⁺ = Y^(β-1) Hᵀ`, then columns of unit norm; `H` first, then `W`.
    Data: `V` `(..., frequency, frames)`, or `Weighted`. Output: `Factors(W̄, H)`. Heuristic: the authors observe
    descent and do not prove it (with `MajorizeMinimize` the update of `H` is proved, that of `W` is not).

    Attributes:
        components: how many.
        sparsity: μ, nonnegative, shape `()` or `(components, 1)`, in units of the derivative of the divergence.
        divergence: what is measured; Kullback-Leibler unless given.
        rule: how the ratio becomes a factor; the ratio itself, as in the paper, unless given.
        start: where it starts from; drawn unless given.
    """

    components: int = static()
    sparsity: Number = hyper(domain=domains.NONNEGATIVE)
    divergence: Divergence = hyper(default=KullbackLeibler())
    rule: Rule = hyper(default=Heuristic())
    start: Start = hyper(default=Random())

    def prepare(self, data: Array | Weighted) -> Observed:
        return observe(data, "SparseNMF")

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        W = self.start.start_dictionary(data.V, self.components, key)
        H = self.start.start_activations(data.V, self.components, key)
        return Factors(unit_norm(W), transpose(norms(W)) * H)

    def update(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        H = update_activations(data, W, H, self.divergence, self.rule, (Sparsity(self.sparsity),))
        negative, positive = dictionary_parts(data, W, H, self.divergence)
        toward, away = (W * jnp.sum(W * part, axis=-2, keepdims=True) for part in (positive, negative))
        return Factors(unit_norm(multiply(W, (negative + toward, positive + away), self.divergence, self.rule)), H)

    def objective(self, state: Factors, data: Observed) -> Array:
        W, H = state
        return objective(data, W, H, self.divergence) + Sparsity(self.sparsity).value(H)


def unit_norm(W: Array) -> Array:
    """Columns of unit Euclidean norm (a column of zeros stays)."""
    return divide(W, norms(W))


def norms(W: Array) -> Array:
    """The Euclidean norms of columns, `(..., 1, components)`, and zero with no derivative for a column of zeros."""
    squares = jnp.sum(square_magnitude(W), axis=-2, keepdims=True)
    silent = squares < jnp.finfo(W.dtype).tiny
    return jnp.where(silent, 0, jnp.sqrt(jnp.where(silent, 1, squares)))

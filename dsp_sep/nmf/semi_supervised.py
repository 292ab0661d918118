"""Factorisation with some columns of the dictionary known."""

from collections.abc import Sequence

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import expand, transpose
from ..pytree import domains, hyper, node, static
from .divergences import Divergence, KullbackLeibler
from .penalties import Penalty
from .rules import MajorizeMinimize, Rule
from .starts import Proportional, Random, Start
from .updates import (
    Factors,
    Observed,
    Weighted,
    dictionary_parts,
    join,
    multiply_dictionary,
    objective,
    observe,
    update_activations,
)


@node
class SemiSupervised(Algorithm):
    """Semi-supervised NMF, `min D(V | [W₀ W₁] H) + penalties` over `W₁` and `H`, with `W₀` held.

    Smaragdis, Raj and Shashanka (2007), "Supervised and semi-supervised separation of sounds from single-channel
    mixtures": the sounds that are known have a dictionary, what else there is in the mixture gets the free columns. The
    objective never rises with `MajorizeMinimize`. Data: `V` `(..., frequency, frames)`, or `Weighted`. Output:
    `Factors`, the known columns first, so `parts(*output, (known, free))` are the two sides.

    Attributes:
        dictionary: `W₀`, nonnegative, `(frequency, known)`, or with batch axes of the data before these; a leaf.
        components: how many free columns.
        divergence: what is measured; Kullback-Leibler unless given.
        rule: how the derivative becomes a factor.
        start: where `W₁` and its activations start from; drawn unless given.
        dictionary_penalties: penalties on `W₁`, shown `W₁ᵀ`.
        activations_penalties: penalties on all of `H`.
    """

    dictionary: Array = hyper(domain=domains.NONNEGATIVE)
    components: int = static()
    divergence: Divergence = hyper(default=KullbackLeibler())
    rule: Rule = hyper(default=MajorizeMinimize())
    start: Start = hyper(default=Random())
    dictionary_penalties: Sequence[Penalty] = hyper(default=())
    activations_penalties: Sequence[Penalty] = hyper(default=())

    def prepare(self, data: Array | Weighted) -> Observed:
        return observe(data, "SemiSupervised")

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        """The free columns, and the activations of all; half of `V` is left to each side."""
        known = Proportional().start_activations_of(data.V / 2, self._known(data), None)
        free = self.start.start_activations(data.V / 2, self.components, key)
        return Factors(
            self.start.start_dictionary(data.V / 2, self.components, key), jnp.concatenate([known, free], axis=-2)
        )

    def update(self, state: Factors, data: Observed) -> Factors:
        free, H = state
        W = self._all(free, data)
        negative, positive = dictionary_parts(data, W, H, self.divergence)
        parts = (negative[..., -self.components :], positive[..., -self.components :])
        free = multiply_dictionary(free, parts, self.divergence, self.rule, self.dictionary_penalties)
        W = self._all(free, data)
        return Factors(free, update_activations(data, W, H, self.divergence, self.rule, self.activations_penalties))

    def readout(self, state: Factors, data: Observed) -> Factors:
        return Factors(self._all(state.dictionary, data), state.activations)

    def objective(self, state: Factors, data: Observed) -> Array:
        free, H = state
        on_dictionary = [penalty.value(transpose(free)) for penalty in self.dictionary_penalties]
        on_activations = [penalty.value(H) for penalty in self.activations_penalties]
        return sum(on_dictionary + on_activations, objective(data, self._all(free, data), H, self.divergence))

    def _known(self, data: Observed) -> Array:
        return expand(self.dictionary, data.V.ndim)

    def _all(self, free: Array, data: Observed) -> Array:
        known = jnp.broadcast_to(self._known(data), (*free.shape[:-1], self.dictionary.shape[-1]))
        return join([known, free])

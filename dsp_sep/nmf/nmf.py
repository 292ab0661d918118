"""Factorisation with both factors learned."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import divide, transpose
from ..pytree import hyper, node, static
from .divergences import Divergence, KullbackLeibler
from .penalties import Penalty
from .rules import MajorizeMinimize, Rule
from .starts import Random, Start
from .updates import Factors, Observed, Weighted, objective, observe, update_activations, update_dictionary


@node
class NMF(Algorithm):
    """Nonnegative matrix factorisation, `min D(V | W H) + penalties`, by multiplicative updates.

    Lee and Seung (2001) for β = 2 and 1, Févotte and Idier (2011) for all others. One iteration updates the one factor,
    then the other. Data: `V` `(..., frequency, frames)`, or `Weighted`, nonnegative; each batch item has factors of its
    own. Output: `Factors(dictionary, activations)`. The objective never rises with `MajorizeMinimize`, the default.
    Frames shard (one all-reduce an iteration), and batch axes. A batch that exceeds the cache of a processor is faster
    by `jax.lax.map` over its items, which does not shard.

    Not for telling sources apart by itself: components belong to notes and noises, not to instruments.

    Attributes:
        components: how many.
        divergence: what is measured; Kullback-Leibler, for magnitudes, unless given.
        rule: how the derivative becomes a factor.
        order: which factor is updated first, as references differ: scikit-learn and torchnmf update `W` first.
        start: where it starts from; drawn unless given.
        dictionary_penalties: penalties on `W`, each of which is shown `Wᵀ`, `(..., components, frequency)`.
        activations_penalties: penalties on `H`.
    """

    components: int = static()
    divergence: Divergence = hyper(default=KullbackLeibler())
    rule: Rule = hyper(default=MajorizeMinimize())
    order: tuple[str, str] = static(default=("dictionary", "activations"))
    start: Start = hyper(default=Random())
    dictionary_penalties: Sequence[Penalty] = hyper(default=())
    activations_penalties: Sequence[Penalty] = hyper(default=())

    def validate(self) -> None:
        if self.components < 1:
            raise ValueError(f"NMF: components must be at least 1, got {self.components}")
        if sorted(self.order) != ["activations", "dictionary"]:
            raise ValueError(f"NMF: order must hold 'dictionary' and 'activations' once each, got {self.order}")

    def prepare(self, data: Array | Weighted) -> Observed:
        return observe(data, "NMF")

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        return Factors(
            self.start.start_dictionary(data.V, self.components, key),
            self.start.start_activations(data.V, self.components, key),
        )

    def update(self, state: Factors, data: Observed) -> Factors:
        for factor in self.order:
            state = (
                self._update_dictionary(state, data)
                if factor == "dictionary"
                else self._update_activations(state, data)
            )
        return state

    def objective(self, state: Factors, data: Observed) -> Array:
        return objective(data, *state, self.divergence) + self.penalty(state)

    def penalty(self, state: Factors) -> Array:
        """The sum of the penalties, `(...)`."""
        W, H = state
        on_dictionary = [penalty.value(transpose(W)) for penalty in self.dictionary_penalties]
        return sum(
            [penalty.value(H) for penalty in self.activations_penalties], sum(on_dictionary, jnp.zeros((), W.dtype))
        )

    def residual(self, state: Factors, data: Observed) -> Factors:
        """Zero at a solution whose columns of `W` sum to one: the scale that both factors share is not determined.

        Where neither factor has zeros, small mixtures of the components change nothing either: then `W H` has a
        derivative by `Implicit`, and `W` and `H` have not.
        """
        return jax.tree.map(lambda a, b: a - b, normalize(self.update(state, data)), state)

    def _update_dictionary(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        return Factors(update_dictionary(data, W, H, self.divergence, self.rule, self.dictionary_penalties), H)

    def _update_activations(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        return Factors(W, update_activations(data, W, H, self.divergence, self.rule, self.activations_penalties))


def normalize(factors: Factors) -> Factors:
    """The same product with columns of `W` that sum to one (a column of zeros stays)."""
    W, H = factors
    sums = jnp.sum(W, axis=-2, keepdims=True)
    return Factors(divide(W, sums), jnp.swapaxes(sums, -1, -2) * H)

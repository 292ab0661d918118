"""Factorisation with a dictionary that stays."""

from collections.abc import Sequence

from jax import Array

from ..iterate import Algorithm
from ..numerics import expand
from ..pytree import domains, hyper, node
from .divergences import Divergence, KullbackLeibler
from .penalties import Penalty
from .rules import MajorizeMinimize, Rule
from .starts import Proportional, Start, fits
from .updates import Observed, Weighted, objective, observe, update_activations


@node
class Activations(Algorithm):
    """The activations of a known dictionary, `min D(V | W H) + penalties` over `H`, by multiplicative updates.

    A convex problem for 1 ≤ β ≤ 2. Data: `V` `(..., frequency, frames)`, or `Weighted`, nonnegative. Output: `H`
    `(..., components, frames)`. `jax.grad` with respect to `dictionary` is task-driven dictionary learning (Sprechmann,
    Bronstein and Sapiro, 2014); `unfold(..., untied=("dictionary",))` is deep NMF (Le Roux, Hershey and Weninger,
    2015). Each frame is solved by itself: frames and batch axes shard without communication.

    Attributes:
        dictionary: `W`, nonnegative, `(frequency, components)`, or with batch axes of the data before these.
        divergence: what is measured; Kullback-Leibler, for magnitudes, unless given.
        rule: how the derivative becomes a factor.
        start: where it starts from; equal activations, as loud as `V`, unless given.
        penalties: on `H`.
    """

    dictionary: Array = hyper(domain=domains.NONNEGATIVE)
    divergence: Divergence = hyper(default=KullbackLeibler())
    rule: Rule = hyper(default=MajorizeMinimize())
    start: Start = hyper(default=Proportional())
    penalties: Sequence[Penalty] = hyper(default=())

    def prepare(self, data: Array | Weighted) -> Observed:
        return observe(data, "Activations")

    def init(self, data: Observed, *, key: Array | None = None) -> Array:
        shape = self.dictionary.shape
        if not fits(shape, (*data.V.shape[:-1], *shape[-1:])):
            raise ValueError(
                f"Activations: dictionary has shape {shape}, expected (frequency, components), or batch axes before "
                f"these, to go with a spectrogram of shape {data.V.shape}"
            )
        return self.start.start_activations_of(data.V, self._dictionary(data), key)

    def update(self, state: Array, data: Observed) -> Array:
        return update_activations(data, self._dictionary(data), state, self.divergence, self.rule, self.penalties)

    def objective(self, state: Array, data: Observed) -> Array:
        penalties = [penalty.value(state) for penalty in self.penalties]
        return sum(penalties, objective(data, self._dictionary(data), state, self.divergence))

    def _dictionary(self, data: Observed) -> Array:
        return expand(self.dictionary, data.V.ndim)

"""How the two parts of a derivative become the factor of a multiplicative update."""

from typing import Protocol

from jax import Array

from ..pytree import node
from .divergences import Divergence


class Rule(Protocol):
    """A rule for the factor; the ratio is negative part over positive part."""

    def factor(self, ratio: Array, divergence: Divergence) -> Array: ...


@node
class MajorizeMinimize:
    """The factor `ratio ** γ(β)` with γ = 1/(2 - β) below β = 1, 1 up to β = 2, 1/(β - 1) above.

    It minimises a majorising function, so that the objective never rises (Févotte and Idier, 2011, equation 4.15).
    """

    def factor(self, ratio: Array, divergence: Divergence) -> Array:
        return divergence.majorized(ratio)


@node
class Heuristic:
    """The factor `ratio`, whatever the divergence: faster outside 1 ≤ β ≤ 2 (inside it is the same).

    Descent is proved there only up to constants that do not hold for all β; for 0 ≤ β < 1 it is what one observes
    (Févotte and Idier, 2011, section 4.1).
    """

    def factor(self, ratio: Array, divergence: Divergence) -> Array:
        return ratio

"""How the two parts of a derivative become the factor of a multiplicative update.

Around the present factor `h̃` the objective is majorised by `positive h̃ (rᵃ - 1)/a - negative h̃ (rᵇ - 1)/b`, element by
element, with `r = h / h̃`: by the convexity of powers and Jensen's inequality the divergence is, with its `degrees`
`(a, b)`, and so is every penalty with its own. A higher `a` and a lower `b` majorise too, so one pair serves the sum:
the highest of the one and the lowest of the other.
"""

from collections.abc import Sequence
from typing import Protocol

import jax.numpy as jnp
from jax import Array

from ..numerics import divide, power
from ..pytree import Number, domains, hyper, node

Degrees = tuple[Array | float, Array | float]
"""`(a, b)`: the positive part grows no faster than `r^(a-1)`, the negative part falls no faster than `r^(b-1)`."""


class Rule(Protocol):
    """A rule for the factor; the ratio is negative part over positive part."""

    def factor(self, ratio: Array, degrees: Degrees) -> Array: ...


@node
class MajorizeMinimize:
    """The minimum of the majorising function, `ratio ** (1 / (a - b))`: the objective never rises.

    Without penalties that is `ratio ** γ(β)` with γ = 1/(2 - β) below β = 1, 1 up to β = 2, 1/(β - 1) above (Févotte
    and Idier, 2011). Penalties that bend more than the divergence make the step shorter.
    """

    def factor(self, ratio: Array, degrees: Degrees) -> Array:
        highest, lowest = degrees
        return _raised(ratio, 1 / (highest - lowest))


@node
class Stretched:
    """The factor of `MajorizeMinimize` to the power of an exponent that can be trained: above one, longer steps.

    The objective never rises up to an exponent of one, for the majorising function falls all the way to its minimum.
    Beyond that nothing is proved about the way, but below two, solutions stay stable however often the step is repeated
    (Badeau, Bertin and Vincent, 2010). Untied from layer to layer, it is the exponent of deep NMF.

    Attributes:
        exponent: positive, shape `()`.
    """

    exponent: Number = hyper(default=1.0, domain=domains.POSITIVE, kw_only=False)

    def factor(self, ratio: Array, degrees: Degrees) -> Array:
        return power(MajorizeMinimize().factor(ratio, degrees), self.exponent)


@node
class Heuristic:
    """The factor `ratio`, whatever the divergence and the penalties: longer steps.

    Without penalties it is `MajorizeMinimize` for 1 ≤ β ≤ 2, and for 0 ≤ β < 1 it lies between that and
    `MaximizationEqualization`, so that the objective never rises either (Févotte and Idier, 2011). For
    other β, and with penalties whose degrees exceed those of the divergence, nothing is proved and the objective may
    rise.
    """

    def factor(self, ratio: Array, degrees: Degrees) -> Array:
        return ratio


@node
class MaximizationEqualization:
    """For β < 1: the longest step that does not raise the majorising function, `(rᵃ - 1)/a = ratio · (rᵇ - 1)/b`.

    The other solution than `r = 1` (Févotte and Idier, 2011): `r = ratio` for β = 0,
    `r = (√(1 + 8 ratio) - 1)² / 4` for β = 1/2, and by Newton's method for the others. The objective never rises, and
    falls faster than with `MajorizeMinimize` as a rule. It needs `b < 0`; where `b > -1/10` (β > 0.9), that is taken
    for `b`, which still majorises, and has little to do with β = 2: for β ≥ 1 use `MajorizeMinimize`.
    """

    def factor(self, ratio: Array, degrees: Degrees) -> Array:
        a, b = degrees[0], jnp.minimum(jnp.asarray(degrees[1], ratio.dtype), -0.1)
        log_ratio = jnp.log(ratio)
        rising = log_ratio >= 0
        p, q = jnp.where(rising, a, -b), jnp.where(rising, -b, a)
        target = jnp.exp(jnp.minimum(jnp.abs(log_ratio), -jnp.log(jnp.finfo(ratio.dtype).tiny) / 4))
        y = jnp.exp(p / jnp.maximum(p, q) * jnp.log(target))
        for _ in range(NEWTON_STEPS):  # (y - 1)/p + target (y^(-q/p) - 1)/q = 0, convex: from above from the second on
            falling = target * jnp.exp(-q / p * jnp.log(y))
            slope = 1 - falling / y
            y = y - divide(y - 1 + p / q * (falling - target), slope)
        near = jnp.abs(log_ratio) < NEARLY_ONE
        steep = jnp.exp(jnp.where(rising, 1, -1) / p * jnp.log(jnp.where(near, 2, y)))
        return jnp.where(near, jnp.exp(2 / (a - b) * log_ratio), steep)


NEWTON_STEPS = 6
NEARLY_ONE = 1e-2
"""Below this `|log ratio|` the two solutions are told apart by their first-order difference."""


def common_degrees(degrees: Sequence[Degrees]) -> Degrees:
    """The degrees of a sum."""
    highest, lowest = degrees[0]
    for a, b in degrees[1:]:
        both = isinstance(highest, float) and isinstance(a, float)
        highest = max(highest, a) if both else jnp.maximum(highest, a)  # type: ignore[type-var]
        both = isinstance(lowest, float) and isinstance(b, float)
        lowest = min(lowest, b) if both else jnp.minimum(lowest, b)  # type: ignore[type-var]
    return highest, lowest


def _raised(ratio: Array, exponent: Array | float) -> Array:
    if isinstance(exponent, float) and exponent == 1:
        return ratio
    return jnp.sqrt(ratio) if isinstance(exponent, float) and exponent == 0.5 else power(ratio, exponent)

"""Phase recovery for one source by reflections and splitting, which escape where alternating projections stall.

`P_C` is the projection on consistent spectrograms, `P_A` that on the magnitudes, `R = 2 P - 1` a reflection. All are
kin of the Douglas-Rachford iteration `x ← (R_C R_A x + x) / 2`; in none is the inconsistency bound to fall at each
iteration (`BestSoFar` keeps the best). Data, output and attributes are those of `GriffinLim` throughout.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ..numerics import scale
from ..pytree import Number, domains, hyper, node
from .griffin_lim import SpectrogramInversion
from .projections import project_magnitude


class Splitting(NamedTuple):
    """The nearly consistent spectrogram `Z` and the scaled dual variable `U`, `(..., frames, frequency)`."""

    consistent: Array
    dual: Array


@node
class ADMMGriffinLim(SpectrogramInversion):
    """Griffin-Lim by alternating directions of multipliers (Masuyama, Yatabe and Oikawa, 2019).

    `S ← P_A(Z - U)`, `Y = S + U`, `Z ← (ρ Y + P_C(Y)) / (1 + ρ)`, `U ← Y - Z`, from `U = 0`.

    Attributes:
        rho: `ρ`, nonnegative, shape `()`: how loosely `Z` is held to be consistent; 0 is the hard constraint.
    """

    rho: Number = hyper(default=0.1, domain=domains.NONNEGATIVE)

    def init(self, data: Array, *, key: Array | None = None) -> Splitting:  # type: ignore[override]
        start = super().init(data, key=key)
        return Splitting(start, jnp.zeros_like(start))

    def update(self, state: Splitting, data: Array) -> Splitting:  # type: ignore[override]
        target = self.answer(state, data) + state.dual
        consistent = scale(1 / (1 + self.rho), scale(self.rho, target) + self.consistent(target))
        return Splitting(consistent, target - consistent)

    def answer(self, state: Splitting, data: Array) -> Array:  # type: ignore[override]
        return project_magnitude(state.consistent - state.dual, data)


@node
class RAAR(SpectrogramInversion):
    """Relaxed averaged alternating reflections (Luke, 2005): `x ← β (R_C R_A x + x) / 2 + (1 - β) P_A x`.

    `β = 1` is the Douglas-Rachford iteration, whose iterates wander; smaller values pull towards the magnitudes.

    Attributes:
        beta: `β`, from 0 to 1, shape `()`; 0.9 unless given, as is common.
    """

    beta: Number = hyper(default=0.9, domain=domains.UNIT_INTERVAL)

    def update(self, state: Array, data: Array) -> Array:
        nearest = project_magnitude(state, data)
        reflected = self.consistent(2 * nearest - state) - nearest + state
        return nearest + scale(self.beta, reflected - nearest)


@node
class DifferenceMap(SpectrogramInversion):
    """The difference map (Elser, 2003): `x ← x + β (P_C(f_A(x)) - P_A(f_C(x)))`.

    `f_A(x) = P_A(x) + (P_A(x) - x) / β` and `f_C(x) = P_C(x) - (P_C(x) - x) / β`. The answer is `P_A(f_C(x))`. An
    iteration costs two consistency projections. `β = 1` is the Douglas-Rachford iteration, `β = -1` the one with the
    projections exchanged, which is `ADMMGriffinLim` with `ρ = 0`.

    Attributes:
        beta: `β`, real, of either sign but not zero, shape `()`; 1 unless given.
    """

    beta: Number = hyper(default=1.0, domain=domains.REAL)

    def update(self, state: Array, data: Array) -> Array:
        nearest = project_magnitude(state, data)
        ahead = nearest + scale(1 / self.beta, nearest - state)
        return state + scale(self.beta, self.consistent(ahead) - self.answer(state, data))

    def answer(self, state: Array, data: Array) -> Array:
        consistent = self.consistent(state)
        return project_magnitude(consistent - scale(1 / self.beta, consistent - state), data)

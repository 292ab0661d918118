"""Phase recovery by other divergences than the squared distance of magnitudes.

One source (Vial, Magron, Oberlin and Févotte, 2021): the signal whose STFT `C` has the least sum of `D(Aᵈ | |C|ᵈ)` over
frequencies and frames ("right" problem, `Right`), or of `D(|C|ᵈ | Aᵈ)` ("left", `Left`), for a beta-divergence `D` and
magnitudes (`d = 1`) or powers (`d = 2`). Several sources of a mixture (Magron, Vial, Oberlin and Févotte, 2021): the
same for each, and they sum to the mixture. For the squared distance of magnitudes and a step of 1 these are Griffin-Lim
and MISI.

Steps count for magnitudes of mean square one: for data `c` times as large the answer is `c` times as large. What is
below -120 dB of the mean of `Aᵈ` counts as that.
"""

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..nmf.divergences import Divergence, Euclidean
from ..numerics import magnitude, phase, power, scale, tiny, transpose
from ..pytree import Number, domains, hyper, node
from .griffin_lim import SpectrogramInversion
from .misi import Separation, SourceInversion
from .projections import energy, frames_first

FLOOR = 1e-6


class Fit(Protocol):
    """How a model `Y` fits a target `V`, both at least their floor, element by element."""

    def value(self, V: Array, Y: Array) -> Array: ...

    def slope(self, V: Array, Y: Array) -> Array:
        """The derivative with respect to the model."""


@node
class Right:
    """`D(V | Y)`, the model on the right, as in NMF.

    Attributes:
        divergence: a divergence of `dsp_sep.nmf`.
    """

    divergence: Divergence = hyper(default=Euclidean(), kw_only=False)

    def value(self, V: Array, Y: Array) -> Array:
        return self.divergence.value(V, Y)

    def slope(self, V: Array, Y: Array) -> Array:
        negative, positive = self.divergence.derivative(V, Y)
        return positive - negative


@node
class Left:
    """`D(Y | V)`, the model on the left, which is smoother where it is small.

    Attributes:
        divergence: a divergence of `dsp_sep.nmf`.
    """

    divergence: Divergence = hyper(default=Euclidean(), kw_only=False)

    def value(self, V: Array, Y: Array) -> Array:
        return self.divergence.value(Y, V)

    def slope(self, V: Array, Y: Array) -> Array:
        return jax.jvp(lambda y: self.divergence.value(y, V), (Y,), (jnp.ones_like(Y),))[1]


class Measurement(NamedTuple):
    """What a spectrogram is held against: a fit, the exponent `d`, and `V = Aᵈ` with its floor, for `A` over its unit.

    All have the layout of the loop.
    """

    fit: Fit
    exponent: Array
    target: Array
    floor: Array
    unit: Array

    def model(self, size: Array) -> Array:
        """`|C|ᵈ` for magnitudes over their unit."""
        return jnp.maximum(power(size, self.exponent), self.floor)

    def slope(self, size: Array) -> Array:
        """The derivative of the fit with respect to the magnitudes, `d |C|ᵈ⁻¹ D'`."""
        inner = self.exponent * power(size, self.exponent - 1)
        return inner * self.fit.slope(self.target, self.model(size))


def measure(fit: Fit, exponent: Array, magnitudes: Array, axes: tuple[int, ...]) -> Measurement:
    """The measurement of magnitudes whose unit is their root mean square over some axes."""
    square = jnp.mean(magnitudes**2, axis=axes, keepdims=True)
    silent = square <= tiny(square.dtype) ** 2
    unit = jnp.where(silent, 1, jnp.sqrt(jnp.where(silent, 1, square)))
    target = power(magnitudes / unit, exponent)
    floor = FLOOR * jnp.maximum(jnp.mean(target, axis=axes, keepdims=True), FLOOR)
    return Measurement(fit, exponent, jnp.maximum(target, floor), floor, unit)


def descend(spectra: Array, measurement: Measurement, step: Array) -> Array:
    """`C - μ d |C|ᵈ⁻¹ D' C / |C|`: a step of gradient descent on the divergence, bin by bin."""
    slope = measurement.slope(magnitude(spectra) / measurement.unit)
    return spectra - scale(step * measurement.unit * slope, phase(spectra))


@node
class BregmanInversion(SpectrogramInversion):
    """What the algorithms for one source and any divergence share; abstract.

    Attributes:
        fit: `Right(divergence)` or `Left(divergence)`.
        exponent: `d`, positive, shape `()`: 1 for magnitudes, 2 for powers.
    """

    fit: Fit = hyper(default=Right())
    exponent: Number = hyper(default=1.0, domain=domains.POSITIVE)

    def measurement(self, data: Array) -> Measurement:
        return measure(self.fit, self.exponent, data, (-2, -1))

    def objective(self, state: Array, data: Array) -> Array:
        """The divergence, summed over the whole spectrum, for magnitudes of mean square one."""
        measurement = self.measurement(data)
        model = measurement.model(magnitude(self.answer(state, data)) / measurement.unit)
        return energy(transpose(measurement.fit.value(measurement.target, model)), self.stft)


@node
class BregmanGriffinLim(BregmanInversion):
    """Gradient descent on the divergence of a signal's magnitudes: `C ← G(C - μ d |C|ᵈ⁻¹ D'(|C|ᵈ) C / |C|)`.

    Data: magnitudes `A`, `(..., frequency, frames)`, also for `d = 2`. Output: the consistent `C`, whose magnitudes are
    near `A`. With the defaults its iterates are those of `GriffinLim`, and the objective never rises for steps up to 2;
    for other divergences it falls for small steps only. The accelerated descent of the paper is
    `Momentum(BregmanGriffinLim(...), 0.99)`. Right problems of order below 2 push hard where `C` is near zero: prefer
    left ones, or `BregmanADMM`. Attributes: those of `SpectrogramInversion`, `BregmanInversion` and

    Attributes:
        step: `μ`, positive, shape `()` or one that broadcasts against the magnitudes from the right; the paper
            chooses it on data.
    """

    step: Number = hyper(default=1.0, domain=domains.POSITIVE)

    def update(self, state: Array, data: Array) -> Array:
        return self.consistent(descend(state, self.measurement(data), frames_first(self.step, data.ndim)))

    def answer(self, state: Array, data: Array) -> Array:
        return state


class BregmanSplitting(NamedTuple):
    """The consistent spectrogram and the scaled dual variable, `(..., frames, frequency)`."""

    consistent: Array
    dual: Array


@node
class BregmanADMM(BregmanInversion):
    """The same by alternating directions of multipliers: each bin's magnitude by a proximal step, no gradient step.

    `H = C + W`, `Y = prox(|H|) H / |H|`, `C ← G(Y - W)`, `W ← W + C - Y`, from `W = 0`, where
    `prox(h) = argmin_u D(u) / ρ + (u - h)² / 2`, found by Newton steps inside a bracket, for any divergence. For the
    squared distance of magnitudes it is `(A + ρ h) / (1 + ρ)`. Data, output and attributes: those of
    `BregmanGriffinLim`, with `rho` for the step.

    Attributes:
        rho: `ρ`, positive, shape `()`: small values follow the magnitudes, large ones move slowly.
    """

    rho: Number = hyper(default=0.1, domain=domains.POSITIVE)

    def init(self, data: Array, *, key: Array | None = None) -> BregmanSplitting:  # type: ignore[override]
        start = super().init(data, key=key)
        return BregmanSplitting(start, jnp.zeros_like(start))

    def update(self, state: BregmanSplitting, data: Array) -> BregmanSplitting:  # type: ignore[override]
        moved = state.consistent + state.dual
        measurement = self.measurement(data)
        size = proximal(measurement, self.rho, magnitude(moved) / measurement.unit)
        target = scale(measurement.unit * size, phase(moved))
        consistent = self.consistent(target - state.dual)
        return BregmanSplitting(consistent, state.dual + consistent - target)

    def answer(self, state: BregmanSplitting, data: Array) -> Array:  # type: ignore[override]
        return state.consistent


def proximal(measurement: Measurement, rho: Array, size: Array, steps: int = 16) -> Array:
    """`argmin_u D(u) / ρ + (u - h)² / 2` for `h = size`: between `h` and the target there is a root of the derivative.

    The Newton steps that find it are not differentiated; the last one is, which gives the derivative of the root.
    """

    def derivative(u: Array, measurement: Measurement, rho: Array, size: Array) -> Array:
        return measurement.slope(u) / rho + u - size

    def newton(u: Array, measurement: Measurement, rho: Array, size: Array) -> tuple[Array, Array]:
        value, slope = jax.jvp(lambda u: derivative(u, measurement, rho, size), (u,), (jnp.ones_like(u),))
        return value, lax.stop_gradient(jnp.where(slope > 0, value / jnp.where(slope > 0, slope, 1), jnp.inf))

    def closer(_: int, bracket: tuple[Array, Array, Array]) -> tuple[Array, Array, Array]:
        low, high, u = bracket
        value, move = newton(u, *frozen)
        low, high = jnp.where(value < 0, u, low), jnp.where(value < 0, high, u)
        tried = u - move
        return low, high, jnp.where((tried >= low) & (tried <= high), tried, jnp.sqrt(low * high))

    frozen = lax.stop_gradient((measurement, rho, size))
    aim = power(frozen[0].target, 1 / frozen[0].exponent)
    low, high = jnp.maximum(jnp.minimum(aim, frozen[2]), FLOOR), jnp.maximum(aim, frozen[2])
    _, _, root = lax.fori_loop(0, steps, closer, (low, high, jnp.sqrt(low * high)))
    _, slope = jax.jvp(lambda u: derivative(u, *frozen), (root,), (jnp.ones_like(root),))
    safe = jnp.where(slope > 0, slope, 1)
    return root - jnp.where(slope > 0, derivative(root, measurement, rho, size) / safe, 0)


@node
class BregmanMISI(SourceInversion):
    """MISI with a gradient step on a divergence in place of the magnitude projection.

    `S_j ← P_mix(C_j - μ d |C_j|ᵈ⁻¹ D'(|C_j|ᵈ) C_j / |C_j|)`, `C = P_cons(S)` (Magron, Vial, Oberlin and Févotte, 2021).
    Data, output and attributes are those of `MISI`, which it is with the defaults, and those of `BregmanGriffinLim`;
    magnitudes are over their root mean square over all sources and channels. It serves where the magnitudes are
    estimates: a step below 1 trusts them less.
    """

    fit: Fit = hyper(default=Right())
    exponent: Number = hyper(default=1.0, domain=domains.POSITIVE)
    step: Number = hyper(default=1.0, domain=domains.POSITIVE)

    def update(self, state: Array, data: Separation) -> Array:
        measurement = measure(self.fit, self.exponent, data.magnitudes, (-4, -3, -2, -1))
        return self.mixed(descend(self.consistent(state), measurement, frames_first(self.step, state.ndim)), data)

    def objective(self, state: Array, data: Separation) -> Array:
        """The divergence of the signals' magnitudes, summed over sources, channels and the whole spectrum."""
        measurement = measure(self.fit, self.exponent, data.magnitudes, (-4, -3, -2, -1))
        model = measurement.model(magnitude(self.consistent(state)) / measurement.unit)
        return self.total(measurement.fit.value(measurement.target, model))

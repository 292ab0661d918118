"""Itakura-Saito factorisation of sources whose phases are not all alike."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..iterate import Algorithm
from ..numerics import bessel_ratios, expand, magnitude, phase, scale, square_magnitude, sum_of_few
from ..pytree import Number, domains, hyper, node, static
from .complex_nmf import ComplexFactors
from .divergences import ItakuraSaito
from .rules import MajorizeMinimize
from .starts import Random, Start
from .updates import multiply, parts


class ComplexSources(NamedTuple):
    """The factors and the phases, and the sources' spectrograms, `(..., sources, channels, frequency, frames)`."""

    factors: ComplexFactors
    sources: Array


class Normalized(NamedTuple):
    """The mixture divided by its root mean square in each channel, and that, `(..., channels, 1, 1)`."""

    mixture: Array
    unit: Array


class Moments(NamedTuple):
    """What the mixture tells of sources `S`: `E S`, `E |S|²` and `E S²`."""

    mean: Array
    power: Array
    relation: Array


@node
class ComplexISNMF(Algorithm):
    """Complex Itakura-Saito NMF: sources with variances `v_j = W_j H_j` and phases `μ_j` that are roughly known.

    Magron and Virtanen (2019), "Complex ISNMF: a phase-aware model for monaural audio source separation". In each bin a
    source is Gaussian, with the moments of a Rayleigh magnitude and a von Mises phase around `μ` of concentration κ:

        mean `λ √v e^{iμ}`, variance `(1 - λ²) v`, relation `ρ v e^{2iμ}`,
        `λ = √π/2 · I₁(κ) / I₀(κ)`, `ρ = I₂(κ) / I₀(κ) - λ²`;

    the mixture is their sum. Phases turn from frame to frame by what a sinusoid would: the prior adds
    `τ Σ cos(μ_n - μ_{n-1} - advance_n)`. With `κ = 0` it is Itakura-Saito NMF of `|X|²`.

    An iteration is generalised EM: the posterior moments of each source; then `H` and `W`, by
    multiplicative updates of `Σ log v + p / v + q / √v`, where, with `s = 1 - λ² + ρ`, `t = 1 - λ² - ρ` and `x`, `y`
    the parts of a source along and across `e^{iμ}`, `p = E x² / s + E y² / t` and `q = -2 λ E x / s`; then the phases
    of even frames and of odd ones, to that of `2 (|a| e^{iμ} + a e^{-iμ}) + b + τ (neighbours, turned)`, which
    majorises, with `a = ρ E S² / (v s t)` and `b = 2 λ E S / (s √v)`. (The authors' code leaves out `a`; with it the
    likelihood never falls.) Every source has a little stationary noise besides, `eps²` of the mean power, so that
    silence is safe.

    Data: `X`, complex, `(..., channels, frequency, frames)`; each channel has factors of its own. Output:
    `ComplexSources`, whose posterior means sum to `X` but for rounding. The objective, the negative log-likelihood but
    for a constant, never rises. Batch axes, channels and frequencies shard. Where no phases are expected, `NMF` with
    `ItakuraSaito()` and masks gives the same for less.

    Attributes:
        components: how many belong to each source.
        advance: radians from one frame to the next, shape `()`, or one that broadcasts from the right against the
            sources' spectrograms, such as `(frequency, 1)`: `2π hop f / rate` for frequencies `f`.
        concentration: κ, nonnegative, shape `()`; 0.5 in the authors' experiments.
        coupling: τ, nonnegative, shape `()`; 1 in the authors' experiments.
        start: where the factors start from, given `|X|²`; the phases start from the mixture's.
    """

    components: Sequence[int] = static()
    advance: Number = hyper(domain=domains.REAL)
    concentration: Number = hyper(default=0.5, domain=domains.NONNEGATIVE)
    coupling: Number = hyper(default=1.0, domain=domains.NONNEGATIVE)
    start: Start = hyper(default=Random())

    def validate(self) -> None:
        if not self.components or min(self.components) < 1:
            raise ValueError(f"ComplexISNMF: components must be at least 1 for each source, got {self.components}")

    def prepare(self, data: Array) -> Normalized:
        if data.ndim < 3 or not jnp.iscomplexobj(data):
            raise ValueError(
                f"ComplexISNMF: the spectrogram has shape {data.shape} and dtype {data.dtype}, "
                f"expected complex (..., channels, frequency, frames)"
            )
        mean = jnp.mean(square_magnitude(data), axis=(-2, -1), keepdims=True)
        silent = mean < jnp.finfo(mean.dtype).tiny
        unit = jnp.where(silent, 1, jnp.sqrt(jnp.where(silent, 1, mean)))
        return Normalized(scale(1 / unit, data), unit)

    def init(self, data: Normalized, *, key: Array | None = None) -> ComplexFactors:
        V, count = data.unit**2 * _power(data.mixture), sum(self.components)
        shape = (*V.shape[:-3], len(self.components), *V.shape[-3:])
        return ComplexFactors(
            self.start.start_dictionary(V, count, key),
            self.start.start_activations(V, count, key),
            jnp.broadcast_to(jnp.expand_dims(phase(data.mixture), -4), shape),
        )

    def update(self, state: ComplexFactors, data: Normalized) -> ComplexFactors:
        W, H, u = state
        moments = self._posterior(state, data)
        p, q = self._coefficients(moments, u)

        def moved(factor: Array, variances: Callable[[Array], Array]) -> Array:
            v, pull = jax.vjp(variances, factor)
            root = 2 * jnp.sqrt(v)
            (negative,) = pull((p / v + jnp.maximum(q, 0) / root) / v)
            (positive,) = pull((1 + jnp.maximum(-q, 0) / root) / v)
            return multiply(factor, (negative, positive), ItakuraSaito(), MajorizeMinimize())

        H = moved(H, lambda H: self._variances(W, H, data))
        W = moved(W, lambda W: self._variances(W, H, data))
        return ComplexFactors(W, H, self._turned(u, moments, self._variances(W, H, data)))

    def readout(self, state: ComplexFactors, data: Normalized) -> ComplexSources:
        return ComplexSources(state, scale(jnp.expand_dims(data.unit, -4), self._posterior(state, data).mean))

    def objective(self, state: ComplexFactors, data: Normalized) -> Array:
        """Relative to a perfect fit without phases, `Σ log |X|² + 1`: for `κ = 0` the Itakura-Saito divergence."""
        mean, variance, relation = self._prior(state, data)
        total = sum_of_few(variance, -4)
        b = scale(1 / total, jnp.sum(relation, axis=-4))
        z, roundness = data.mixture - jnp.sum(mean, axis=-4), 1 - square_magnitude(b)
        misfit = (square_magnitude(z) - jnp.real(jnp.conj(b) * z * z)) / (roundness * total)
        values = jnp.log(total / _power(data.mixture)) + jnp.log(roundness) / 2 + misfit - 1
        turns = 1 - jnp.real(
            jnp.conj(state.phases[..., 1:]) * self._turn(state.phases)[..., 1:] * state.phases[..., :-1]
        )
        return jnp.sum(jnp.sum(values, axis=-1), axis=(-2, -1)) + self.coupling * jnp.sum(turns, axis=(-4, -3, -2, -1))

    def _law(self) -> tuple[Array, Array, Array, Array]:
        """`λ`, `ρ`, `s` and `t`."""
        first, second = bessel_ratios(self.concentration)
        mean = math.sqrt(math.pi) / 2 * first
        relation = second - mean**2
        return mean, relation, 1 - mean**2 + relation, 1 - second

    def _variances(self, W: Array, H: Array, data: Normalized) -> Array:
        return parts(W, H, self.components) / jnp.expand_dims(data.unit**2, -4) + jnp.finfo(W.dtype).eps ** 2

    def _prior(self, state: ComplexFactors, data: Normalized) -> tuple[Array, Array, Array]:
        """Means, variances and relations."""
        mean, relation, _, _ = self._law()
        v, u = self._variances(state.dictionary, state.activations, data), state.phases
        return scale(mean * jnp.sqrt(v), u), (1 - mean**2) * v, scale(relation * v, u * u)

    def _posterior(self, state: ComplexFactors, data: Normalized) -> Moments:
        mean, variance, relation = self._prior(state, data)
        total = sum_of_few(variance, -4, keepdims=True)
        b = scale(1 / total, jnp.sum(relation, axis=-4, keepdims=True))
        z = jnp.expand_dims(data.mixture, -4) - jnp.sum(mean, axis=-4, keepdims=True)
        w, h, roundness = variance / total, scale(1 / total, relation), 1 - square_magnitude(b)
        z = scale(1 / roundness, z - b * jnp.conj(z))
        mean = mean + scale(w, z) + h * jnp.conj(z)
        known = (w**2 + square_magnitude(h) - 2 * w * jnp.real(h * jnp.conj(b))) / roundness
        known_relation = scale(1 / roundness, scale(2 * w, h) - scale(w**2, b) - h * h * jnp.conj(b))
        power = variance - total * known + square_magnitude(mean)
        return Moments(mean, power, relation - scale(total, known_relation) + mean * mean)

    def _coefficients(self, moments: Moments, u: Array) -> tuple[Array, Array]:
        """`p` and `q`."""
        mean, _, s, t = self._law()
        turned = jnp.real(jnp.conj(u * u) * moments.relation)
        along, across = (jnp.maximum(moments.power + sign * turned, 0) / 2 for sign in (1, -1))
        return along / s + across / t, -2 * mean / s * jnp.real(jnp.conj(u) * moments.mean)

    def _turned(self, u: Array, moments: Moments, v: Array) -> Array:
        """The phases of even frames, then those of odd ones, at the maximum of what minorises."""
        mean, relation, s, t = self._law()
        a = scale(relation / (s * t) / v, moments.relation)
        b = scale(2 * mean / s / jnp.sqrt(v), moments.mean)
        turn, even = self._turn(u), jnp.arange(u.shape[-1]) % 2 == 0
        edge = [(0, 0)] * (u.ndim - 1)

        def best(u: Array) -> Array:
            before = jnp.pad(turn[..., 1:] * u[..., :-1], [*edge, (1, 0)])
            after = jnp.pad(jnp.conj(turn[..., 1:]) * u[..., 1:], [*edge, (0, 1)])
            own = scale(2 * magnitude(a), u) + 2 * a * jnp.conj(u)
            return phase(own + b + scale(self.coupling, before + after))

        u = jnp.where(even, best(u), u)
        return jnp.where(even, u, best(u))

    def _turn(self, u: Array) -> Array:
        """`e^{i advance}`, of the shape of the phases."""
        advance = expand(self.advance, u.ndim)
        return jnp.broadcast_to(lax.complex(jnp.cos(advance), jnp.sin(advance)), u.shape)


def _power(mixture: Array) -> Array:
    """`|X|²`, at least the noise of one source."""
    return jnp.maximum(square_magnitude(mixture), jnp.finfo(mixture.dtype).eps ** 2)

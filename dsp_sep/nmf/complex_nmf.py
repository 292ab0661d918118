"""Factorisation of the complex spectrogram itself: components have phases, and add up as sounds do."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..iterate import Algorithm
from ..numerics import divide, magnitude, matmul, phase, power, scale, square_magnitude, transpose
from ..pytree import Number, domains, hyper, node, static
from .nmf import normalize
from .starts import Random, Start, split
from .updates import Factors


class ComplexFactors(NamedTuple):
    """`W` `(..., frequency, components)`, `H` `(..., components, frames)`, and phases `e^{iφ}`.

    The phases are those of each component, `(..., components, frequency, frames)`, for `ComplexNMF`, and of each
    source, `(..., sources, channels, frequency, frames)`, for `ComplexISNMF`.
    """

    dictionary: Array
    activations: Array
    phases: Array


@node
class ComplexNMF(Algorithm):
    """Complex NMF, `min Σ |X - Σ_k w_k h_k e^{iφ_k}|² + 2 λ Σ (‖w_k‖₁ h_k)ᵖ`: components with a phase in each bin.

    Kameoka, Ono, Kashino and Sagayama (2009), "Complex NMF: a new sparse representation for acoustic signals". Unlike
    magnitudes, spectra with phases add up. Each component is given its share `β_k = w_k h_k / Y` of the error of the
    model `F`, `Y = Σ w h`: `X̄_k = w_k h_k e^{iφ_k} + β_k (X - F)`. Then `φ_k` is the phase of `X̄_k`, and a factor is
    the minimum of what majorises `Σ |X̄_k - w_k h_k e^{iφ_k}|² / β_k` and the penalty, `W` first, then, with shares
    anew, `H`:

        w = Σ_n |X̄_k| Y / (Σ_n h Y + λ p Σ_n hᵖ),   h = Σ_f |X̄_k| Y / (Σ_f w Y + λ p hᵖ⁻¹),   columns of `W` of sum one.

    The objective never rises. (In the paper the penalty is on `hᵖ`, `W` does not feel it, and columns are scaled
    afterwards, which may raise the objective; with `λ = 0` it is the same.)

    The phases are free, so that `λ` has to choose among many exact solutions: it is what makes the components sparse.
    They start from anywhere but the mixture's phase, which never leaves: from there, with `λ = 0`, every iteration is
    one of `NMF` of `|X|` with `Euclidean()`. Memory is that of one complex spectrogram for each component. Data: `X`,
    complex, `(..., frequency, frames)`. Output: `ComplexFactors`; `components_of` gives the spectrograms of the
    components, which sum to `X` but for the error. Frames and batch axes shard.

    Attributes:
        components: how many.
        sparsity: λ, nonnegative, shape `()`, in units of `|X|^(2-p)`; `‖X‖² components^(p/2-1) 1e-5` in the paper.
        p: between 0 and 2, shape `()`; 1.2 in the paper.
        start: where the factors start from, given `|X|`; the phases are drawn, uniformly.
    """

    components: int = static()
    sparsity: Number = hyper(domain=domains.NONNEGATIVE)
    p: Number = hyper(default=1.2, domain=domains.POSITIVE)
    start: Start = hyper(default=Random())

    def validate(self) -> None:
        if self.components < 1:
            raise ValueError(f"ComplexNMF: components must be at least 1, got {self.components}")

    def prepare(self, data: Array) -> Array:
        if data.ndim < 2 or not jnp.iscomplexobj(data):
            raise ValueError(
                f"ComplexNMF: the spectrogram has shape {data.shape} and dtype {data.dtype}, "
                f"expected complex (..., frequency, frames)"
            )
        return data

    def init(self, data: Array, *, key: Array | None = None) -> ComplexFactors:
        of_factors, of_phases = split(key)
        V = magnitude(data)
        W, H = normalize(
            Factors(
                self.start.start_dictionary(V, self.components, of_factors),
                self.start.start_activations(V, self.components, of_factors),
            )
        )
        angle = 2 * jnp.pi * jax.random.uniform(of_phases, (*V.shape[:-2], self.components, *V.shape[-2:]), V.dtype)
        return ComplexFactors(W, H, lax.complex(jnp.cos(angle), jnp.sin(angle)))

    def update(self, state: ComplexFactors, data: Array) -> ComplexFactors:
        H = state.activations
        lengths, phases, Y = _targets(state, data)
        sparse = self.sparsity * self.p * jnp.sum(power(H, self.p), axis=-1)
        cost = matmul(Y, transpose(H)) + jnp.expand_dims(sparse, -2)
        W, H = normalize(Factors(divide(transpose(jnp.sum(lengths, axis=-1)), cost), H))
        lengths, phases, Y = _targets(ComplexFactors(W, H, phases), data)
        cost = matmul(transpose(W), Y) + self.sparsity * self.p * power(H, self.p - 1)
        return ComplexFactors(W, divide(jnp.sum(lengths, axis=-2), cost), phases)

    def objective(self, state: ComplexFactors, data: Array) -> Array:
        error = square_magnitude(data - jnp.sum(components_of(state), axis=-3))
        sparse = 2 * self.sparsity * jnp.sum(power(state.activations, self.p), axis=(-2, -1))
        return jnp.sum(jnp.sum(error, axis=-1), axis=-1) + sparse


def components_of(factors: ComplexFactors) -> Array:
    """The spectrogram of each component, `w_k h_k e^{iφ_k}`, `(..., components, frequency, frames)`."""
    return scale(_products(factors), factors.phases)


def _targets(state: ComplexFactors, data: Array) -> tuple[Array, Array, Array]:
    """`|X̄| Y`, the phases of `X̄`, both for each component, and `Y`."""
    parts, Y = components_of(state), matmul(state.dictionary, state.activations)
    error = jnp.expand_dims(data - jnp.sum(parts, axis=-3), -3)
    target = parts + scale(divide(_products(state), jnp.expand_dims(Y, -3)), error)
    return magnitude(target) * jnp.expand_dims(Y, -3), phase(target), Y


def _products(factors: ComplexFactors) -> Array:
    return jnp.expand_dims(transpose(factors.dictionary), -1) * jnp.expand_dims(factors.activations, -2)

"""Penalties that couple the elements of a factor: neighbours in time, or components with each other.

The products in them are majorised by separate powers (`x y ≤ (x² + y²)/2`, `-x y ≤ -1 - log x y` and
`x / y ≤ (x² + y⁻²)/2` for ratios of new to old), so that all elements move at once and the objective never rises.
"""

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import expand, matmul, transpose
from ..pytree import Number, domains, hyper, node
from .penalties import NONE
from .rules import Degrees


@node
class Smoothness:
    """Squared differences, `weight / 2 · Σ (h_n - h_{n-1})²`: activations that change slowly.

    Virtanen (2007), "Monaural sound source separation by nonnegative matrix factorization with temporal continuity and
    sparseness criteria", without its division by the energy of each component (a convex penalty, whose
    scale is that of `h²`).

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)` for one of its own to each component.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        return jnp.sum(expand(self.weight, H.ndim) * jnp.diff(H, axis=-1) ** 2, axis=(-2, -1)) / 2

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        weight = expand(self.weight, H.ndim)
        neighbours = _before(jnp.ones_like(H)) + _after(jnp.ones_like(H))
        return weight * (_before(H) + _after(H)), weight * neighbours * H

    @property
    def degrees(self) -> Degrees:
        return 2.0, 0.0


@node
class ItakuraSaitoSmoothness:
    """`weight · Σ d_IS(h_{n-1} + ε | h_n + ε)`: activations whose level, in dB, changes slowly, loud or quiet.

    Févotte (2011), "Majorization-minimization algorithm for smooth Itakura-Saito nonnegative matrix factorization".
    The scale of `h` does not matter to it while ε is small beside `h`. All frames move at once, by the fourth root of
    the ratio at β ≤ 2, where that paper goes from frame to frame: more, cheaper iterations.

    Attributes:
        weight: nonnegative, shape `()`, or `(components, 1)`.
        epsilon: ε, positive, shape `()`, in units of `h`: levels below it count as silence.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)
    epsilon: Number = hyper(domain=domains.POSITIVE)

    def value(self, H: Array) -> Array:
        H = H + self.epsilon
        ratio = H[..., :-1] / H[..., 1:]
        return jnp.sum(expand(self.weight, H.ndim) * (ratio - jnp.log(ratio) - 1), axis=(-2, -1))

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        weight = expand(self.weight, H.ndim)
        inverse = 1 / (H + self.epsilon)
        first, last = _edges(H)
        negative = _before(H + self.epsilon) * inverse**2 + first * inverse
        return weight * negative, weight * (_after(inverse) + last * inverse)

    @property
    def degrees(self) -> Degrees:
        return 2.0, -2.0


@node
class Orthogonality:
    """`weight · Σ_{j<k} ⟨h_j, h_k⟩`: components that do not overlap.

    The off-diagonal of `H Hᵀ`, as in Choi (2008), "Algorithms for orthogonal nonnegative matrix factorization"; with
    nonnegative factors it is zero only where no two components share an element. On a dictionary: spectra that share
    no frequency.

    Attributes:
        weight: nonnegative, shape `()`.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    def value(self, H: Array) -> Array:
        together = jnp.sum(jnp.sum(H, axis=-2) ** 2, axis=-1) - jnp.sum(H**2, axis=(-2, -1))
        return self.weight * together / 2

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        return 0.0, self.weight * (jnp.sum(H, axis=-2, keepdims=True) - H)

    @property
    def degrees(self) -> Degrees:
        return 2.0, NONE


@node
class MinimumVolume:
    """`weight · log det(H Hᵀ + δ I)`, on a dictionary `log det(Wᵀ W + δ I)`: the tightest cone around the data.

    Leplat, Gillis and Ang (2020), "Blind audio source separation with minimum-volume beta-divergence NMF". Its tangent
    is a quadratic form, the positive and the negative entries of whose matrix make the two parts. With too many
    components it switches the superfluous ones off. The volume shrinks with the scale of the dictionary, so penalise
    the activations too (`Sparsity`), which that paper replaces by columns of unit sum.

    Attributes:
        weight: nonnegative, shape `()`.
        delta: δ, positive, shape `()`, in units of `w²`.
    """

    weight: Number = hyper(domain=domains.NONNEGATIVE, kw_only=False)
    delta: Number = hyper(domain=domains.POSITIVE)

    def value(self, H: Array) -> Array:
        diagonal = jnp.diagonal(jnp.linalg.cholesky(self._gram(H)), axis1=-2, axis2=-1)
        return 2 * self.weight * jnp.sum(jnp.log(diagonal), axis=-1)

    def parts(self, H: Array) -> tuple[Array | float, Array | float]:
        factor = jnp.linalg.cholesky(self._gram(H))
        eye = jnp.broadcast_to(expand(jnp.eye(H.shape[-2], dtype=H.dtype), H.ndim), factor.shape)
        root = jax.lax.linalg.triangular_solve(factor, eye, left_side=True, lower=True)
        inverse = 2 * self.weight * matmul(transpose(root), root)
        return matmul(jnp.maximum(-inverse, 0), H), matmul(jnp.maximum(inverse, 0), H)

    @property
    def degrees(self) -> Degrees:
        return 2.0, 0.0

    def _gram(self, H: Array) -> Array:
        eye = expand(jnp.eye(H.shape[-2], dtype=H.dtype), H.ndim)
        return matmul(H, transpose(H)) + self.delta * eye


def _before(H: Array) -> Array:
    """The value one frame before, zero before the first."""
    return jnp.pad(H[..., :-1], [(0, 0)] * (H.ndim - 1) + [(1, 0)])


def _after(H: Array) -> Array:
    """The value one frame after, zero after the last."""
    return jnp.pad(H[..., 1:], [(0, 0)] * (H.ndim - 1) + [(0, 1)])


def _edges(H: Array) -> tuple[Array, Array]:
    """One in the first frame, and one in the last, zero elsewhere; both zero for a single frame."""
    ones = jnp.ones_like(H)
    return _after(ones) * (1 - _before(ones)), _before(ones) * (1 - _after(ones))

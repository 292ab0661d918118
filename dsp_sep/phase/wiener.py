"""Wiener filters that know of phase: consistent, anisotropic, and both.

The sources are Gaussian in each bin and sum to the mixture; of all that do, the answer is the likeliest that is also
nearly consistent:

    minimise  Σ_j (S_j - m_j)ᴴ Q_j (S_j - m_j) + γ Σ_j ‖S_j - G(S_j)‖²  subject to  Σ_j S_j = X,

with the means `m_j` and precisions `Q_j` of a prior. Real matrices of two by two act on the plane of a bin as
`z → a z + b z*` with a real `a` and a complex `b`, and that is how they are kept here.
"""

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import bessel_ratios, phase, scale, square_magnitude, tiny
from ..pytree import Number, domains, hyper, node
from .misi import Separation, SourceInversion
from .projections import frames_first


class Planar(NamedTuple):
    """Symmetric matrices of two by two on the plane, `z → a z + b z*`."""

    a: Array
    b: Array

    def __call__(self, z: Array) -> Array:
        return scale(self.a, z) + self.b * jnp.conj(z)

    def plus(self, number: Array) -> "Planar":
        """The matrix plus a number of identities."""
        return Planar(self.a + number, self.b)

    def inverse(self) -> "Planar":
        """The inverse of a positive definite matrix."""
        largest = jnp.maximum(self.a, tiny(self.a.dtype))
        ratio = jnp.minimum(square_magnitude(scale(1 / largest, self.b)), 1 - jnp.finfo(self.a.dtype).eps)
        gain = 1 / (largest * (1 - ratio))
        return Planar(gain, scale(-gain / largest, self.b))

    def total(self) -> "Planar":
        """The sum over the sources."""
        return Planar(jnp.sum(self.a, axis=-4, keepdims=True), jnp.sum(self.b, axis=-4, keepdims=True))


class Prior(Protocol):
    """Means and covariances of the sources for variances and phases, both in the layout of the loop."""

    def __call__(self, variances: Array, phases: Array) -> tuple[Array, Planar]: ...


@node
class Circular:
    """Zero mean, any phase alike: the prior of the Wiener filter."""

    def __call__(self, variances: Array, phases: Array) -> tuple[Array, Planar]:
        return jnp.zeros_like(phases), Planar(variances, jnp.zeros_like(phases))


@node
class Anisotropic:
    """Phases that are known with some uncertainty (Magron, Badeau and David, 2017).

    The first two moments of magnitudes `√v` with a von Mises phase around `μ`: mean `λ √v e^{iμ}`, variance
    `(1 - λ²) v`, relation `ρ v e^{2iμ}`, with `λ = I₁(κ) / I₀(κ)` and `ρ = I₂(κ) / I₀(κ) - λ²`.

    Attributes:
        concentration: `κ`, positive, shape `()` or one that broadcasts against the magnitudes from the right: near zero
            it is `Circular`, large where the phases are trusted.
    """

    concentration: Number = hyper(default=1.0, domain=domains.POSITIVE, kw_only=False)

    def __call__(self, variances: Array, phases: Array) -> tuple[Array, Planar]:
        kappa = frames_first(self.concentration, variances.ndim)
        first, second = bessel_ratios(kappa)
        mean = scale(first * jnp.sqrt(variances), phases)
        return mean, Planar((1 - first**2) * variances, scale((second - first**2) * variances, phases * phases))


class ConjugateGradient(NamedTuple):
    """The sources, their projection on consistent spectrograms, the last direction and what it gained, `(..., 1, 1, 1,
    1)`; and the means and precisions of the prior. Spectrograms are `(..., sources, channels, frames, frequency)`.
    """

    sources: Array
    consistent: Array
    direction: Array
    gain: Array
    mean: Array
    precision: Planar


@node
class ConsistentWiener(SourceInversion):
    """Consistent Wiener filtering by preconditioned conjugate gradients (Le Roux and Vincent, 2013).

    With `prior=Anisotropic(κ)` it is consistent anisotropic Wiener filtering (Magron, Le Roux and Virtanen, 2017). Both
    papers take one source against the rest; here all are solved for together, which for two sources is the same with
    their weight twice this one. With `γ = 0` the start itself is the answer: the (anisotropic) Wiener filter.

    Data: `(mixture, magnitudes)` as for `MISI`; the variances are the squares of the magnitudes. Output: complex, of
    the shape of the magnitudes; it sums to the mixture. The objective never rises, and an iteration costs one
    consistency projection. A few tens suffice. Batch and channels shard; frames with a halo of one window.

    Attributes:
        prior: `Circular()` or `Anisotropic(concentration)`; it is read once, at the start.
        consistency_weight: `γ`, nonnegative, shape `()`, in units of the inverse mean variance of a source, so that it
            does not depend on the scale of the data.
        start: whose phases are those of the prior; the mixture's unless given. Without a meaning for `Circular`.
        stft, length: as for `MISI`. The mixture weight has no meaning here.
    """

    prior: Prior = hyper(default=Circular())
    consistency_weight: Number = hyper(default=1.0, domain=domains.NONNEGATIVE)

    def init(self, data: Separation, *, key: Array | None = None) -> ConjugateGradient:  # type: ignore[override]
        mean, covariance = self.moments(phase(super().init(data, key=key)), data)
        error = covariance.total().inverse()(self.missing(mean, data))
        sources = mean + covariance(jnp.broadcast_to(error, mean.shape))
        none = jnp.zeros((*sources.shape[:-4], 1, 1, 1, 1), sources.real.dtype)
        start = sources, self.consistent(sources), jnp.zeros_like(sources), none
        return ConjugateGradient(*start, mean, covariance.inverse())

    def update(self, state: ConjugateGradient, data: Separation) -> ConjugateGradient:  # type: ignore[override]
        downhill = self.downhill(state)
        steepest, noise = self.preconditioned(downhill, state.precision)
        gain = self.inner(downhill, steepest)
        direction = steepest + scale(_ratio(gain, state.gain, noise), state.direction)
        consistent = self.consistent(direction)
        curved = state.precision(direction) + scale(self.consistency_weight, direction - consistent)
        step = _ratio(self.inner(downhill, direction), self.inner(direction, curved), noise)
        return ConjugateGradient(
            state.sources + scale(step, direction),
            state.consistent + scale(step, consistent),
            direction,
            gain,
            state.mean,
            state.precision,
        )

    def readout(self, state: ConjugateGradient, data: Separation) -> Array:  # type: ignore[override]
        return super().readout(state.sources, data)

    def objective(self, state: ConjugateGradient, data: Separation) -> Array:  # type: ignore[override]
        """The function that is minimised, with variances over their mean."""
        error = state.sources - state.mean
        fit = (jnp.conj(error) * state.precision(error)).real
        inconsistency = square_magnitude(state.sources - self.consistent(state.sources))
        return self.total(fit) + self.consistency_weight * self.total(inconsistency)

    def residual(self, state: ConjugateGradient, data: Separation) -> ConjugateGradient:  # type: ignore[override]
        """The preconditioned gradient along the constraint, what is missing to the mixture, and the prior of the data.

        The search that comes to the solution does not enter. A start that is drawn has none.
        """
        mean, covariance = self.moments(phase(super().init(data)), data)
        fresh = state._replace(consistent=self.consistent(state.sources))
        steepest, _ = self.preconditioned(self.downhill(fresh), state.precision)
        missing = self.missing(state.sources, data) / state.sources.shape[-4]
        solution = ConjugateGradient(
            state.sources + steepest + missing,
            fresh.consistent,
            jnp.zeros_like(state.direction),
            jnp.zeros_like(state.gain),
            mean,
            covariance.inverse(),
        )
        return jax.tree.map(lambda a, b: a - b, solution, state)

    def moments(self, phases: Array, data: Separation) -> tuple[Array, Planar]:
        """The means of the prior, and its covariances for variances over their mean and above zero."""
        powers = data.magnitudes**2
        unit = jnp.mean(powers, axis=(-4, -3, -2, -1), keepdims=True)
        silent = unit <= tiny(unit.dtype) ** 2
        unit = jnp.where(silent, 1, unit)
        eps = jnp.finfo(powers.dtype).eps
        total = jnp.sum(powers, axis=-4, keepdims=True) / unit
        mean, covariance = self.prior(jnp.maximum(powers / unit, eps * (total + eps)), phases)
        return scale(jnp.sqrt(unit), mean), covariance

    def downhill(self, state: ConjugateGradient) -> Array:
        """Half the negative gradient of the objective."""
        inconsistency = scale(self.consistency_weight, state.sources - state.consistent)
        return state.precision(state.mean - state.sources) - inconsistency

    def preconditioned(self, downhill: Array, precision: Planar) -> tuple[Array, Array]:
        """The direction that the inverse of the nearly diagonal part gives, along the constraint.

        Also, what the gain of that direction amounts to when it is but rounding.
        """
        missed = 1 - self.stft.hop / self.stft.n_fft  # of a bin's energy, what its own consistency projection misses
        inverse = precision.plus(self.consistency_weight * missed).inverse()
        noise = (16 * jnp.finfo(downhill.dtype).eps) ** 2 * self.inner(downhill, inverse(downhill))
        free = inverse(_balanced(downhill))
        multiplier = inverse.total().inverse()(jnp.sum(free, axis=-4, keepdims=True))
        return _balanced(free - inverse(jnp.broadcast_to(multiplier, free.shape))), noise

    def inner(self, first: Array, second: Array) -> Array:
        """The inner product of spectrograms, `(..., 1, 1, 1, 1)`."""
        products = self.total((jnp.conj(first) * second).real)
        return products.reshape((*products.shape, 1, 1, 1, 1))


def _balanced(sources: Array) -> Array:
    """The nearest that sum to zero over the sources."""
    return sources - jnp.mean(sources, axis=-4, keepdims=True)


def _ratio(numerator: Array, denominator: Array, noise: Array) -> Array:
    """Zero where the search is at its end, to the precision of the numbers."""
    ended = denominator <= jnp.maximum(lax.stop_gradient(noise), tiny(denominator.dtype) ** 2)
    return jnp.where(ended, 0, numerator / jnp.where(ended, 1, denominator))

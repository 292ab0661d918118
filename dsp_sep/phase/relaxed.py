"""Phase recovery for the sources of a mixture with constants worth learning."""

import jax.numpy as jnp
from jax import Array

from ..numerics import divide, phase, scale, square_magnitude
from ..pytree import Number, domains, hyper, node
from .misi import Separation, SourceInversion
from .projections import frames_first, project_magnitude


@node
class RelaxedMISI(SourceInversion):
    """MISI with a relaxed magnitude projection, and the mixture's error shared out as errors of phase have it.

    One iteration is

        `C = P_cons(S) + o (P_cons(S) - S)`,
        `M_j = P_mag(C)_j + r (C_j - P_mag(C)_j)`,  `S_j = M_j + Σ_j (Σ_k Σ_k)⁻¹ (X - Σ_k M_k)`,

    where `P_mag` is the projection onto the magnitudes `g A_j`, and `Σ_j`, a real matrix of 2 by 2 for each bin, is the
    covariance of the error of `M_j` as a vector of the plane: `λ_j` across the direction of `M_j`, which is what an
    error of its phase does, and `ρ λ_j` along it, an error of its magnitude. So the sources turn to meet the mixture,
    rather than grow or shrink; one iteration is nearly a Gauss-Newton step on the phases. The error model is that of
    the anisotropic Wiener filter (Magron, Badeau and David, 2017), with the phase from the iteration in place of one
    from a signal model. For `o = 0`, `r = 0`, `ρ = 1` and `g = 1` it is `MISI`.

    Data and output are those of `MISI`: `(mixture, magnitudes)`, complex `(..., channels, frequency, frames)` and
    nonnegative `(..., sources, channels, frequency, frames)`; complex, of the shape of the magnitudes, summing to the
    mixture. A positive `o` saves iterations, but may let them diverge where they are many; with true magnitudes a small
    `ρ` and a negative `r` save some too; magnitudes that err ask for a `ρ` of one or more, and their targets are
    biased: errors that multiply them add to their energy, so that the least squared error is had from targets shrunk by
    some `g` below one. None of the constants is known beforehand: it is made to be unfolded and trained, in a
    `Momentum`. Batch and channels shard; frames with a halo of one window.

    Attributes:
        overshoot: `o`, any real number: how far beyond the consistent spectrogram it goes; 0 is the projection, 1 the
            reflection. Shape as of `relaxation`.
        relaxation: `r`, any real number: how much of the consistent spectrogram's own magnitudes is kept; 0 is the
            projection, -1 the reflection. Shape `()`, or one that broadcasts against the magnitudes from the right.
        radial: `ρ`, positive: 1 shares the error in both directions alike. Shape `()`, or `(frequency, 1)`.
        gain: `g`, positive: a shrinkage of the targets; 1 takes them as they are. Shape as of `relaxation`.
        stft, mixture_weight, start, length: as in `SourceInversion`; the weights `λ` sum to one over the sources.
    """

    overshoot: Number = hyper(default=0.0, domain=domains.REAL)
    relaxation: Number = hyper(default=0.0, domain=domains.REAL)
    radial: Number = hyper(default=1.0, domain=domains.POSITIVE)
    gain: Number = hyper(default=1.0, domain=domains.POSITIVE)

    def update(self, state: Array, data: Separation) -> Array:
        overshoot, relaxation, gain = (
            frames_first(value, state.ndim) for value in (self.overshoot, self.relaxation, self.gain)
        )
        consistent = self.consistent(state)
        estimate = consistent + scale(overshoot, consistent - state)
        target = project_magnitude(estimate, gain * data.magnitudes)
        return self.mixed(target + scale(relaxation, estimate - target), data)

    def objective(self, state: Array, data: Separation) -> Array:
        """That of `MISI`, `Σ_j ‖|G(S_j)| - A_j‖²`; it need not fall."""
        return self.mismatch(self.consistent(state), data)

    def mixed(self, sources: Array, data: Separation) -> Array:
        """The sources with their shares of what is missing to the mixture, along and across their own directions."""
        return share_error(sources, data.mixture, self.shares(data), frames_first(self.radial, sources.ndim))


def share_error(sources: Array, mixture: Array, weights: Array, radial: Array) -> Array:
    """Sources that sum to the mixture, of which each takes its share of the error along and across its own direction.

    `S_j = M_j + Σ_j (Σ_k Σ_k)⁻¹ E` for the error `E = X - Σ_k M_k` and covariances `Σ_j` of `λ_j` across the direction
    `u_j = M_j / |M_j|` and of `ρ λ_j` along it: of all sources that sum to the mixture, these are the nearest in the
    norm that the inverse covariances define. As the weights sum to one this is, with `κ = (1 - ρ) / (1 + ρ)`,

        `S_j = M_j + λ_j (Z - κ u_j² Z*)`,  `Z = (E + κ U E*) / (1 - κ² |U|²)`,  `U = Σ_k λ_k u_k²`.

    Args:
        sources: `M`, complex, with the sources along axis -4.
        mixture: `X`, complex, of the shape of the sources but for a source axis of length one.
        weights: `λ`, nonnegative, summing to one over the sources, broadcasting against them.
        radial: `ρ`, positive, the same for all sources: 1 makes this `project_mixture`.
    """
    anisotropy = (1 - radial) / (1 + radial)
    error = mixture - jnp.sum(sources, axis=-4, keepdims=True)
    direction = phase(sources)
    double = direction * direction
    mean = scale(anisotropy, jnp.sum(scale(weights, double), axis=-4, keepdims=True))
    agreement = 1 - square_magnitude(mean)
    common = scale(divide(jnp.ones_like(agreement), agreement), error + mean * jnp.conj(error))
    return sources + scale(weights, common - scale(anisotropy, double) * jnp.conj(common))

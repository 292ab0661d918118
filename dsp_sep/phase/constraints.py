"""Phase recovery for the sources of a mixture with soft and hard constraints (Magron and Virtanen, EUSIPCO 2023).

Each source should be consistent, each should have its magnitudes, and together they should be the mixture. An algorithm
here holds one of these wishes exactly ("hard") or none, and weighs the others against each other; `MISI` belongs to the
family. The names are those of the paper. Data and attributes are those of `MISI`
throughout; where the paper shares the error of the mixture by magnitudes, that is the default.
"""

from jax import Array

from ..numerics import scale, square_magnitude
from ..pytree import Number, domains, hyper, node
from .misi import Separation, SourceInversion
from .projections import frames_first, project_magnitude
from .weights import MagnitudeRatio, MixtureWeight


@node
class InconsHardMix(SourceInversion):
    """Incons_hardMix, the most consistent sources that sum to the mixture: `S ← P_mix(P_cons(S))`.

    One iteration is all it takes: with equal weights the two projections commute, and a second one changes nothing.
    The magnitudes enter by the start (and the weights) alone. The output sums to the mixture.
    """

    def update(self, state: Array, data: Separation) -> Array:
        return self.mixed(self.consistent(state), data)

    def objective(self, state: Array, data: Separation) -> Array:
        """The inconsistency of the sources, `Σ_j ‖S_j - G(S_j)‖²`."""
        return self.total(square_magnitude(state - self.consistent(state)))


@node
class WeightedInversion(SourceInversion):
    """What the algorithms that weigh consistency against another wish share; abstract.

    Attributes:
        consistency_weight: `σ`, nonnegative, shape `()` or one that broadcasts against the magnitudes from the right,
            such as `(frequency, 1)`. The paper chooses it on data for each algorithm; 1 unless given.
    """

    consistency_weight: Number = hyper(default=1.0, domain=domains.NONNEGATIVE)

    def sigma(self, data: Separation) -> Array:
        """The consistency weight in the layout of the loop."""
        return frames_first(self.consistency_weight, data.magnitudes.ndim)

    def weighed(self, error: Array, sources: Array, data: Separation) -> Array:
        """`‖error‖² + σ Σ_j ‖S_j - G(S_j)‖²`."""
        inconsistency = self.sigma(data) * square_magnitude(sources - self.consistent(sources))
        return self.total(square_magnitude(error)) + self.total(inconsistency)


@node
class MixIncons(WeightedInversion):
    """Mix+Incons, the mixture weighed against consistency: `S ← (P_mix(S) + σλ P_cons(S)) / (1 + σλ)`.

    The magnitudes enter by the start (and the weights) alone, which serves where they are poor: the answer stays near
    a start such as a Wiener filter's. The objective never rises, whatever the mixture weights, for a single `σ`.
    """

    mixture_weight: MixtureWeight = hyper(default_factory=MagnitudeRatio)

    def update(self, state: Array, data: Separation) -> Array:
        gain = self.sigma(data) * self.shares(data)
        return scale(1 / (1 + gain), self.mixed(state, data) + scale(gain, self.consistent(state)))

    def objective(self, state: Array, data: Separation) -> Array:
        """`‖X - Σ_j S_j‖² + σ Σ_j ‖S_j - G(S_j)‖²`."""
        return self.weighed(self.missing(state, data), state, data)


@node
class MixInconsHardMag(WeightedInversion):
    """Mix+Incons_hardMag, the same with given magnitudes: `S ← P_mag(P_mix(S) + σλ P_cons(S))`.

    The output has the magnitudes and need not sum to the mixture. The objective never rises, whatever the mixture
    weights, for a single `σ` (if the start has the magnitudes).
    """

    mixture_weight: MixtureWeight = hyper(default_factory=MagnitudeRatio)

    def update(self, state: Array, data: Separation) -> Array:
        gain = self.sigma(data) * self.shares(data)
        return project_magnitude(self.mixed(state, data) + scale(gain, self.consistent(state)), data.magnitudes)

    def objective(self, state: Array, data: Separation) -> Array:
        """`‖X - Σ_j S_j‖² + σ Σ_j ‖S_j - G(S_j)‖²`."""
        return self.weighed(self.missing(state, data), state, data)


@node
class MagInconsHardMix(WeightedInversion):
    """Mag+Incons_hardMix, magnitudes weighed against consistency: `S ← P_mix((P_mag(S) + σ P_cons(S)) / (1 + σ))`.

    The output sums to the mixture. The objective never rises for a single `σ` and equal mixture weights (if the start
    sums to the mixture).
    """

    def update(self, state: Array, data: Separation) -> Array:
        sigma = self.sigma(data)
        wanted = project_magnitude(state, data.magnitudes) + scale(sigma, self.consistent(state))
        return self.mixed(scale(1 / (1 + sigma), wanted), data)

    def objective(self, state: Array, data: Separation) -> Array:
        """`Σ_j ‖|S_j| - A_j‖² + σ Σ_j ‖S_j - G(S_j)‖²`."""
        return self.weighed(state - project_magnitude(state, data.magnitudes), state, data)

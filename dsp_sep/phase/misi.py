"""Phase recovery for the sources of a mixture."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm, NoFixedPointError, check_finite, check_nonnegative
from ..numerics import magnitude, transpose
from ..pytree import hyper, node, static
from ..transforms import STFT
from .projections import consistent_frames, energy, frames_first, project_magnitude, project_mixture
from .starts import MixturePhase, MixtureShare, Start
from .weights import MixtureWeight, Uniform


class Separation(NamedTuple):
    """The mixture, `(..., 1, channels, frames, frequency)`, and the magnitudes, with all sources in place of one."""

    mixture: Array
    magnitudes: Array


@node
class SourceInversion(Algorithm):
    """What the algorithms for the sources of a mixture share: data, start and layout; abstract.

    Inside the loop frames come before frequency, as the transform computes them; data, start and output are
    `(..., frequency, frames)`.

    Attributes:
        stft: the transform.
        mixture_weight: how the error of the mixture is shared: `Uniform`, `MagnitudeRatio(exponent)`, `GivenWeights`.
        start: the spectrograms it starts from; the mixture's phase unless given.
        length: samples of the signals; those of the longest that has so many frames unless given.
    """

    stft: STFT = hyper(kw_only=False)
    mixture_weight: MixtureWeight = hyper(default=Uniform())
    start: Start = hyper(default=MixturePhase())
    length: int | None = static(default=None)

    def prepare(self, data: tuple[Array, Array]) -> Separation:
        mixture, magnitudes = data
        name = type(self).__name__
        if magnitudes.ndim < 4 or jnp.iscomplexobj(magnitudes):
            raise ValueError(
                f"{name}: magnitudes have shape {magnitudes.shape} and dtype {magnitudes.dtype}, "
                f"expected real (..., sources, channels, frequency, frames)"
            )
        expected = (*magnitudes.shape[:-4], *magnitudes.shape[-3:])
        if mixture.shape != expected or not jnp.iscomplexobj(mixture):
            raise ValueError(
                f"{name}: the mixture has shape {mixture.shape} and dtype {mixture.dtype}, expected complex {expected} "
                f"(..., channels, frequency, frames), to go with magnitudes of shape {magnitudes.shape}"
            )
        check_nonnegative(name, "magnitudes", magnitudes)
        check_finite(name, "the mixture", mixture)
        return Separation(transpose(jnp.expand_dims(mixture, -4)), transpose(magnitudes))

    def init(self, data: Separation, *, key: Array | None = None) -> Array:
        return transpose(self.start(transpose(data.magnitudes), transpose(data.mixture), key))

    def readout(self, state: Array, data: Separation) -> Array:
        return transpose(state)

    def residual(self, state: Array, data: Separation) -> Array:
        name = type(self).__name__
        raise NoFixedPointError(f"{name} has no isolated fixed point: differentiate through its iterations")

    def consistent(self, sources: Array) -> Array:
        """The projection of the sources on the spectrograms of signals."""
        return consistent_frames(sources, self.stft, self.length)

    def shares(self, data: Separation) -> Array:
        """The mixture weights in the layout of the loop."""
        return frames_first(self.mixture_weight(transpose(data.magnitudes)), data.magnitudes.ndim)

    def mixed(self, sources: Array, data: Separation) -> Array:
        """The sources with their shares of what is missing to the mixture."""
        return project_mixture(sources, data.mixture, self.shares(data))

    def missing(self, sources: Array, data: Separation) -> Array:
        """What the sources lack to be the mixture."""
        return data.mixture - jnp.sum(sources, axis=-4, keepdims=True)

    def total(self, squares: Array) -> Array:
        """The sum over sources, channels, the whole spectrum and frames, `(...)`."""
        return jnp.sum(energy(transpose(squares), self.stft), axis=(-2, -1))

    def mismatch(self, sources: Array, data: Separation) -> Array:
        """`Σ (|S| - A)²` over sources, channels, the whole spectrum and frames, `(...)`."""
        return self.total((magnitude(sources) - data.magnitudes) ** 2)


@node
class MISI(SourceInversion):
    """Multiple input spectrogram inversion (Gunawan and Sen, 2010): `S ← P_mix(P_mag(P_cons(S)))`.

    Each source is made consistent, given its magnitudes, and then its share of what is missing to the mixture. Data:
    `(mixture, magnitudes)`, complex `(..., channels, frequency, frames)` and nonnegative
    `(..., sources, channels, frequency, frames)`. Output: complex, of the shape of the magnitudes; it sums to the
    mixture. With equal weights the objective never rises (Wang, Wichern and Le Roux, 2019). Batch, sources and channels
    shard but for one sum over sources; frames with a halo of one window. Attributes: those of `SourceInversion`.
    """

    def update(self, state: Array, data: Separation) -> Array:
        return self.mixed(project_magnitude(self.consistent(state), data.magnitudes), data)

    def objective(self, state: Array, data: Separation) -> Array:
        """How far the signals' magnitudes are from those asked for, `Σ_j ‖|G(S_j)| - A_j‖²`."""
        return self.mismatch(self.consistent(state), data)


@node
class MixtureFirstMISI(SourceInversion):
    """MISI with the mixture projected onto before the magnitudes: `S ← P_mag(P_mix(P_cons(S)))`.

    As in online MISI (Magron and Virtanen, 2020) and asteroid. Data and attributes are those of `MISI`, but it starts
    from an equal share of the mixture unless told otherwise; the answer has the magnitudes and need not sum to the
    mixture. With equal weights `P_mix` and `P_cons` commute, and the iterates are those of `MISI` seen one projection
    earlier; with others the two are different algorithms.
    """

    start: Start = hyper(default=MixtureShare())

    def update(self, state: Array, data: Separation) -> Array:
        return project_magnitude(self.mixed(self.consistent(state), data), data.magnitudes)

    def objective(self, state: Array, data: Separation) -> Array:
        """How far the magnitudes of signals that sum to the mixture are from those asked for."""
        return self.mismatch(self.mixed(self.consistent(state), data), data)

"""Phase recovery for the sources of a mixture."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import magnitude
from ..pytree import hyper, node, static
from ..transforms import STFT
from .projections import consistent, energy, project_magnitude, project_mixture
from .starts import MixturePhase, MixtureShare, Start
from .weights import MixtureWeight, Uniform


class Separation(NamedTuple):
    """A mixture with a source axis of length one, and magnitudes `(..., sources, channels, frequency, frames)`."""

    mixture: Array
    magnitudes: Array


def separation(data: tuple[Array, Array], name: str) -> Separation:
    """Check a mixture and the magnitudes of its sources against each other, and give the mixture a source axis."""
    mixture, magnitudes = data
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
    return Separation(jnp.expand_dims(mixture, -4), magnitudes)


@node
class MISI(Algorithm):
    """Multiple input spectrogram inversion (Gunawan and Sen, 2010): `S ← P_mix(P_mag(P_cons(S)))`.

    Each source is made consistent, given its magnitudes, and then its share of what is missing to the mixture. Data:
    `(mixture, magnitudes)`, complex `(..., channels, frequency, frames)` and nonnegative
    `(..., sources, channels, frequency, frames)`. Output: complex, of the shape of the magnitudes; it sums to the
    mixture. With equal weights the objective never rises (Wang, Wichern and Le Roux, 2019). Batch, sources and channels
    shard but for one sum over sources; frames with a halo of one window.

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
        return separation(data, "MISI")

    def init(self, data: Separation, *, key: Array | None = None) -> Array:
        return self.start(data.magnitudes, data.mixture, key)

    def update(self, state: Array, data: Separation) -> Array:
        estimate = project_magnitude(consistent(state, self.stft, self.length), data.magnitudes)
        return project_mixture(estimate, data.mixture, self.mixture_weight(data.magnitudes))

    def objective(self, state: Array, data: Separation) -> Array:
        """How far the signals' magnitudes are from those asked for, `Σ_j ‖|G(S_j)| - A_j‖²`."""
        return mismatch(consistent(state, self.stft, self.length), data.magnitudes, self.stft)


@node
class MixtureFirstMISI(Algorithm):
    """MISI with the mixture projected onto before the magnitudes: `S ← P_mag(P_mix(P_cons(S)))`.

    As in online MISI (Magron and Virtanen, 2020) and asteroid. Data and hyperparameters are those of `MISI`; the
    answer has the magnitudes and need not sum to the mixture. With equal weights `P_mix` and `P_cons` commute, and the
    iterates are those of `MISI` seen one projection earlier; with others the two are different algorithms.

    Attributes:
        stft: the transform.
        mixture_weight: how the error of the mixture is shared.
        start: the spectrograms it starts from; an equal share of the mixture unless given.
        length: samples of the signals; those of the longest that has so many frames unless given.
    """

    stft: STFT = hyper(kw_only=False)
    mixture_weight: MixtureWeight = hyper(default=Uniform())
    start: Start = hyper(default=MixtureShare())
    length: int | None = static(default=None)

    def prepare(self, data: tuple[Array, Array]) -> Separation:
        return separation(data, "MixtureFirstMISI")

    def init(self, data: Separation, *, key: Array | None = None) -> Array:
        return self.start(data.magnitudes, data.mixture, key)

    def update(self, state: Array, data: Separation) -> Array:
        return project_magnitude(self._mixed(state, data), data.magnitudes)

    def objective(self, state: Array, data: Separation) -> Array:
        """How far the magnitudes of signals that sum to the mixture are from those asked for."""
        return mismatch(self._mixed(state, data), data.magnitudes, self.stft)

    def _mixed(self, state: Array, data: Separation) -> Array:
        estimate = consistent(state, self.stft, self.length)
        return project_mixture(estimate, data.mixture, self.mixture_weight(data.magnitudes))


def mismatch(spectrogram: Array, magnitudes: Array, stft: STFT) -> Array:
    """`Σ (|S| - A)²` over sources, channels, the whole spectrum and frames, `(...)`."""
    return jnp.sum(energy((magnitude(spectrogram) - magnitudes) ** 2, stft), axis=(-2, -1))

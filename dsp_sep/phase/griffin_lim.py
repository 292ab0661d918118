"""Phase recovery for one source by alternating projections."""

from typing import Any

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm, NoFixedPointError, check_nonnegative
from ..numerics import square_magnitude, transpose
from ..pytree import hyper, node, static
from ..transforms import STFT
from .projections import consistent_frames, energy, project_magnitude
from .starts import RandomPhase, Start


@node
class SpectrogramInversion(Algorithm):
    """What the algorithms for one source share: data, start, layout; abstract.

    Inside the loop frames come before frequency, as the transform computes them; data, start and output are
    `(..., frequency, frames)`. Batch axes shard; frames do with a halo of one window.

    Attributes:
        stft: the transform.
        start: the phase it starts from; drawn unless given.
        length: samples of the signal; those of the longest that has so many frames unless given (librosa and torch
            take `(frames - 1) · hop` where they are not told).
    """

    stft: STFT = hyper(kw_only=False)
    start: Start = hyper(default=RandomPhase())
    length: int | None = static(default=None)

    def prepare(self, data: Array) -> Array:
        if jnp.iscomplexobj(data) or data.ndim < 2:
            raise ValueError(
                f"{type(self).__name__}: magnitudes have shape {data.shape} and dtype {data.dtype}, "
                f"expected real (..., frequency, frames)"
            )
        check_nonnegative(type(self).__name__, "magnitudes", data)
        return transpose(data)

    def init(self, data: Array, *, key: Array | None = None) -> Array:
        return transpose(self.start(transpose(data), None, key))

    def consistent(self, spectra: Array) -> Array:
        """The projection on the spectrograms of signals."""
        return consistent_frames(spectra, self.stft, self.length)

    def readout(self, state: Array, data: Array) -> Array:
        return transpose(self.answer(state, data))

    def answer(self, state: Array, data: Array) -> Array:
        """The spectrogram with the magnitudes that a state stands for, in the layout of the loop."""
        return project_magnitude(state, data)

    def objective(self, state: Array, data: Array) -> Array:
        """The inconsistency of the answer, `‖S - G(S)‖²` over the whole spectrum."""
        answer = self.answer(state, data)
        return energy(transpose(square_magnitude(answer - self.consistent(answer))), self.stft)

    def residual(self, state: Any, data: Array) -> Any:
        name = type(self).__name__
        raise NoFixedPointError(f"{name} has no isolated fixed point: differentiate through its iterations")


@node
class GriffinLim(SpectrogramInversion):
    """The Griffin-Lim algorithm (Griffin and Lim, 1984): `C ← G(A ⊙ C / |C|)`.

    Data: magnitudes `A`, `(..., frequency, frames)`. State: the consistent spectrogram `C`. Output: `A ⊙ C / |C|`,
    complex, of the same shape, to be synthesised. The inconsistency never rises. There is no isolated fixed point: the
    answer depends on the start, and its global sign is not determined.

    `Momentum(GriffinLim(stft), 0.99)` is the fast Griffin-Lim algorithm (Perraudin, Balazs and Søndergaard, 2013),
    equal to librosa's and torchaudio's of the same momentum; `Accelerated(GriffinLim(stft))` is the accelerated one
    (Nenov, Nguyen, Balazs and Boţ, 2023). Attributes: those of `SpectrogramInversion`.
    """

    def update(self, state: Array, data: Array) -> Array:
        return self.consistent(project_magnitude(state, data))


@node
class ConsistencyFirstGriffinLim(SpectrogramInversion):
    """Griffin-Lim cut at the other place: `S ← A ⊙ G(S) / |G(S)|`.

    The iterates are those of `GriffinLim` seen one projection later, and so is the answer; but a `Momentum` around it
    extrapolates what has the magnitudes, not what is consistent, which is another algorithm (and, in what was tried, a
    slightly worse one). Data, output and attributes: those of `GriffinLim`.
    """

    def update(self, state: Array, data: Array) -> Array:
        return project_magnitude(self.consistent(state), data)

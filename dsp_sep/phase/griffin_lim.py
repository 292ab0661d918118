"""Phase recovery for one source."""

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import square_magnitude, transpose
from ..pytree import hyper, node, static
from ..transforms import STFT
from .projections import consistent_frames, energy, project_magnitude
from .starts import RandomPhase, Start


@node
class GriffinLim(Algorithm):
    """The Griffin-Lim algorithm (Griffin and Lim, 1984): `C ← G(A ⊙ C / |C|)`.

    Data: magnitudes `A`, `(..., frequency, frames)`. State: the consistent spectrogram `C`. Output: `A ⊙ C / |C|`,
    complex, of the same shape, to be synthesised. `Momentum(GriffinLim(stft), 0.99)` is the fast Griffin-Lim algorithm
    (Perraudin, Balazs and Søndergaard, 2013), equal to librosa's and torchaudio's of the same momentum. The
    inconsistency never rises (without momentum). Batch axes shard; frames do with a halo of one window.

    There is no isolated fixed point: the answer depends on the start, and its global sign is not determined.

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
                f"GriffinLim: magnitudes have shape {data.shape} and dtype {data.dtype}, "
                f"expected real (..., frequency, frames)"
            )
        return transpose(data)

    def init(self, data: Array, *, key: Array | None = None) -> Array:
        return transpose(self.start(transpose(data), None, key))

    def update(self, state: Array, data: Array) -> Array:
        return consistent_frames(project_magnitude(state, data), self.stft, self.length)

    def readout(self, state: Array, data: Array) -> Array:
        return transpose(project_magnitude(state, data))

    def objective(self, state: Array, data: Array) -> Array:
        """The inconsistency of the answer, `‖S - G(S)‖²` over the whole spectrum."""
        answer = project_magnitude(state, data)
        error = square_magnitude(answer - consistent_frames(answer, self.stft, self.length))
        return energy(transpose(error), self.stft)

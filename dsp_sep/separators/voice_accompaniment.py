"""A voice, and the accompaniment that repeats under it: two stems without anything learned."""

from jax import Array

from ..masking import RepetSim
from ..pytree import hyper, node
from ..transforms import STFT
from .masked import masked


@node
class VoiceAccompaniment:
    """Voice against accompaniment by REPET-SIM: what frames that sound alike have in common, and the rest.

    Rafii and Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012. For songs over loops, riffs and
    chords that come back; whatever else varies (a solo, fills) goes with the voice. It needs some seconds at least, in
    which things come back; its memory grows with the square of the length, so that longer recordings are `Chunked`.

    Attributes:
        stft: the transform; see `stft_for`.
        mask: the similarity and the exponent of the masks; its distance is in frames of the transform.
    """

    stft: STFT = hyper(kw_only=False)
    mask: RepetSim = hyper(default_factory=RepetSim)

    @property
    def names(self) -> tuple[str, str]:
        """The stems."""
        return ("accompaniment", "voice")

    def __call__(self, mixture: Array) -> Array:
        """Stems `(..., 2, channels, samples)` of a mixture `(..., channels, samples)`."""
        return masked(self.stft, self.mask, mixture)

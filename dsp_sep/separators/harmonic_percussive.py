"""What sounds on, and what strikes: two stems without anything learned."""

from jax import Array

from ..masking import HPSS
from ..pytree import hyper, node
from ..transforms import STFT
from .masked import masked


@node
class HarmonicPercussive:
    """Harmonic/percussive separation: median filters, soft masks, inverse STFT (Fitzgerald 2010).

    Tuned instruments and drums, or a preparation for the analysis of either. Not for telling two tuned instruments
    apart; voices end up in both stems.

    Attributes:
        stft: the transform; see `stft_for`.
        mask: the median filters and the exponent of the masks.
    """

    stft: STFT = hyper(kw_only=False)
    mask: HPSS = hyper(default_factory=HPSS)

    @property
    def names(self) -> tuple[str, str]:
        """The stems."""
        return ("harmonic", "percussive")

    def __call__(self, mixture: Array) -> Array:
        """Stems `(..., 2, channels, samples)` of a mixture `(..., channels, samples)`."""
        return masked(self.stft, self.mask, mixture)

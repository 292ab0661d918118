"""The stems of another separator, refined by where their sources are."""

from typing import Any

import jax
from jax import Array

from ..iterate import Unfolded, run
from ..numerics import magnitude
from ..pytree import cast, hyper, node
from ..transforms import STFT


@node
class Refined:
    """A separator, then multichannel EM from the magnitudes of its stems (Nugraha, Liutkus and Vincent, 2016).

    The stems' spectrograms give EM the first powers of the sources and, with `Estimated`, the first spatial
    covariances; its multichannel Wiener filter gives the new stems, which sum to the mixture. Only magnitudes are taken
    over, not phases.

    For recordings whose sources keep places of their own: panned music, microphones that stand. There is nothing to
    gain where sources share a place, and the stems of a trained separator, whose own masks and phases give way to the
    filter's, may become worse: listen to both, or measure.

    Each call estimates covariances for itself. So within `Chunked` each chunk has its own, whatever its context: a
    source may move from one to the next, chunks have to last some seconds, and the result is not what the whole
    recording at once would give. Memory is linear in the length of the call.

    Attributes:
        separator: any separator; its stems keep their names.
        stft: the transform in which each source has one covariance in each frequency; see `stft_for`.
        refinement: `EM` or `NestedEM` unfolded, whose images sum to the mixture:
            `unfold(EM(start=Estimated()), iterations)`.
    """

    separator: Any = hyper(kw_only=False)
    stft: STFT = hyper()
    refinement: Unfolded = hyper()

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        return self.separator.names

    def __call__(self, mixture: Array) -> Array:
        """Stems `(..., sources, channels, samples)` of a mixture `(..., channels, samples)` of several channels.

        Raises:
            ValueError: for a mixture of one channel, in which no source has a place.
        """
        if mixture.ndim < 2 or mixture.shape[-2] < 2:
            raise ValueError(
                f"Refined: the mixture has shape {mixture.shape}, expected (..., channels, samples) with two channels "
                f"or more"
            )
        return _refine(self.stft, self.refinement, mixture, self.separator(mixture))


@jax.jit
def _refine(stft: STFT, refinement: Unfolded, mixture: Array, stems: Array) -> Array:
    stft = cast(stft, mixture.dtype)
    images = run(refinement, (stft.analyze(mixture), magnitude(stft.analyze(stems)))).output
    return stft.synthesize(images, length=mixture.shape[-1])

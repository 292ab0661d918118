"""Hyperparameters learned by gradient.

- Losses that are finite everywhere, with unknown order (`permutation_invariant`) or unknown sources
  (`mixture_invariant`) if need be.
- `fit`: the optax loop, on one device or several, with checkpoints that survive any interruption, `Validation`, a
  history and a manifest. What to learn on: `excerpts` of a song, `data.Excerpts` of folders of songs.
"""

from .assignments import mixture_invariant, permutation_invariant
from .checkpoints import CheckpointError
from .excerpts import excerpts
from .fit import Fit, Validation, fit
from .losses import (
    MultiResolutionSTFT,
    SpectralDivergence,
    SpectralL1,
    SpectralL2,
    negative_sdr,
    negative_si_sdr,
)
from .watch import DivergedError, NotFiniteError, TrainingError

__all__ = [
    "CheckpointError",
    "DivergedError",
    "Fit",
    "MultiResolutionSTFT",
    "NotFiniteError",
    "SpectralDivergence",
    "SpectralL1",
    "SpectralL2",
    "TrainingError",
    "Validation",
    "excerpts",
    "fit",
    "mixture_invariant",
    "negative_sdr",
    "negative_si_sdr",
    "permutation_invariant",
]

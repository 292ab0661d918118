"""Masks: what share of each time-frequency bin of the mixture belongs to a source.

Which one when:

- `RatioMask`: shares in proportion to a power of the sources' magnitudes; sums to one over the sources. Whatever
  estimates magnitudes ends here.
- `binary`: all to the loudest; as a target, or where sources seldom overlap. No derivative.
- `SoftThreshold`: a gate with a threshold and a slope to learn; takes away more of the others than a ratio mask, and
  more of the source.
- `HPSS`: harmonic against percussive, by median filters (`median_filter`); no training, no source models. What sounds
  on is taken to be a line along time, what strikes a line along frequency.
- `RepetSim`: what recurs in the recording against what varies (a voice over an accompaniment that repeats).
- `RobustPCA`: what lies in few spectra (low rank) against what is sparse; the same use, for shorter excerpts.

A ratio mask needs an estimate of every source; it cannot exceed the mixture, and takes the mixture's phase.
"""

from .hpss import HPSS, median_filter
from .ratio import RatioMask, ratio
from .repet_sim import RepetSim, similar_frames
from .robust_pca import Layers, RobustPCA, singular_value_threshold
from .thresholds import SoftThreshold, binary, soft_threshold

__all__ = [
    "HPSS",
    "Layers",
    "RatioMask",
    "RepetSim",
    "RobustPCA",
    "SoftThreshold",
    "binary",
    "median_filter",
    "ratio",
    "similar_frames",
    "singular_value_threshold",
    "soft_threshold",
]

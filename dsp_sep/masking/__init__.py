"""Masks: what share of each time-frequency bin of the mixture belongs to a source.

- `RatioMask`: shares in proportion to a power of the sources' magnitudes; sums to one over the sources.
- `HPSS`: harmonic against percussive, by median filters (`median_filter`); needs no training and no source models.

A ratio mask needs an estimate of every source; it cannot exceed the mixture, and takes the mixture's phase.
"""

from .hpss import HPSS, median_filter
from .ratio import RatioMask, ratio

__all__ = ["HPSS", "RatioMask", "median_filter", "ratio"]

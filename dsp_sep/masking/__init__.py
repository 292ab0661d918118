"""Masks: what share of each time-frequency bin of the mixture belongs to a source.

- `RatioMask`: shares in proportion to a power of the sources' magnitudes; sums to one over the sources.

A ratio mask needs an estimate of every source; it cannot exceed the mixture, and takes the mixture's phase.
"""

from .ratio import RatioMask, ratio

__all__ = ["RatioMask", "ratio"]

"""A song: a mixture, the sources it was mixed from, their names."""

from dataclasses import dataclass, replace

import jax
import numpy as np


@dataclass(frozen=True, eq=False)
class Song:
    """A mixture and its sources.

    Attributes:
        mixture: (channels, samples), float32.
        sources: (sources, channels, samples), float32.
        names: a name for each source.
        rate: samples per second (Hz).
    """

    mixture: np.ndarray | jax.Array
    sources: np.ndarray | jax.Array
    names: tuple[str, ...]
    rate: int

    def __post_init__(self):
        if self.sources.ndim != 3 or self.sources.shape[1:] != self.mixture.shape:
            raise ValueError(
                "Song: expected a mixture (channels, samples) and sources (sources, channels, samples), "
                f"got {self.mixture.shape} and {self.sources.shape}"
            )
        if len(self.names) != len(self.sources):
            raise ValueError(f"Song: expected {len(self.sources)} names, one for each source, got {self.names}")

    def excerpt(self, start: float, stop: float) -> "Song":
        """The part from `start` to `stop`, in seconds; at the latest to the end.

        Raises:
            ValueError: there is nothing between the two.
        """
        samples = self.mixture.shape[-1]
        first, last = round(start * self.rate), min(round(stop * self.rate), samples)
        if not 0 <= first < last:
            raise ValueError(f"excerpt: nothing from {start} s to {stop} s of {samples / self.rate:.3f} s")
        return replace(self, mixture=self.mixture[..., first:last], sources=self.sources[..., first:last])

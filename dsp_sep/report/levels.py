"""How loud stems are, and how well they sum to the mixture."""

from collections.abc import Mapping

import numpy as np
from rich.table import Table


class Levels:
    """Sums over a recording that comes in pieces.

    Attributes:
        names: the stems.
        samples: how many samples came, all channels counted.
    """

    def __init__(self, names: tuple[str, ...]):
        self.names, self.samples = names, 0
        self._stems, self._mixture, self._error = np.zeros(len(names)), 0.0, 0.0

    def add(self, mixture: np.ndarray, stems: np.ndarray) -> None:
        """The next piece: `(channels, samples)` and `(sources, channels, samples)`."""
        self.samples += mixture.size
        self._mixture += np.square(mixture, dtype=float).sum()
        self._stems += np.square(stems, dtype=float).sum(axis=(1, 2))
        self._error += np.square(mixture - stems.sum(axis=0, dtype=float)).sum()

    @property
    def stems(self) -> dict[str, float]:
        """The level of each stem: the root mean square over all channels, in dB of full scale."""
        return {name: _decibels(energy, self.samples) for name, energy in zip(self.names, self._stems, strict=True)}

    @property
    def mixture(self) -> float:
        """The level of the mixture in dB of full scale."""
        return _decibels(self._mixture, self.samples)

    @property
    def error(self) -> float:
        """The level of the difference between the mixture and the sum of the stems, in dB of the mixture's."""
        return _decibels(self._error, self._mixture)


def levels_table(recordings: Mapping[str, Levels]) -> Table:
    """A table of the levels of several recordings.

    Args:
        recordings: the levels by the name of the recording.
    """
    table = Table(caption="Levels in dB of full scale (RMS); the sum against the mixture, in dB of it")
    table.add_column("recording", overflow="fold")
    table.add_column("stem")
    table.add_column("level", justify="right")
    for recording, levels in recordings.items():
        for stem, level in levels.stems.items():
            table.add_row(recording, stem, _shown(level, "silent"))
            recording = ""
        table.add_row("", "mixture", _shown(levels.mixture, "silent"), style="bold")
        table.add_row("", "sum - mixture", _shown(levels.error, "exact"), style="dim", end_section=True)
    return table


def _decibels(energy: float, reference: float) -> float:
    return 10 * float(np.log10(energy / reference)) if energy > 0 and reference > 0 else -np.inf


def _shown(decibels: float, nothing: str) -> str:
    return f"{decibels:.1f}" if np.isfinite(decibels) else nothing

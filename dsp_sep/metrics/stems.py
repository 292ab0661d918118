"""True and estimated stems to read piece by piece, from arrays or from two folders."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import numpy as np
from jax import Array

from ..data import AudioError, Reader
from ..data.folder import EXTENSIONS
from .ratios import check_shapes


class Stems(Protocol):
    """What there is to score.

    Attributes:
        names: of the sources.
        rate: samples per second (Hz).
        samples: the number of samples in each channel.
        channels: the number of channels.
    """

    names: tuple[str, ...]
    rate: float
    samples: int
    channels: int

    def read(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """References and estimates from a sample on, each (sources, channels, count); silence after the end."""


class Arrays:
    """Stems that are arrays (sources, channels, samples)."""

    def __init__(
        self, reference: np.ndarray | Array, estimate: np.ndarray | Array, rate: float, names: Sequence[str] | None
    ):
        check_shapes("score", reference, estimate, "sources, channels, samples")
        if reference.ndim != 3:
            raise ValueError(f"score: expected arrays (sources, channels, samples), got {reference.shape}")
        sources = reference.shape[0]
        self.channels, self.samples = int(reference.shape[1]), int(reference.shape[2])
        self.names = tuple(f"source {k}" for k in range(sources)) if names is None else tuple(names)
        if len(self.names) != sources:
            raise ValueError(f"score: expected {sources} names, one for each source, got {self.names}")
        self._signals, self.rate = (np.asarray(reference), np.asarray(estimate)), rate

    def read(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Stems`."""
        reference, estimate = (_fill(signal[..., start : start + count], count) for signal in self._signals)
        return reference, estimate


class Folders:
    """Stems that are files of the same names in two folders; a context manager.

    A mixture among them is left out.

    Raises:
        AudioError: no such folder, no stems, a stem that the other folder does not have, files that do not match.
    """

    def __init__(self, reference: Path, estimate: Path):
        truth, guess = _audio_files(reference), _audio_files(estimate)
        for here, there, folder, other in ((truth, guess, estimate, reference), (guess, truth, reference, estimate)):
            if missing := [name for name in here if name not in there]:
                listed = ", ".join(there) or "no audio files"
                raise AudioError(f"{folder} has no {' and no '.join(missing)}, which {other} has: there are {listed}")
        self.names = tuple(truth)
        if not self.names:
            raise AudioError(f"{reference} has no stems in it: expected files such as drums.wav and vocals.wav")
        self._files = ExitStack()
        with ExitStack() as opened:
            self._truth = [opened.enter_context(Reader(truth[name])) for name in self.names]
            self._guess = [opened.enter_context(Reader(guess[name])) for name in self.names]
            _check_alike(self._truth[0], [*self._truth, *self._guess])
            self._files = opened.pop_all()
        first = self._truth[0]
        self.rate, self.samples, self.channels = first.rate, first.samples, first.channels

    def __enter__(self) -> "Folders":
        return self

    def __exit__(self, *exception) -> None:
        self._files.close()

    def read(self, start: int, count: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Stems`."""
        reference, estimate = (
            _fill(np.stack([file.read(start, count) for file in files]), count) for files in (self._truth, self._guess)
        )
        return reference, estimate


def _fill(signal: np.ndarray, count: int) -> np.ndarray:
    return np.pad(signal, ((0, 0), (0, 0), (0, count - signal.shape[-1])))


def _audio_files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise AudioError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if not path.is_file() or path.name.startswith(".") or path.suffix.lower() not in EXTENSIONS:
            continue
        if path.stem in found:
            raise AudioError(f"{folder} has both {found[path.stem].name} and {path.name}: remove one of them")
        if path.stem != "mixture":
            found[path.stem] = path
    return found


def _check_alike(first: Reader, files: Sequence[Reader]) -> None:
    for file in files:
        for what, unit in (("rate", "Hz"), ("channels", "channels"), ("samples", "samples")):
            here, there = getattr(file, what), getattr(first, what)
            if here != there:
                raise AudioError(f"{file.path} has {here} {unit} but {first.path} has {there}: they must match")

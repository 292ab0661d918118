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

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """References and estimates from one sample to another, each (sources, channels, stop - start)."""


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

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Stems`."""
        reference, estimate = (signal[..., start:stop] for signal in self._signals)
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
        with ExitStack() as opened:
            self._all = [opened.enter_context(Reader(stems[name])) for stems in (truth, guess) for name in self.names]
            _check_alike(self._all)
            self._files = opened.pop_all()
        first = self._all[0]
        self.rate, self.samples, self.channels = first.rate, first.samples, first.channels
        self._last = 0, np.zeros((len(self._all), self.channels, 0), np.float32)

    def __enter__(self) -> "Folders":
        return self

    def __exit__(self, *exception) -> None:
        self._files.close()

    def read(self, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
        """As `Stems`; what was read last is not read again, for in some formats to go back is to begin again."""
        first, kept = self._last
        kept = kept[..., max(start - first, 0) : stop - first] if start >= first else kept[..., :0]
        begin = start + kept.shape[-1]
        if begin < stop:
            fresh = np.stack([file.read(begin, stop - begin) for file in self._all])
            kept = np.concatenate([kept, fresh], axis=-1)
        self._last = start, kept
        return kept[: len(self.names)], kept[len(self.names) :]


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


def _check_alike(files: Sequence[Reader]) -> None:
    first = files[0]
    for file in files[1:]:
        for what, unit in (("rate", "Hz"), ("channels", "channels"), ("samples", "samples")):
            here, there = getattr(file, what), getattr(first, what)
            if here != there:
                raise AudioError(f"{file.path} has {here} {unit} but {first.path} has {there}: they must match")

"""Audio files of any length, read piece by piece."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import numpy as np
import soundfile


class AudioError(ValueError):
    """An audio file that cannot be read or written: one line that names the file and says what to do."""


class Reader:
    """An audio file to read in pieces; a context manager.

    Whatever libsndfile reads: WAV, FLAC, OGG, MP3, AIFF and others, at any rate, with any number of channels.

    Attributes:
        path: the file.
        rate: samples per second (Hz).
        channels: the number of channels.
        samples: the number of samples in each channel.

    Raises:
        AudioError: no such file, a folder, not audio, no samples, damaged, samples that are not finite.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = Path(path)
        if not self.path.exists():
            raise AudioError(f"{self.path}: no such file")
        if self.path.is_dir():
            raise AudioError(f"{self.path} is a folder: name an audio file in it")
        if not os.access(self.path, os.R_OK):
            raise AudioError(f"{self.path} may not be read: check its permissions")
        if self.path.stat().st_size == 0:
            raise AudioError(f"{self.path} is empty: it holds no audio")
        try:
            self._file = soundfile.SoundFile(self.path)
        except (soundfile.LibsndfileError, TypeError):  # TypeError: soundfile takes .raw for headerless audio
            raise AudioError(f"{self.path} is not audio that can be read: convert it to WAV or FLAC") from None
        self.rate, self.channels, self.samples = self._file.samplerate, self._file.channels, self._file.frames
        if self.samples == 0:
            self._file.close()
            raise AudioError(f"{self.path} is empty: it holds no samples")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception) -> None:
        self._file.close()

    def read(self, start: int, count: int) -> np.ndarray:
        """`count` samples from `start` on, fewer at the end of the file: (channels, samples), float32."""
        if not 0 <= start <= self.samples:
            raise AudioError(f"{self.path} has {self.samples} samples: none to read from {start} on")
        try:
            self._go_to(start)
            audio = self._file.read(min(count, self.samples - start), dtype="float32", always_2d=True).T
        except soundfile.LibsndfileError:
            raise AudioError(f"{self.path} is damaged near {start / self.rate:.2f} s: export it again") from None
        if audio.shape[1] < min(count, self.samples - start):
            end = (start + audio.shape[1]) / self.rate
            raise AudioError(f"{self.path} is damaged: it breaks off at {end:.2f} s: export it again")
        check_finite(audio, self.path, start / self.rate, self.rate)
        return np.ascontiguousarray(audio)

    def _go_to(self, start: int) -> None:
        position = self._file.tell()
        if position == start:
            return
        if self._file.format != "OGG":
            self._file.seek(start)
            return
        if start < position:  # libsndfile's seek in OGG is inexact but for the beginning: decode from there
            position = self._file.seek(0)
        while passed := len(self._file.read(min(start - position, 2**16), dtype="float32")):
            position += passed

    def blocks(self, size: int, overlap: int = 0) -> Iterator[np.ndarray]:
        """The file in order, in blocks of `size` samples that share `overlap` with the one before.

        Block k begins at sample `k · (size - overlap)`; the last is the first that reaches the end of the file, and may
        be shorter. Memory is that of one block.
        """
        if not 0 <= overlap < size:
            raise ValueError(f"blocks: expected 0 <= overlap < size, got size {size}, overlap {overlap}")
        block = self.read(0, size)
        start, end = 0, block.shape[1]
        yield block
        while end < self.samples:
            start += size - overlap
            block = np.concatenate([block[:, size - overlap :], self.read(end, start + size - end)], axis=1)
            end = start + block.shape[1]
            yield block


def check_finite(audio: np.ndarray, path: Path, start: float, rate: int) -> None:
    """Refuses NaN and infinity in (channels, samples) that begin at `start` seconds."""
    finite = np.isfinite(audio)
    if not finite.all():
        second = start + int((~finite.all(axis=0)).argmax()) / rate
        raise AudioError(f"{path} has samples that are not finite numbers, first at {second:.3f} s: repair it first")

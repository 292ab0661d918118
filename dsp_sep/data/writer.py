"""Audio files of any length, written piece by piece; they appear whole or not at all."""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import combinations
from pathlib import Path
from typing import Self

import jax
import numpy as np
import soundfile

from .reader import AudioError, check_finite

FORMATS = {
    ".wav": ("WAV", "FLOAT"),
    ".w64": ("W64", "FLOAT"),
    ".aif": ("AIFF", "FLOAT"),
    ".aiff": ("AIFF", "FLOAT"),
    ".flac": ("FLAC", "PCM_24"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
"""What is written by the extension of a file: format and default subtype, in libsndfile's names."""

SIZE_LIMIT = 2**32 - 2**16
BITS = {"PCM_S8": 8, "PCM_U8": 8, "PCM_16": 16, "PCM_24": 24, "PCM_32": 32}


class Writer:
    """An audio file to write in pieces; a context manager.

    The samples go to a hidden temporary file beside `path`, which takes its place on a clean exit and is deleted on any
    exception, Ctrl-C included.

    Args:
        path: its extension chooses the format: wav, w64, aif, aiff, flac, ogg, mp3.
        rate: samples per second (Hz).
        channels: the number of channels.
        overwrite: whether a file that exists may be replaced.
        subtype: libsndfile's name of the sample format, such as "PCM_16". By default 32-bit float for wav, w64 and aiff
            (which never clips), 24 bits for flac. What comes from a file of 8, 16 or 24 bits survives in as many.

    Raises:
        AudioError: an extension or subtype that cannot be written, no such folder or one that may not be written to, a
            file that exists, samples that are not finite, a sample beyond full scale (±1) for integers, which would
            clip, and a full disk.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        rate: int,
        channels: int,
        *,
        overwrite: bool = False,
        subtype: str | None = None,
    ):
        self.path, self.rate, self.channels, self.overwrite = Path(path), rate, channels, overwrite
        self.samples = 0
        self._temporary = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}.part")
        if self.path.suffix.lower() not in FORMATS:
            raise AudioError(f"{self.path}: not an extension that can be written: choose one of {', '.join(FORMATS)}")
        self._format, default = FORMATS[self.path.suffix.lower()]
        self._subtype = subtype or default
        if not soundfile.check_format(self._format, self._subtype):
            known = ", ".join(soundfile.available_subtypes(self._format))
            raise AudioError(f"{self.path}: {self._format} has no subtype {self._subtype!r}: choose one of {known}")
        self._check_target()

    def _check_target(self) -> None:
        folder = self.path.parent
        if not folder.is_dir():
            raise AudioError(f"{self.path}: there is no folder {folder}: make it first")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise AudioError(f"{self.path}: the folder {folder} may not be written to: choose another")
        if self.path.is_dir():
            raise AudioError(f"{self.path} is a folder: name a file in it")
        if self.path.exists() and not self.overwrite:
            raise AudioError(f"{self.path} exists: choose another name, or allow overwriting")

    def __enter__(self) -> Self:
        try:
            self._open()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(self, kind, *exception) -> None:
        try:
            if kind is None:
                self._finish()
                self._commit()
        finally:
            self._discard()

    def append(self, audio: np.ndarray | jax.Array) -> None:
        """Writes floating-point samples, (channels, samples), after those that are there."""
        audio = np.asarray(audio)
        if audio.ndim != 2 or audio.shape[0] != self.channels or audio.dtype.kind != "f":
            expected = f"floats of shape ({self.channels}, samples)"
            raise AudioError(f"{self.path}: expected {expected}, got {audio.dtype} of shape {audio.shape}")
        check_finite(audio, self.path, self.samples / self.rate, self.rate)
        try:
            self._file.write(np.ascontiguousarray(self._encode(audio).T))
        except (soundfile.LibsndfileError, AssertionError):  # soundfile asserts that all samples were written
            raise self._full() from None
        self.samples += audio.shape[1]
        if self._format in ("WAV", "AIFF") and self._temporary.stat().st_size > SIZE_LIMIT:
            raise AudioError(f"{self.path}: {self._format} ends at 4 GiB: write .w64 or .flac")

    def _encode(self, audio: np.ndarray) -> np.ndarray:
        """Integers scaled as they are read, so that they survive a round trip; libsndfile's own scale is another."""
        if self._subtype not in BITS:
            return audio
        full = 2 ** (BITS[self._subtype] - 1)
        peak = np.abs(audio).max(initial=0)
        if peak > 1 + 1 / full:
            remedy = "scale it down, or write .wav in floating point"
            raise AudioError(f"{self.path}: a peak of {peak:.3f} would clip in {self._subtype}: {remedy}")
        steps = np.clip(np.round(audio.astype(np.float64) * full), -full, full - 1)
        return steps.astype(np.int32) * np.int32(2**31 // full)

    def _open(self) -> None:
        try:
            self._file = soundfile.SoundFile(
                self._temporary, "w", self.rate, self.channels, self._subtype, format=self._format
            )
        except soundfile.LibsndfileError as error:
            what = f"{self.channels} channels at {self.rate} Hz as {self._format} {self._subtype}"
            reason = error.error_string.rstrip(".")
            raise AudioError(f"{self.path}: cannot write {what}: {reason}") from None

    def _finish(self) -> None:
        if self.samples == 0:
            raise AudioError(f"{self.path}: no samples were given to write")
        try:
            self._file.close()
            whole = soundfile.info(self._temporary).frames == self.samples
        except soundfile.LibsndfileError:
            whole = False
        if not whole:
            raise self._full()

    def _commit(self) -> None:
        try:
            os.replace(self._temporary, self.path)
        except OSError as error:
            raise AudioError(f"{self.path} cannot be written: {error.strerror}") from None

    def _discard(self) -> None:
        with suppress(AttributeError, soundfile.LibsndfileError):
            self._file.close()
        self._temporary.unlink(missing_ok=True)

    def _full(self) -> AudioError:
        return AudioError(
            f"{self.path} could not be written to its end: is the disk full? Make room, or choose another"
        )


@contextmanager
def writers(
    paths: Iterable[str | os.PathLike],
    rate: int,
    channels: int,
    *,
    overwrite: bool = False,
    subtype: str | None = None,
) -> Iterator[list[Writer]]:
    """Several `Writer`s at once: all files appear, after each was written to its end, or none does.

    Args:
        paths: one file for each writer.
        rate: samples per second (Hz).
        channels: the number of channels of each.
        overwrite: whether files that exist may be replaced.
        subtype: as for `Writer`.

    Raises:
        AudioError: as `Writer` does.
    """
    files = [Writer(path, rate, channels, overwrite=overwrite, subtype=subtype) for path in paths]
    for first, second in combinations(files, 2):
        if first.path == second.path:
            raise AudioError(f"{first.path} is named twice: give each file its own name")
    try:
        for file in files:
            file._open()
        yield files
        for file in files:
            file._finish()
        for file in files:
            file._commit()
    finally:
        for file in files:
            file._discard()

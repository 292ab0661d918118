"""Whole audio files, and resampling."""

import os
from pathlib import Path

import jax
import numpy as np
import soxr

from .reader import AudioError, Reader
from .writer import Writer


def read(
    path: str | os.PathLike, *, rate: int | None = None, start: float = 0.0, stop: float | None = None
) -> tuple[np.ndarray, int]:
    """Reads an audio file, or a part of it.

    Args:
        path: whatever libsndfile reads: WAV, FLAC, OGG, MP3, AIFF and others.
        rate: resample to this rate (Hz); by default the file's own is kept.
        start: where to begin, in seconds.
        stop: where to end, in seconds; by default, and at the latest, at the end of the file.

    Returns:
        The audio, (channels, samples), float32 with full scale at ±1, and its rate in Hz.

    Raises:
        AudioError: no such file, a folder, not audio, no samples (between `start` and `stop`), damaged, samples that
            are not finite.
    """
    with Reader(path) as file:
        first = round(start * file.rate)
        last = file.samples if stop is None else min(round(stop * file.rate), file.samples)
        if not 0 <= first < last:
            end = "the end" if stop is None else f"{stop} s"
            lasts = f"{file.samples / file.rate:.3f} s"
            raise AudioError(f"{file.path} lasts {lasts}: there is nothing to read from {start} s to {end}")
        audio = file.read(first, last - first)
        if rate is None:
            return audio, file.rate
        return resample(audio, file.rate, rate), rate


def write(
    path: str | os.PathLike,
    audio: np.ndarray | jax.Array,
    rate: int,
    *,
    overwrite: bool = False,
    subtype: str | None = None,
) -> None:
    """Writes an audio file: whole, or not at all.

    Args:
        path: its extension chooses the format: wav, w64, aif, aiff, flac, ogg, mp3.
        audio: floating-point samples, (channels, samples), full scale at ±1.
        rate: samples per second (Hz).
        overwrite: whether a file that exists may be replaced.
        subtype: libsndfile's name of the sample format. By default 32-bit float for wav, w64 and aiff, which never
            clips, and 24 bits for flac.

    Raises:
        AudioError: as `Writer` does; among others for a sample beyond full scale where the subtype is an integer one.
    """
    audio = np.asarray(audio)
    if audio.ndim != 2 or 0 in audio.shape:
        raise AudioError(f"{Path(path)}: expected audio of shape (channels, samples), got {audio.shape}")
    with Writer(path, rate, audio.shape[0], overwrite=overwrite, subtype=subtype) as file:
        file.append(audio)


def resample(audio: np.ndarray | jax.Array, rate: int, target: int) -> np.ndarray:
    """Resamples from `rate` to `target` Hz over the last axis, on the host (not differentiable); soxr's high quality.

    Args:
        audio: floats, (..., samples).
        rate: the rate it has (Hz).
        target: the rate it shall have (Hz).

    Returns:
        (..., ceil(samples · target / rate)) of the same dtype.

    Raises:
        ValueError: a rate that is not positive.
    """
    if rate <= 0 or target <= 0:
        raise ValueError(f"resample: expected positive rates, got {rate} and {target} Hz")
    audio = np.asarray(audio)
    if rate == target:
        return audio
    flat = audio.reshape(-1, audio.shape[-1])
    return np.stack([soxr.resample(signal, rate, target) for signal in flat]).reshape(*audio.shape[:-1], -1)

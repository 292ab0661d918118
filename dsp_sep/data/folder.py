"""Songs on disk: a folder for each, with a file for each stem, as MUSDB18-HQ has it."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .audio import read
from .reader import AudioError, Reader
from .song import Song

EXTENSIONS = (".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".w64")


def songs(root: str | os.PathLike) -> list[Path]:
    """The folders in `root` that hold audio files, sorted by name.

    Raises:
        AudioError: no such folder, or no song in it.
    """
    found = sorted(folder for folder in _folder(root).iterdir() if folder.is_dir() and _audio_files(folder))
    if not found:
        raise AudioError(f"{Path(root)} has no song in it: expected folders with a file for each stem")
    return found


def read_song(
    folder: str | os.PathLike,
    *,
    names: Sequence[str] | None = None,
    start: float = 0.0,
    stop: float | None = None,
    rate: int | None = None,
) -> Song:
    """Reads a folder of stems: `drums.wav`, `bass.wav` and so on, and perhaps `mixture.wav`.

    Args:
        folder: one audio file for each stem, of the same rate, length and number of channels.
        names: which stems, in which order; by default all, by the alphabet.
        start: where to begin, in seconds.
        stop: where to end, in seconds; by default at the end.
        rate: resample to this rate (Hz); by default the files' own is kept.

    Returns:
        The song. Its mixture is the file named mixture where there is one, otherwise the sum of the sources.

    Raises:
        AudioError: no such folder, no stems or not those named, two files for one stem, files that do not match, a file
            that cannot be read.
    """
    files = _stems(_folder(folder))
    mixture_file = files.pop("mixture", None)
    names = tuple(files) if names is None else tuple(names)
    if not names:
        raise AudioError(f"{Path(folder)} has no stems in it: expected files such as drums.wav and vocals.wav")
    paths = _named(folder, files, names)
    _check_alike([*paths, mixture_file] if mixture_file else paths)
    pieces = [read(path, start=start, stop=stop, rate=rate) for path in paths]
    sources = np.stack([audio for audio, _ in pieces])
    mixture = read(mixture_file, start=start, stop=stop, rate=rate)[0] if mixture_file else sources.sum(axis=0)
    return Song(mixture, sources, names, pieces[0][1])


def stem_files(folder: str | os.PathLike, names: Sequence[str]) -> list[Path]:
    """The files of the named stems, which are checked to be of one rate, length and number of channels.

    Raises:
        AudioError: as `read_song`.
    """
    paths = _named(folder, _stems(_folder(folder)), names)
    _check_alike(paths)
    return paths


def _named(folder: str | os.PathLike, files: dict[str, Path], names: Sequence[str]) -> list[Path]:
    if missing := [name for name in names if name not in files]:
        there = ", ".join(files) or "none"
        raise AudioError(f"{Path(folder)} has no stem named {' or '.join(missing)}: there are {there}")
    return [files[name] for name in names]


def _folder(path: str | os.PathLike) -> Path:
    folder = Path(path)
    if not folder.is_dir():
        raise AudioError(f"{folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    return folder


def _audio_files(folder: Path) -> list[Path]:
    files = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in files if path.suffix.lower() in EXTENSIONS)


def _stems(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in _audio_files(folder):
        if path.stem in files:
            raise AudioError(f"{folder} has both {files[path.stem].name} and {path.name}: remove one of them")
        files[path.stem] = path
    return files


def _check_alike(paths: Sequence[Path]) -> None:
    """All files must have the rate, the number of channels and the length of the first."""
    with Reader(paths[0]) as first:
        pass
    for path in paths[1:]:
        with Reader(path) as file:
            pass
        for what, unit in (("rate", "Hz"), ("channels", "channels"), ("samples", "samples")):
            here, there = getattr(file, what), getattr(first, what)
            if here != there:
                raise AudioError(f"{path} has {here} {unit} but {first.path} has {there}: stems must match")

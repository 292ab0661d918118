"""Random excerpts of songs on disk, to learn on: read by seeking, mixed anew, in an order that the seed decides."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .audio import resample
from .folder import stem_files
from .reader import AudioError, Reader

MARGIN = 0.02
"""Seconds read on both sides of what is resampled, so that its ends are not those of a signal."""


@dataclass(frozen=True)
class Augmentation:
    """How excerpts are made new; as it stands, not at all.

    Attributes:
        mix: the probability that each source is from a song, and a place, of its own.
        gain: from and to, in dB: each source by a gain of its own.
        swap: the probability that a source has its channels in the opposite order (left for right).
        flip: the probability that a source has its sign changed.
        speed: from and to, 1 being as it is: an excerpt is played so much faster, and higher, by resampling; one speed
            for all sources of a place.
    """

    mix: float = 0.0
    gain: tuple[float, float] = (0.0, 0.0)
    swap: float = 0.0
    flip: float = 0.0
    speed: tuple[float, float] = (1.0, 1.0)

    def __post_init__(self):
        for name in ("mix", "swap", "flip"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"Augmentation: {name} must be a probability, got {getattr(self, name)}")
        if not (len(self.gain) == 2 and self.gain[0] <= self.gain[1]):
            raise ValueError(f"Augmentation: gain must be two numbers in order, got {self.gain}")
        if not (len(self.speed) == 2 and 0 < self.speed[0] <= self.speed[1]):
            raise ValueError(f"Augmentation: speed must be two positive numbers in order, got {self.speed}")


@dataclass(frozen=True)
class Part:
    """A song, or a part of it, in seconds, that excerpts may be from.

    Attributes:
        folder: one audio file for each stem.
        start: where it begins, in seconds.
        stop: where it ends, in seconds; `None` for the end.
    """

    folder: Path
    start: float = 0.0
    stop: float | None = None

    def span(self, rate: int, samples: int) -> tuple[int, int]:
        """The samples from the first to the one after the last, of a file of so many at a rate in Hz."""
        return round(self.start * rate), samples if self.stop is None else min(round(self.stop * rate), samples)


class Excerpts:
    """Excerpts by number: `excerpts[k]`, `(sources, channels, samples)` in float32, of which `k` and the seed decide.

    So workers, processes and runs that were interrupted all see the same. A song is drawn, each as likely as any
    other, then a place in it. Files are opened and read where an excerpt lies; nothing is held in memory.

    Args:
        songs: folders of stems, as `data.songs(root)` lists them, or parts of such.
        names: the stems, in order.
        seconds: how long an excerpt is.
        rate: samples per second (Hz); songs of other rates are resampled.
        seed: of all that is drawn.
        augmentation: how excerpts are made new.

    Raises:
        AudioError: for a song without one of the stems, that cannot be read, is shorter than an excerpt, or has another
            number of channels than the first; its name is in the message.
    """

    def __init__(
        self,
        songs: Sequence[Path | Part],
        *,
        names: Sequence[str],
        seconds: float,
        rate: int,
        seed: int,
        augmentation: Augmentation = Augmentation(),
    ):
        if not songs or not names:
            raise ValueError(f"Excerpts: expected songs and names of stems, got {len(songs)} songs and names {names}")
        parts = [song if isinstance(song, Part) else Part(Path(song)) for song in songs]
        self.names, self.rate, self.seed, self.augmentation = tuple(names), rate, seed, augmentation
        self.samples = round(seconds * rate)
        self._songs = [_Stems(part, self.names) for part in parts]
        self.channels = self._songs[0].channels
        for song in self._songs:
            if song.channels != self.channels:
                there = self._songs[0].folder
                raise AudioError(f"{song.folder} has {song.channels} channels but {there} has {self.channels}")
            if song.last - song.first < self._needed(song, augmentation.speed[1]):
                raise AudioError(
                    f"{song.folder} lasts {(song.last - song.first) / song.rate:.3f} s: shorter than an excerpt of "
                    f"{seconds} s; leave it out, or take shorter ones"
                )

    def __getitem__(self, number: int) -> np.ndarray:
        draw = np.random.default_rng([self.seed, number])
        how, sources = self.augmentation, len(self.names)
        places = [self._place(draw) for _ in range(sources if draw.random() < how.mix else 1)]
        pieces = []
        for source in range(sources):
            song, position, speed = places[source % len(places)]
            piece = self._read(song, source, position, speed)
            piece = piece * np.float32(10 ** (draw.uniform(*how.gain) / 20))
            if draw.random() < how.swap:
                piece = piece[::-1]
            pieces.append(-piece if draw.random() < how.flip else piece)
        return np.stack(pieces)

    def digest(self) -> str:
        """A fingerprint of the data: names, lengths and the first and last 64 KiB of every file."""
        found = hashlib.sha256(repr((self.names, self.rate, self.samples)).encode())
        for song in self._songs:
            for path in song.paths:
                size = path.stat().st_size
                found.update(f"{path.parent.name}/{path.name} {size} {song.first} {song.last}\n".encode())
                with path.open("rb") as file:
                    found.update(file.read(2**16))
                    file.seek(max(size - 2**16, 0))
                    found.update(file.read())
        return found.hexdigest()

    def _needed(self, song: "_Stems", speed: float) -> int:
        return math.ceil(self.samples * song.rate * speed / self.rate)

    def _place(self, draw: np.random.Generator) -> tuple["_Stems", int, float]:
        song = self._songs[draw.integers(len(self._songs))]
        speed = draw.uniform(*self.augmentation.speed)
        return song, int(draw.integers(song.first, song.last - self._needed(song, speed), endpoint=True)), speed

    def _read(self, song: "_Stems", source: int, position: int, speed: float) -> np.ndarray:
        played = round(song.rate * speed)
        with Reader(song.paths[source]) as file:
            if played == self.rate:
                return file.read(position, self.samples)
            common = math.gcd(played, self.rate)
            unit = played // common  # so many samples before are a whole number of them after
            before = min(math.ceil(MARGIN * song.rate / unit), position // unit) * unit
            count = before + self._needed(song, speed) + math.ceil(MARGIN * song.rate)
            audio = file.read(position - before, min(count, file.samples - position + before))
        start = before // unit * (self.rate // common)
        piece = resample(audio, played, self.rate)[:, start : start + self.samples]
        return np.pad(piece, ((0, 0), (0, self.samples - piece.shape[1])))  # a sample at most, of rounding


class _Stems:
    """The files of a song, and the samples from `first` to `last` that excerpts may be from."""

    def __init__(self, part: Part, names: tuple[str, ...]):
        self.folder, self.paths = part.folder, stem_files(part.folder, names)
        with Reader(self.paths[0]) as file:
            self.rate, self.channels = file.rate, file.channels
            self.first, self.last = part.span(file.rate, file.samples)

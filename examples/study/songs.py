"""Songs, excerpts of them, and mixtures that never were."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

import dsp_sep as ds

STEMS = ("drums", "bass", "vocals", "other")


def read(root: Path | None, rate: int) -> dict[str, dict[str, np.ndarray]]:
    """`read_stereo` in mono, `(sources, 1, samples)`."""
    return {
        split: {name: song.mean(axis=1, keepdims=True) for name, song in found.items()}
        for split, found in read_stereo(root, rate).items()
    }


def read_stereo(root: Path | None, rate: int) -> dict[str, dict[str, np.ndarray]]:
    """Songs, `(sources, channels, samples)`, by name, of the splits "train" and "test", at `rate` Hz.

    Without a folder they are the two halves of the bundled song, cut into three parts each.
    """
    if root is None:
        halves = {"train": ds.data.example("learn"), "test": ds.data.example("judge")}
        return {
            split: {
                f"{split} {part}": ds.data.resample(_array(song.excerpt(4.4 * part, 4.4 * (part + 1))), song.rate, rate)
                for part in range(3)
            }
            for split, song in halves.items()
        }
    return {
        split: {
            folder.name: _array(ds.data.read_song(folder, names=STEMS, rate=rate))
            for folder in ds.data.songs(root / split)
        }
        for split in ("train", "test")
    }


def where_all_sound(sources: np.ndarray, seconds: float, *, rate: int) -> np.ndarray:
    """The excerpt, on a grid of half seconds, whose quietest source is the loudest."""
    size, step = round(seconds * rate), rate // 2
    starts = range(0, sources.shape[-1] - size + 1, step)
    quietest = [np.min(np.sum(sources[..., s : s + size] ** 2, axis=(1, 2))) for s in starts]
    start = starts[int(np.argmax(quietest))]
    return sources[..., start : start + size]


def remixed(
    songs: Mapping[str, np.ndarray], seconds: float, count: int, seed: int, *, rate: int
) -> Iterator[np.ndarray]:
    """Mixtures that never were: each source from a song of its own, at a gain of its own within 6 dB."""
    rng = np.random.default_rng(seed)
    pool, size = list(songs.values()), round(seconds * rate)
    for _ in range(count):
        chosen = [pool[i] for i in rng.integers(len(pool), size=len(pool[0]))]
        starts = [rng.integers(song.shape[-1] - size, endpoint=True) for song in chosen]
        gains = 10 ** (rng.uniform(-6, 6, len(chosen)) / 20)
        cut = [g * song[j, :, s : s + size] for j, (g, song, s) in enumerate(zip(gains, chosen, starts, strict=True))]
        yield np.stack(cut).astype(np.float32)


def _array(song: ds.data.Song) -> np.ndarray:
    return np.asarray(song.sources, np.float32)

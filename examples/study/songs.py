"""Songs in mono, and mixtures of them that never were."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from jax import Array

import dsp_sep as ds

STEMS = ("drums", "bass", "vocals", "other")


def read(root: Path | None, rate: int) -> dict[str, dict[str, np.ndarray]]:
    """Songs in mono, `(sources, 1, samples)`, by name, of the splits "train" and "test", at `rate` Hz.

    Without a folder they are the two halves of the bundled song, cut into three parts each.
    """
    if root is None:
        halves = {"train": ds.data.example("learn"), "test": ds.data.example("judge")}
        return {
            split: {
                f"{split} {part}": _mono(
                    ds.data.resample(np.asarray(song.excerpt(4.4 * part, 4.4 * (part + 1)).sources), song.rate, rate)
                )
                for part in range(3)
            }
            for split, song in halves.items()
        }
    return {
        split: {
            folder.name: _mono(ds.data.read_song(folder, names=STEMS, rate=rate).sources)
            for folder in ds.data.songs(root / split)
        }
        for split in ("train", "test")
    }


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


def _mono(sources: Array | np.ndarray) -> np.ndarray:
    return np.asarray(sources, np.float32).mean(axis=1, keepdims=True)

"""How well a separator does on songs with known stems, in the memory of a chunk."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

from ..data import Part, Reader
from ..data.folder import EXTENSIONS, stem_files
from ..iterate import pour
from .chunks import Chunked

MEASURES = ("SDR", "uSDR", "SI-SDR")
"""Median over seconds, channels pooled, as museval; of the whole song; of the whole song, the mean over channels."""

Scores = dict[str, dict[str, float]]
"""Decibels by stem and measure; NaN where the stem is silent."""


def evaluate_song(
    prepare: Callable[[Reader], Chunked],
    song: Part,
    names: Sequence[str],
    advance: Callable[[int], None] = lambda samples: None,
) -> Scores:
    """Separate the mixture in a folder, or the sum of its stems where there is none, and hold it against the stems.

    Args:
        prepare: what makes a separator, in chunks, for a file of the rate and channels that it is given.
        song: the folder, with one audio file for each stem.
        names: the separator's stems.
        advance: is told of the samples that are done.

    Raises:
        AudioError: for stems that are missing, do not match or cannot be read.
    """
    heard = ("mixture",) if any((song.folder / f"mixture{suffix}").exists() for suffix in EXTENSIONS) else ()
    with ExitStack() as opened:
        files = [opened.enter_context(Reader(path)) for path in stem_files(song.folder, (*names, *heard))]
        first, last = song.span(files[0].rate, files[0].samples)
        chunked = prepare(files[0])
        sums, done = _Sums(len(names), files[0].channels, files[0].rate), first
        mixture = _mixed(files[len(names) :] or files, first, last, chunked.advance)
        for stems in pour(chunked, mixture, chunked.init(files[0].channels)):
            truth = np.stack([file.read(done, stems.shape[-1]) for file in files[: len(names)]])
            sums.add(truth, stems)
            done += stems.shape[-1]
            advance(stems.shape[-1])
    return {
        name: dict(zip(MEASURES, map(float, values), strict=True))
        for name, values in zip(names, sums.finish(), strict=True)
    }


def summary(songs: Mapping[str, Scores]) -> dict[str, Scores]:
    """Median and mean over songs: `{"median": {stem: {measure: dB}}, "mean": ...}`; silent stems are left out."""
    stems = next(iter(songs.values()))

    def over(statistic: Callable[[np.ndarray], Any], stem: str, measure: str) -> float:
        values = np.asarray([scores[stem][measure] for scores in songs.values()])
        return float(statistic(values[np.isfinite(values)])) if np.isfinite(values).any() else float("nan")

    return {
        name: {stem: {measure: over(statistic, stem, measure) for measure in MEASURES} for stem in stems}
        for name, statistic in (("median", np.median), ("mean", np.mean))
    }


def _mixed(files: Sequence[Reader], first: int, last: int, size: int) -> Iterator[np.ndarray]:
    for start in range(first, last, size):
        yield np.sum([file.read(start, min(size, last - start)) for file in files], axis=0)


class _Sums:
    """Sums over samples of truth and estimate: of each second, and of the whole."""

    def __init__(self, sources: int, channels: int, rate: int):
        self.rate, self._left = rate, np.zeros((2, sources, channels, 0))
        self.seconds: list[np.ndarray] = []
        self.whole = np.zeros((4, sources, channels))

    def add(self, truth: np.ndarray, estimate: np.ndarray) -> None:
        pair = np.concatenate([self._left, np.stack([truth, estimate]).astype(float)], axis=-1)
        while pair.shape[-1] >= self.rate:
            second, pair = pair[..., : self.rate], pair[..., self.rate :]
            self.seconds.append(self._take(second))
        self._left = pair

    def finish(self) -> np.ndarray:
        """`(sources, measures)`."""
        rest = self._take(self._left)
        seconds = np.asarray(self.seconds or [rest])
        energy, _, error, _ = self.whole.sum(-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.where(seconds[:, 0] > 0, 10 * np.log10(seconds[:, 0] / seconds[:, 1]), np.nan)
            median = [
                np.median(column[~np.isnan(column)]) if (~np.isnan(column)).any() else np.nan for column in each.T
            ]
            plain = 10 * np.log10((energy + 1e-7) / (error + 1e-7))
            own, known, _, product = self.whole
            target = product**2 / own
            invariant = np.mean(10 * np.log10(target / np.maximum(known - target, 0)), axis=-1)
        return np.stack([median, plain, invariant], axis=-1)

    def _take(self, pair: np.ndarray) -> np.ndarray:
        truth, estimate = pair
        sums = np.stack(
            [
                np.sum(a * b, -1)
                for a, b in ((truth, truth), (estimate, estimate), (truth - estimate,) * 2, (truth, estimate))
            ]
        )
        self.whole += sums
        return sums[[0, 2]].sum(-1)

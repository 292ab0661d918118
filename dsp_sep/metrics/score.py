"""A whole song scored: frames, medians, means, and the JSON that museval's tools read."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .decomposition import Filters, Ratios, fit, ratios
from .statistics import Statistics, pairs, segment_size, statistics
from .stems import Arrays, Folders, Stems

TAPS = 512
FRAMEWISE = ("SDR", "ISR", "SIR", "SAR")


@dataclass(frozen=True, eq=False)
class Scores:
    """The scores of a song in dB, higher is better; as arrays in float64.

    Attributes:
        names: of the sources.
        window: how long a frame is, in seconds.
        hop: from one frame to the next, in seconds.
        frames: "SDR", "ISR", "SIR" and "SAR" of BSS Eval's images (version 4), each (sources, frames).
        usdr: of the whole song, (sources,).
    """

    names: tuple[str, ...]
    window: float
    hop: float
    frames: dict[str, np.ndarray]
    usdr: np.ndarray

    def median(self) -> dict[str, dict[str, float]]:
        """The median over the frames by source and measure: museval's figures; NaN where there is none.

        As in museval infinite frames are left out, as those without a value are.
        """
        return self._over_frames(np.nanmedian)

    def mean(self) -> dict[str, dict[str, float]]:
        """The mean over the frames by source and measure, of the same frames as the median."""
        return self._over_frames(np.nanmean)

    def museval(self) -> dict[str, Any]:
        """The framewise table as museval has it: five decimals, NaN for infinities."""
        return {
            "targets": [
                {"name": name, "frames": [self._frame(source, frame) for frame in range(self.frames["SDR"].shape[1])]}
                for source, name in enumerate(self.names)
            ]
        }

    def save(self, path: str | os.PathLike) -> None:
        """Write the table as JSON; museval looks for `test/SONG.json` in a folder for each method."""
        text = json.dumps(self.museval(), indent=2)
        temporary = Path(path).with_name(Path(path).name + ".part")
        temporary.write_text(text + "\n")
        temporary.replace(path)

    def _frame(self, source: int, frame: int) -> dict[str, Any]:
        values = {measure: float(self.frames[measure][source, frame]) for measure in ("SDR", "SIR", "SAR", "ISR")}
        finite = {measure: round(value, 5) if np.isfinite(value) else np.nan for measure, value in values.items()}
        return {"time": frame * self.hop, "duration": self.window, "metrics": finite}

    def _over_frames(self, statistic: Callable[[np.ndarray], Any]) -> dict[str, dict[str, float]]:
        def figure(values: np.ndarray) -> float:
            finite = values[np.isfinite(values)]
            return float(statistic(finite)) if finite.size else np.nan

        return {
            name: {measure: figure(values[source]) for measure, values in self.frames.items()}
            for source, name in enumerate(self.names)
        }


def score(
    reference: str | os.PathLike | np.ndarray | Array,
    estimate: str | os.PathLike | np.ndarray | Array,
    *,
    rate: float | None = None,
    names: Sequence[str] | None = None,
    window: float = 1.0,
    hop: float | None = None,
    filters: Literal["track", "frame"] = "track",
    progress: Callable[[float], None] = lambda done: None,
) -> Scores:
    """Scores the stems of a song by BSS Eval version 4, as museval does, in the memory of a few seconds of it.

    The frames are those of `bss_eval_images`, in float64. One thing is other than there: a source whose reference or
    estimate is silent throughout (museval refuses such songs) is NaN, and the others are scored without it.

    Args:
        reference: a folder with a file for each stem, or an array (sources, channels, samples).
        estimate: a folder with files of the same names, or an array of the same shape.
        rate: samples per second (Hz) of arrays.
        names: of the sources in arrays; by default they are numbered.
        window: how long a frame is, in seconds.
        hop: from one frame to the next, in seconds; by default `window`.
        filters: "track" or "frame", as in `bss_eval_images`.
        progress: is told of the part of the work that is done, from 0 to 1.

    Raises:
        data.AudioError: folders or files that do not match or cannot be read.
        ValueError: arrays that do not match, or without a rate; a window or hop of less than a sample.
    """
    if isinstance(reference, str | os.PathLike) and isinstance(estimate, str | os.PathLike):
        if rate is not None or names is not None:
            raise ValueError("score: rate and names are for arrays; files have their own")
        with Folders(Path(reference), Path(estimate)) as stems:
            return _score(stems, window, hop, filters, progress)
    if isinstance(reference, str | os.PathLike) or isinstance(estimate, str | os.PathLike):
        raise ValueError("score: expected two folders or two arrays, got one of each")
    if rate is None:
        raise ValueError("score: arrays need a rate in Hz")
    return _score(Arrays(reference, estimate, rate, names), window, hop, filters, progress)


def _score(stems: Stems, window: float, hop: float | None, filters: str, progress: Callable[[float], None]) -> Scores:
    if filters not in ("track", "frame"):
        raise ValueError(f'score: expected filters to be "track" or "frame", got {filters!r}')
    hop = window if hop is None else hop
    size, step = (int(seconds * stems.rate) for seconds in (window, hop))
    if size < 1 or step < 1:
        raise ValueError(f"score: expected a window and hop of at least a sample, got {window} s and {hop} s")
    with jax.enable_x64(True):
        whole = _whole(stems, lambda done: progress(done / 2))
        silent = whole.sounds == 0
        shared = _fit(whole, stems.channels) if filters == "track" or size >= stems.samples else None
        found = []
        for known, done in _frames(stems, whole, size, step):
            known = known._replace(sounds=jnp.where(silent, 1, known.sounds))
            fitted = _fit(known, stems.channels) if shared is None else shared
            found.append(_ratios(known, fitted))
            jax.block_until_ready(found[-2:-1])  # the frame before: the next is read while this one is computed
            progress(0.5 + done / 2)
        values = jax.tree.map(lambda *frames: np.stack(frames, axis=-1), *found)
        energy = jnp.diagonal(whole.references[0]).reshape(len(stems.names), -1).sum(axis=-1)
        usdr = np.asarray(10 * jnp.log10((energy + 1e-7) / (whole.error + 1e-7)))
    absent = np.any(np.reshape(silent, (2, -1)), axis=0)[:, None]
    frames = {name: np.where(absent, np.nan, getattr(values, name.lower())) for name in FRAMEWISE}
    return Scores(stems.names, window, hop, frames, usdr)


def _whole(stems: Stems, progress: Callable[[float], None]) -> Statistics:
    """The statistics of all there is."""
    size, total = segment_size(TAPS), None
    for start in range(0, stems.samples, size):
        part = _statistics(*stems.read(start, size + TAPS - 1), context=TAPS - 1)
        total = part if total is None else jax.tree.map(jnp.add, jax.block_until_ready(total), part)
        progress(min(1.0, (start + size) / stems.samples))
    assert total is not None
    return total


def _frames(stems: Stems, whole: Statistics, size: int, step: int) -> Iterator[tuple[Statistics, float]]:
    """The statistics of each frame, and which part of them is done; all is one frame where a window is longer."""
    if size >= stems.samples:
        yield whole, 1.0
        return
    starts = range(0, stems.samples - size + 1, step)
    for frame, start in enumerate(starts):
        yield _statistics(*stems.read(start, size), context=0), (frame + 1) / len(starts)


@partial(jax.jit, static_argnames="context")
def _statistics(reference: Array, estimate: Array, *, context: int) -> Statistics:
    return statistics(reference, estimate, pairs(len(reference), all_of_them=False), TAPS, context)


@partial(jax.jit, static_argnames="channels")
def _fit(known: Statistics, channels: int) -> Filters:
    return fit(known, pairs(len(known.energy), all_of_them=False), channels)


@jax.jit
def _ratios(known: Statistics, filters: Filters) -> Ratios:
    return ratios(known, filters, pairs(len(known.energy), all_of_them=False))

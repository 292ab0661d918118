"""A whole song scored: frames, medians, means, and the JSON that museval's tools read."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from .decomposition import Energies, Filters, Ratios, energies, fit, ratios
from .parts import Grid, grid
from .statistics import Statistics, pairs, sounding, statistics
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
        temporary = Path(path).with_name(Path(path).name + ".part")
        try:
            temporary.write_text(json.dumps(self.museval(), indent=2) + "\n")
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)

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
    frames = [(start, start + size) for start in range(0, stems.samples - size + 1, step)]
    frames = frames if size < stems.samples else [(0, stems.samples)]
    with jax.enable_x64(True):
        survey = _add_up(_survey, stems, (0, stems.samples), lambda done: progress(done / 2))
        silent = survey.sounds == 0
        shared = _fit(survey.statistics, stems.channels) if filters == "track" else None
        found = []
        for index, frame in enumerate(frames):
            own = _fit(_add_up(_survey, stems, frame).statistics, stems.channels) if shared is None else shared
            found.append(_ratios(_add_up(partial(_energies, filters=own), stems, frame), silent))
            jax.block_until_ready(found[-2:-1])  # the frame before: the next is read while this one is computed
            progress(0.5 + 0.5 * (index + 1) / len(frames))
        values = jax.tree.map(lambda *each: np.stack(each, axis=-1), *found)
        usdr = np.asarray(10 * jnp.log10((survey.image + 1e-7) / (survey.error + 1e-7)))
    absent = np.any(np.reshape(silent, (2, -1)), axis=0)[:, None]
    table = {name: np.where(absent, np.nan, getattr(values, name.lower())) for name in FRAMEWISE}
    return Scores(stems.names, window, hop, table, usdr)


def _add_up(
    function: Callable[..., Any],
    stems: Stems,
    span: tuple[int, int],
    progress: Callable[[float], None] = lambda done: None,
) -> Any:
    """The sum of a function over the parts of a span of the song, around which all is taken for silent."""
    first, last = span
    layout = grid(last - first, TAPS)
    count, total = layout.size + 2 * layout.around, None
    starts = layout.starts(last - first)
    for start in starts:
        begin = first + start - layout.around
        inside = max(begin, first), min(begin + count, last)
        around = (0, 0), (0, 0), (inside[0] - begin, begin + count - inside[1])
        value = function(*(np.pad(signal, around) for signal in stems.read(*inside)), layout=layout)
        total = value if total is None else jax.tree.map(jnp.add, jax.block_until_ready(total), value)
        progress(min(1.0, (start + layout.size) / (last - first)))
    return total


class Survey(NamedTuple):
    """What is found of a span at a first hearing: sums over samples; the last two are energies, (sources,)."""

    statistics: Statistics
    sounds: Array
    image: Array
    error: Array


@partial(jax.jit, static_argnames="layout")
def _survey(reference: Array, estimate: Array, *, layout: Grid) -> Survey:
    known = statistics(reference, estimate, layout)
    part = [signal[..., layout.around : layout.around + layout.size] for signal in (reference, estimate)]
    exact = part[0].astype(float), (part[0] - part[1]).astype(float)
    return Survey(known, sounding(*part), *(jnp.sum(signal**2, axis=(-2, -1)) for signal in exact))


@partial(jax.jit, static_argnames="layout")
def _energies(reference: Array, estimate: Array, *, filters: Filters, layout: Grid) -> Energies:
    return energies(reference, estimate, filters, pairs(len(reference)), layout)


@partial(jax.jit, static_argnames="channels")
def _fit(known: Statistics, channels: int) -> Filters:
    return fit(known, pairs(known.references.shape[-1] // channels), channels)


@jax.jit
def _ratios(known: Energies, silent: Array) -> Ratios:
    return ratios(known._replace(sounds=jnp.where(silent, 1, known.sounds)))

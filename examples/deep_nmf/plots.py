"""The results as a picture, where matplotlib is installed (the extra `plots`)."""

from pathlib import Path
from typing import Any

import numpy as np
from study.intervals import paired
from study.pictures import picture

from .judging import means
from .page import NMF, TITLES, Records, rows

COLOURS = {
    "plain": "0.75",
    "sparse": "0.55",
    "sparse, all songs": "0.4",
    "grid": "black",
    "reconstruction": "tab:green",
    "task-driven": "tab:cyan",
    "task-driven, two": "tab:blue",
    "deep, last 5": "tab:orange",
    "deep": "tab:red",
}


def draw(records: Records, out: Path) -> None:
    """Depth against SDR, and the gain over the grid's choice for as many iterations; nothing without matplotlib."""
    picture(out / "depths.png", (12, 4.6), lambda figure: _paint(rows(records), figure))


def _paint(found: dict[str, dict[int, Any]], figure: Any) -> None:
    level, over = figure.subplots(1, 2)
    for place, (name, row) in enumerate(found.items()):
        look = {"color": COLOURS[name], "label": TITLES[name]}
        mean = [np.mean(means(made["scores"])) for made in row.values()]
        level.plot(list(row), mean, ".--" if name in NMF else "o-", **look)
        if name not in NMF:
            gains = [
                paired(means(made["scores"]), means(found["grid"][depth]["scores"])) for depth, made in row.items()
            ]
            middle, low, high = np.transpose(gains)
            x = np.array(list(row)) * (1 + 0.02 * (place - 5))
            over.errorbar(x, middle, [middle - low, high - middle], fmt="o-", capsize=3, **look)
    over.axhline(0, color="black", lw=0.8)
    level.set(title="Songs not seen", ylabel="SDR, dB")
    over.set(title="Above the grid's choice for as many iterations (paired, 95 %)", ylabel="SDR, dB")
    for ax, ticks in ((level, found["plain"]), (over, found["deep"])):
        ax.set_xscale("log")
        ax.set_xticks(list(ticks), map(str, ticks))
        ax.minorticks_off()
        ax.set_xlabel("iterations or layers")
        ax.grid(alpha=0.3)
    figure.legend(*level.get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")

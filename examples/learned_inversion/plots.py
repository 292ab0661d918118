"""The results as pictures, where matplotlib is installed (the extra `plots`)."""

from pathlib import Path
from typing import Any

import numpy as np
from study.intervals import interval, paired
from study.pictures import picture

from .family import CONSTANTS
from .page import BEST, LAYERS, TITLES, Kind, Records, kinds

EMPHASIS = {
    "MISI": "tab:blue",
    "fast MISI": "tab:cyan",
    "best of the coarse grid": "tab:green",
    "best of the grid": "black",
}
"""Fixed algorithms that stand out of the grey."""


def draw(records: Records, out: Path) -> list[Path]:
    """Write the pictures; none without matplotlib."""
    depth = records["about"]["setting"]["depth"]
    found = [kind for kind in kinds(records) if depth in kind.trained["untied"]]
    columns = min(len(found), 2)
    rows = -(-len(found) // columns)
    written = []

    def panels(name: str, rows: int, columns: int, size: tuple[float, float], paint: Any) -> None:
        def on(figure: Any) -> None:
            paint(figure, figure.subplots(rows, columns, squeeze=False))

        written.extend(picture(out / f"{name}.png", (columns * size[0], rows * size[1]), on))

    def by_count(figure: Any, axes: Any) -> None:
        for kind, ax in zip(found, axes.flat, strict=False):
            _by_count(kind, ax)
        for ax in axes.flat[len(found) :]:
            ax.set_visible(False)
        handles = {label: h for ax in axes.flat for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=4, fontsize="small")

    def constants(figure: Any, axes: Any) -> None:
        for kind, row in zip(found, axes, strict=True):
            _constants(kind, depth, row)
        axes[0, 0].legend(fontsize="small")

    def differences(figure: Any, axes: Any) -> None:
        for kind, ax in zip(found, axes.flat, strict=False):
            _differences(kind, depth, ax)
        for ax in axes.flat[len(found) :]:
            ax.set_visible(False)

    panels("by_count", rows, columns, (6.0, 4.2), by_count)
    panels("constants", len(found), len(CONSTANTS), (3.2, 2.4), constants)
    panels("differences", rows, columns, (6.0, 3.2), differences)
    panels("training", 1, 1, (7.0, 4.0), lambda figure, axes: _training(found, depth, axes[0, 0]))
    return written


def _by_count(kind: Kind, ax: Any) -> None:
    """SDR over iterations: fixed algorithms as lines, trained layers as points with intervals."""
    for name, row in kind.fixed.items():
        counts = sorted(map(int, row))
        means = [interval(row[str(count)]["SDR"])[0] for count in counts]
        colour = EMPHASIS.get(name, "0.75")
        label = name if name in EMPHASIS else "other published algorithms"
        ax.plot(counts, means, ".-", color=colour, label=label, zorder=2 if name in EMPHASIS else 1, lw=1.2)
    for tying, colour, shift in (("tied", "tab:orange", 1.06), ("untied", "tab:red", 1.0)):
        depths = sorted(kind.trained[tying])
        if depths:
            spread = np.array([interval(kind.trained[tying][depth]["scores"]["SDR"]) for depth in depths])
            bars = np.abs(spread[:, 1:] - spread[:, :1]).T
            x = np.array(depths) * shift
            ax.errorbar(x, spread[:, 0], bars, fmt="o-", color=colour, capsize=3, label=LAYERS[tying], zorder=3)
    if kind.start:
        ax.axhline(interval(kind.start["SDR"])[0], color="0.4", ls=":", label="the mixture's phase")
    marks = {
        "mixture phase": ("s", "magnitudes trained without layers"),
        "layers": ("*", "magnitudes trained through layers"),
    }
    depth = max(kind.trained["tied"], default=5)
    for name, record in kind.joint.items():
        marker, label = marks[name]
        mean = interval(record["scores"]["SDR"])[0]
        ax.plot(
            [1 if name == "mixture phase" else depth], [mean], marker, color="tab:purple", ms=10, label=label, zorder=4
        )
    ax.set_xscale("log")
    ax.set_xticks([1, 2, 3, 5, 10, 20, 50], [1, 2, 3, 5, 10, 20, 50])
    ax.minorticks_off()
    ax.set(title=TITLES[kind.name], xlabel="iterations or layers", ylabel="SDR, dB")
    ax.grid(alpha=0.3)


def _constants(kind: Kind, depth: int, row: Any) -> None:
    """The constants of each layer beside the tied ones and the grid's."""
    grid = kind.points["grid"].get(str(depth))
    for ax, name in zip(row, CONSTANTS, strict=True):
        # the first layer has no earlier iterate to extrapolate from, and the answer is the last before extrapolation
        used = slice(1, depth - 1) if name == "momentum" else slice(None)
        layer = np.arange(1, depth + 1)
        if name not in kind.trained["untied"][depth]["constants"]:
            ax.set_visible(False)
            continue
        for tying, style in (("untied", "o-"), ("tied", "--")):
            if depth in kind.trained[tying]:
                values = kind.trained[tying][depth]["constants"][name]
                colour = "tab:red" if tying == "untied" else "tab:orange"
                ax.plot(layer[used], values[used], style, color=colour, label=tying)
        if grid:
            ax.axhline(grid["constants"][name], color="black", lw=1, ls=":", label="grid")
        ax.set_xticks(layer)
        ax.set_xlim(0.7, depth + 0.3)
        ax.set_title(f"{kind.name}: {name}", fontsize="medium")
        ax.grid(alpha=0.3)
        if name == "radial":
            ax.set_yscale("log")


def _differences(kind: Kind, depth: int, ax: Any) -> None:
    """Untied layers less others, a point for each song, with the mean and its interval."""
    ours = kind.trained["untied"][depth]["scores"]["SDR"]
    others = {"grid": kind.fixed[BEST["grid"]].get(str(depth)), "the mixture's phase": kind.start}
    others["tied"] = kind.trained["tied"].get(depth, {}).get("scores")
    others["coarse grid"] = kind.fixed[BEST["coarse"]].get(str(depth))
    others["MISI, 20"] = kind.fixed.get("MISI", {}).get("20")
    others = {name: scores for name, scores in others.items() if scores}
    for place, scores in enumerate(others.values()):
        mean, low, high = paired(ours, scores["SDR"])
        ax.plot(np.subtract(ours, scores["SDR"]), np.full(len(ours), place), ".", color="0.6")
        ax.errorbar([mean], [place], xerr=[[mean - low], [high - mean]], fmt="o", color="tab:red", capsize=4)
    ax.set_yticks(range(len(others)), list(others))
    ax.set_ylim(-0.6, len(others) - 0.4)
    ax.axvline(0, color="black", lw=0.8)
    ax.set(title=TITLES[kind.name], xlabel=f"SDR of {depth} untied layers above it, dB")
    ax.grid(alpha=0.3, axis="x")


def _training(found: list[Kind], depth: int, ax: Any) -> None:
    """Losses, means over 13 steps, less their first value."""
    for kind in found:
        for tying, style in (("untied", "-"), ("tied", "--")):
            if depth in kind.trained[tying]:
                losses = kind.trained[tying][depth]["losses"]
                width = min(13, len(losses))
                smooth = np.convolve(losses, np.ones(width) / width, mode="valid")
                colour = f"C{list(TITLES).index(kind.name)}"
                ax.plot(smooth, style, color=colour, label=f"{kind.name}, {tying}")
    ax.set(xlabel="step", ylabel="loss (-SDR), dB", title="Training, a moving mean over 13 songs")
    ax.legend(fontsize="small", loc="upper left", bbox_to_anchor=(1, 1))
    ax.grid(alpha=0.3)

"""The results as Markdown."""

import dataclasses
from pathlib import Path
from typing import Any

from study.intervals import bootstrapped, interval, paired
from study.page import line, plus_minus, table

Records = dict[str, Any]
MEASURES = ("SDR", "SI-SDR")
BEST = {"coarse": "best of the coarse grid", "grid": "best of the grid"}
LAYERS = {
    "untied": "untied layers, trained",
    "tied": "tied layers, trained",
}
TITLES = {
    "oracle": "True magnitudes",
    "noisy": "True magnitudes with log-normal errors of 0.35",
    "smoothed": "Masks of the true powers, smoothed",
    "nmf": "Masks from dictionaries (supervised NMF)",
    "network": "Masks from a small network",
}


def about(songs: dict[str, dict[str, Any]], setting: Any) -> dict[str, Any]:
    """What was run on what."""
    return {
        "songs": {split: sorted(found) for split, found in songs.items()},
        "setting": dataclasses.asdict(setting),
    }


class Kind:
    """The records of one kind of magnitudes, put together.

    Attributes:
        fixed: scores by name and number of iterations, of the published algorithms, the coarse grid and the grid.
        trained: the records of trained layers by number of layers, untied and tied.
        joint: the records of what was trained together with what makes the magnitudes.
    """

    def __init__(self, name: str, records: Records):
        self.name = name
        mine = {key.removeprefix(f"{name}/"): value for key, value in records.items() if key.startswith(f"{name}/")}
        self.start = mine.get("mixture phase")
        self.fixed = {key.removeprefix("fixed/"): value for key, value in mine.items() if key.startswith("fixed/")}
        self.points = {grid: mine[grid] for grid in ("coarse", "grid") if grid in mine}
        for grid, found in self.points.items():
            self.fixed[BEST[grid]] = {count: point["scores"] for count, point in found.items()}
        self.trained = {
            tying: {int(key.split("/")[1]): mine[key] for key in mine if key.startswith(f"{tying}/")}
            for tying in LAYERS
        }
        self.joint = {key.removeprefix("joint/"): value for key, value in mine.items() if key.startswith("joint/")}

    def best_fixed(self, *, without: str = "") -> tuple[str, str]:
        """Name and number of iterations of the fixed algorithm with the highest SDR on the test songs themselves."""
        rows = [(name, count) for name, row in self.fixed.items() if name != without for count in row]
        return max(rows, key=lambda at: interval(self.fixed[at[0]][at[1]]["SDR"])[0])


def kinds(records: Records) -> list[Kind]:
    """Those that have a grid, in order."""
    return [Kind(name, records) for name in TITLES if f"{name}/grid" in records]


def comparisons(kind: Kind, depth: int) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """What is claimed: a sentence, the scores of the one and of the other."""
    found = []
    layers = kind.trained["untied"].get(depth)
    if layers:
        ours, name, last = layers["scores"], f"{depth} untied layers", str(depth)
        if last in kind.points["grid"]:
            found.append(
                (f"{name} over the best of the grid, {depth} iterations", ours, kind.fixed[BEST["grid"]][last])
            )
        if depth in kind.trained["tied"]:
            found.append((f"{name} over {depth} tied layers", ours, kind.trained["tied"][depth]["scores"]))
        for count in kind.points.get("coarse", {}):
            scores = kind.fixed[BEST["coarse"]][count]
            found.append((f"{name} over the best of the coarse grid, {count} iterations", ours, scores))
        if "20" in kind.fixed.get("MISI", {}):
            found.append((f"{name} over MISI, 20 iterations", ours, kind.fixed["MISI"]["20"]))
        for label, without in (("published or coarse", BEST["grid"]), ("of all", "")):
            best, count = kind.best_fixed(without=without)
            found.append((f"{name} over the best fixed ({label}): {best}, {count}", ours, kind.fixed[best][count]))
        for more in sorted(found for found in kind.trained["untied"] if found > depth):
            deep = kind.trained["untied"][more]["scores"]
            others = {
                f"the best of the grid, {more} iterations": kind.fixed[BEST["grid"]].get(str(more)),
                f"the best fixed (of all): {best}, {count}": kind.fixed[best][count],
            }
            found += [(f"{more} untied layers over {what}", deep, theirs) for what, theirs in others.items() if theirs]
        if kind.start:
            found.append((f"{name} over the mixture's phase", ours, kind.start))
    if kind.joint.keys() >= {"layers", "mixture phase"}:
        joint = kind.joint["layers"]["scores"]
        alone = kind.joint["mixture phase"]["scores"]
        found += [
            ("trained jointly over the mixture's phase", joint, kind.start),
            ("trained jointly over magnitudes trained without layers", joint, alone),
        ]
        if layers:
            found.append((f"trained jointly over {depth} untied layers alone", joint, layers["scores"]))
    return found


def gain(records: Records) -> float:
    """The mean gain in dB of the untied layers over the grid's best for their depth, first kind of magnitudes."""
    kind = kinds(records)[0]
    depth = records["about"]["setting"]["depth"]
    return paired(kind.trained["untied"][depth]["scores"]["SDR"], kind.fixed[BEST["grid"]][str(depth)]["SDR"])[0]


def write(records: Records, out: Path) -> None:
    """The page, `README.md`."""
    setting, songs = records["about"]["setting"], records["about"]["songs"]
    parts = [
        "# Learned spectrogram inversion\n",
        "Made by `python examples/learned_inversion.py`; the numbers are in `results.json`.\n",
        f"Judged on {len(songs['test'])} unseen songs, {setting['judged']} s of each where all sound (mono, 44.1 kHz, "
        f"STFT 2048, 512); learned and chosen on {len(songs['train'])} others. SDR and SI-SDR in dB are means over "
        "sources, then songs; ± is half the 95 % confidence interval over songs (Student's t), and differences are "
        "paired by song. The best of the grid is the best that was found from its points on. The layers are "
        "`Momentum(RelaxedMISI(...))` unfolded; they start from that for their number and are trained for "
        f"{setting['steps']} steps of an excerpt where all sources sound (of {setting['tries']} the one whose quietest "
        f"source is the loudest), those for masks for {setting['shorter']} steps of any excerpt.\n",
    ]
    for kind in kinds(records):
        parts += [f"## {TITLES[kind.name]}\n", _differences(kind, setting["depth"]), _by_count(kind), _constants(kind)]
    parts += [
        "## What training costs\n",
        "Seconds with compilation, on two cores shared with other work.\n",
        _costs(records),
    ]
    (out / "README.md").write_text("\n".join(part for part in parts if part))


def _differences(kind: Kind, depth: int) -> str:
    lines = [
        "| | SDR, dB | 95 % interval | by bootstrap | songs better | SI-SDR, dB |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for what, ours, theirs in comparisons(kind, depth):
        mean, low, high = paired(ours["SDR"], theirs["SDR"])
        resampled = bootstrapped(ours["SDR"], theirs["SDR"])
        wins = sum(a > b for a, b in zip(ours["SDR"], theirs["SDR"], strict=True))
        other = paired(ours["SI-SDR"], theirs["SI-SDR"])
        cells = [what, f"{mean:+.2f}", f"{low:+.2f} to {high:+.2f}", f"{resampled[0]:+.2f} to {resampled[1]:+.2f}"]
        other = f"{other[0]:+.2f} ({other[1]:+.2f} to {other[2]:+.2f})"
        lines.append(line([*cells, f"{wins} of {len(ours['SDR'])}", other]))
    return "\n".join(lines) + "\n"


def _by_count(kind: Kind) -> str:
    counts = sorted({int(c) for row in kind.fixed.values() for c in row}.union(*kind.trained.values()))
    tables = []
    for measure in MEASURES:
        rows = {name: {int(c): scores for c, scores in row.items()} for name, row in kind.fixed.items()}
        for tying, records in filter(lambda found: found[1], kind.trained.items()):
            rows[f"**{LAYERS[tying]}**"] = {depth: record["scores"] for depth, record in records.items()}
        if kind.start:
            tables.append(
                f"{measure} by iterations or layers; the mixture's phase has {plus_minus(kind.start[measure])}.\n"
            )
        lines = []
        for name, row in rows.items():
            lines.append([name, *(plus_minus(row[c][measure]) if c in row else "" for c in counts)])
        tables.append(table([measure, *map(str, counts)], lines))
    for name, record in kind.joint.items():
        scores = ", ".join(f"{measure} {plus_minus(record['scores'][measure])}" for measure in MEASURES)
        how = "with the mixture's phase" if name == "mixture phase" else "through the layers, with their constants"
        tables.append(f"What makes the magnitudes, trained {how}: {scores}.\n")
    return "\n".join(tables)


def _constants(kind: Kind) -> str:
    """Constants by layer, of trained layers and of the grid's points."""
    lines = []
    for grid, found in kind.points.items():
        for count, point in found.items():
            values = ", ".join(f"{name} {value:.3g}" for name, value in point["constants"].items())
            lines.append(f"| {BEST[grid]}, {count} | {point['order']}: {values} |")
    for tying, records in kind.trained.items():
        for depth, record in sorted(records.items()):
            shown = (f"{name} {_list(values, tying)}" for name, values in record["constants"].items())
            lines.append(f"| {depth} {tying} | {'; '.join(shown)} |")
    return "\n".join(["| constants | by layer |", "|---|---|", *lines]) + "\n"


def _costs(records: Records) -> str:
    lines = ["| magnitudes | trained | parameters | s |", "|---|---|---:|---:|"]
    for kind in kinds(records):
        for tying, found in kind.trained.items():
            for depth, record in sorted(found.items()):
                lines.append(
                    line([kind.name, f"{depth} {tying}", str(record["parameters"]), f"{record['seconds']:.0f}"])
                )
        for name, record in kind.joint.items():
            lines.append(line([kind.name, f"jointly, {name}", str(record["parameters"]), f"{record['seconds']:.0f}"]))
    return "\n".join(lines) + "\n"


def _list(values: list[float], tying: str) -> str:
    return ", ".join(f"{value:.2f}" for value in (values[:1] if tying == "tied" else values))

"""The results as Markdown."""

import dataclasses
from pathlib import Path
from typing import Any

from study.intervals import bootstrapped, paired
from study.page import line, plus_minus, table

from .judging import MEASURES, means
from .models import VARIANTS

Records = dict[str, Any]
NMF = {
    "plain": "supervised NMF, KL, no penalty",
    "sparse": "sparse NMF, chosen by the grid",
    "sparse, all songs": "the same, with dictionaries of the held out songs too",
    "grid": "supervised NMF, chosen by the grid",
}
TITLES = NMF | {name: variant.title for name, variant in VARIANTS.items()}


def about(songs: dict[str, dict[str, Any]], setting: Any) -> dict[str, Any]:
    """What was run on what."""
    return {"songs": {split: sorted(found) for split, found in songs.items()}, "setting": dataclasses.asdict(setting)}


def rows(records: Records) -> dict[str, dict[int, Any]]:
    """By method and depth (or number of iterations), its record, which has scores."""
    found = {name: {int(count): made for count, made in records[name].items()} for name in NMF}
    for name in VARIANTS:
        depths = {int(key.split("/")[1]): made for key, made in records.items() if key.startswith(f"{name}/")}
        found |= {name: dict(sorted(depths.items()))} if depths else {}
    return found


def gain(records: Records) -> float:
    """The mean gain in dB of the deepest deep NMF over the grid's choice for as many iterations."""
    found = rows(records)
    depth = max(found["deep"])
    return paired(means(found["deep"][depth]["scores"]), means(found["grid"][depth]["scores"]))[0]


def write(records: Records, out: Path) -> None:
    """The page, `README.md`."""
    setting, songs, found = records["about"]["setting"], records["about"]["songs"], rows(records)
    parts = [
        "# Deep NMF and task-driven dictionaries\n",
        "Made by `python examples/deep_nmf.py`; the numbers are in `results.json`.\n",
        f"Judged on {len(songs['test'])} unseen songs, {setting['judged']:g} s of each; learned on two thirds of "
        f"{len(songs['train'])} others and chosen by the rest. Mono, 22.05 kHz, STFT 1024, 256; "
        f"{setting['components']} atoms for each source; ratio mask, mixture's phase. SDR and SI-SDR in dB are means "
        "over sources, then songs; ± is half the 95 % confidence interval over songs (Student's t), and differences "
        "are paired by song.\n",
        "![SDR by depth](depths.png)\n",
        *[_by_depth(found, measure) for measure in MEASURES],
        "## Differences, paired by song\n",
        _differences(found),
        "## What was trained\n",
        "Seconds with compilation and validations, on two cores shared with other work; steps until the best score of "
        "the held out songs, whose SDR before and after is given.\n",
        _trained(found),
        "## What was chosen, by the held out songs\n",
        _choices(records, found),
    ]
    (out / "README.md").write_text("\n".join(parts))


def comparisons(found: dict[str, dict[int, Any]]) -> list[tuple[str, int, str, int]]:
    """What is compared with what: a method and its depth, another one and its number of iterations."""
    many, listed = max(found["grid"]), []
    for name in filter(found.__contains__, VARIANTS):
        for depth in found[name]:
            listed.append((name, depth, "grid", depth))
            if name in ("task-driven", "deep"):
                listed += [(name, depth, "sparse", depth), (name, depth, "grid", many), (name, depth, "sparse", many)]
            if name == "deep":
                others = ("reconstruction", "task-driven", "task-driven, two")
                listed += [(name, depth, other, depth) for other in others if depth in found.get(other, {})]
    return listed


def _by_depth(found: dict[str, dict[int, Any]], measure: str) -> str:
    depths = sorted({depth for row in found.values() for depth in row})
    rows = []
    for name, row in found.items():
        cells = (plus_minus(means(row[depth]["scores"], measure)) if depth in row else "" for depth in depths)
        rows.append([TITLES[name] if name in NMF else f"**{TITLES[name]}**", *cells])
    return table([f"{measure} by iterations or layers", *map(str, depths)], rows)


def _differences(found: dict[str, dict[int, Any]]) -> str:
    rows = []
    for name, depth, other, count in comparisons(found):
        ours, theirs = (
            {measure: means(found[method][at]["scores"], measure) for measure in MEASURES}
            for method, at in ((name, depth), (other, count))
        )
        (mean, low, high), si = (paired(ours[measure], theirs[measure]) for measure in MEASURES)
        drawn = bootstrapped(ours["SDR"], theirs["SDR"])
        wins = sum(a > b for a, b in zip(ours["SDR"], theirs["SDR"], strict=True))
        rows.append(
            [
                f"{TITLES[name]}, {depth}, over {TITLES[other]}, {count}",
                f"{mean:+.2f}",
                f"{low:+.2f} to {high:+.2f}",
                f"{drawn[0]:+.2f} to {drawn[1]:+.2f}",
                f"{wins} of {len(ours['SDR'])}",
                f"{si[0]:+.2f} ({si[1]:+.2f} to {si[2]:+.2f})",
            ]
        )
    return table(["", "SDR, dB", "95 % interval", "by bootstrap", "songs better", "SI-SDR, dB"], rows)


def _trained(found: dict[str, dict[int, Any]]) -> str:
    rows = []
    for name in VARIANTS:
        for depth, made in found.get(name, {}).items():
            step = max(made["validations"], key=lambda at: at[1])[0]
            cells = [f"{TITLES[name]}, {depth}", f"{made['parameters']:,}", f"{made['seconds']:.0f}", str(step)]
            rows.append([*cells, f"{made['start']:.2f}", f"{made['best']:.2f}"])
    return table(["", "parameters", "s", "steps", "before, dB", "after, dB"], rows)


def _choices(records: Records, found: dict[str, dict[int, Any]]) -> str:
    tried = [
        ["β {}, {}, {}".format(*key.split("/")[1:]), f"{made['best']:.2f}"]
        for key, made in records.items()
        if key.startswith("choice/")
    ]
    chosen = [
        line([str(count), *(_choice(found[name][count]["choice"]) for name in ("grid", "sparse"))])
        for count in found["grid"]
    ]
    head = [line(["iterations", "supervised NMF", "sparse NMF"]), line(["---:", "---", "---"])]
    return (
        table(["deep NMF: divergence, loss, learning rate", "SDR, dB"], tried) + "\n" + "\n".join(head + chosen) + "\n"
    )


def _choice(choice: list[Any]) -> str:
    beta, sparse, sparsity, exponent = choice
    kind = "sparse" if sparse else "plain"
    return f"{kind} dictionaries, β {beta:g}, weight {sparsity:g}, mask exponent {exponent:g}"

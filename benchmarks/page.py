"""Records as the page of results, in Markdown: peers, kernels, every algorithm, one section each."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import model, scaling_table
from .machine import Machine
from .session import FLOOR, OURS, PEER
from .table import compiling, limit, median_ms, megabytes, percent, quartiles_ms

PATH = Path(__file__).parent / "results" / "README.md"

REST = ("temporary MB", "peak MB", "compiling s", "first run s")
INTRODUCTION = """\
# Results

Written by `python -m benchmarks report` from the JSON files beside this page, which hold all samples. \
What the rows are, and how to read and repeat them: [`../README.md`](../README.md). \
Times are medians; a ratio is another's time over that of dsp_sep in the same run: **above 1 dsp_sep is faster**. \
Compare ratios, not times: the machines are shared.
"""


def of(runs: Sequence[tuple[Path, dict[str, Any]]]) -> str:
    """The page for the files of one or more runs."""
    parts = [INTRODUCTION]
    for path, run in runs:
        if run.get("kind") == "scaling":
            parts.append(_scaling(path, run))
            continue
        groups: dict[str, list[dict[str, Any]]] = {"peers": [], "kernel": [], "case": []}
        for record in run["workloads"]:
            before, slash, _ = record["name"].partition("/")
            if all(entry["seconds"] for entry in record["entries"]):  # not those that were compiled only
                groups[before if slash else "peers"].append(record)
        machine = Machine(**run["machine"]) if "machine" in run else None
        parts.append(_heading(path, run, machine))
        if groups["peers"]:
            parts += [_summary(groups["peers"], machine), _behind(groups["peers"])]
        if groups["kernel"]:
            parts.append(_kernels(groups["kernel"], machine))
        if groups["case"]:
            parts.append(_cases(groups["case"], machine))
        if groups["peers"]:
            parts.append(_details(groups["peers"]))
    return "\n".join(parts)


def _scaling(path: Path, run: dict[str, Any]) -> str:
    env = run["environment"]
    title = f"## Growth and several devices, {_platform(env)}"
    source = f"`{path.name}`: commit {env['commit']}, {env['time']}. {model.__doc__}"
    tables = (f"### {name}\n\n{_table(head, rows)}" for name, head, rows in scaling_table.parts(run))
    return "\n\n".join((title, source, *tables))


def roofline_of(path: Path) -> Path:
    """Where the picture is of a file of results."""
    return path.with_name(f"roofline-{path.stem}.png")


def _heading(path: Path, run: dict[str, Any], machine: Machine | None) -> str:
    picture = roofline_of(path)
    shown = f"\n![roofline]({picture.name})\n" if picture.exists() else ""
    env = run["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in env["versions"].items() if name != "jaxlib")
    settings = ", ".join(f"{name}={value}" for name, value in env["settings"].items())
    rates = (
        f"\nIts limits in this run, as XLA has them: memory {machine.bytes / 1e9:.1f} GB/s, matrix products "
        f"{machine.products / 1e9:.0f} GFLOP/s, real FFTs {machine.transforms / 1e9:.1f} GFLOP/s.\n"
        if machine
        else ""
    )
    return f"""\
## {_platform(env)}

`{path.name}`: commit {env["commit"]}, {env["time"]}; {env["system"]}; Python {env["python"]}; \
{versions}; {env["threads"]} threads; BLAS: {", ".join(env["blas"]) or "unknown"}; settings: {settings or "none"}. \
{env["load"]} processes wanted a core in the minute before the run.
{rates}{shown}"""


def _platform(env: dict[str, Any]) -> str:
    return f"jax {env['versions']['jax']}, {env['processor']}, {env['device']}, {env['cores']} cores"


def _summary(records: list[dict[str, Any]], machine: Machine | None) -> str:
    """A line a workload: our time, the floor as a part of it, and each peer's ratio."""
    entries = [entry for record in records for entry in record["entries"]]
    peers = list(dict.fromkeys(entry["name"] for entry in entries if entry["role"] == PEER))
    rows = []
    for record in records:
        ratio = ratios(record)
        floors = [entry["name"] for entry in record["entries"] if entry["role"] == FLOOR]
        cells = [f"{ratio[name]:.2f}" if name in ratio else "" for name in peers]
        per = " (one iteration)" if record["iterations"] > 1 else ""
        ms = f"{median_ms(record, record['entries'][0]):.2f}"
        times = f"{1 / ratio[floors[0]]:.2f}" if floors else ""
        share = percent(limit(record["entries"][0], machine))
        rows.append([f"{record['name']}, {record['size']}", ms + per, times, share, *cells])
    head = ["workload", "dsp_sep, ms", "times its floor in XLA", "limit", *(f"ratio of {name}" for name in peers)]
    return _table(head, rows)


def _behind(records: list[dict[str, Any]]) -> str:
    """Where a peer wins."""
    lines = []
    for record in records:
        ratio = ratios(record)
        wins = [e["name"] for e in record["entries"] if e["role"] == PEER and ratio[e["name"]] < 1]
        lines += [f"- {record['name']}: {name} takes {ratio[name]:.2f} of the time" for name in wins]
    return "Where a peer is faster:\n\n" + "\n".join(lines or ["- nowhere"]) + "\n"


def _kernels(records: list[dict[str, Any]], machine: Machine | None) -> str:
    """A line a kernel: our time, how near it is to the machine's limits, and the other ways to do it."""
    rows = []
    for record in records:
        ours, *others = record["entries"]
        cost, seconds = ours["cost"], median_ms(record, ours) / 1e3
        ratio = ratios(record)
        rows.append(
            [
                f"{record['name'].partition('/')[2]}: {record['what']}",
                f"{1e3 * seconds:.2f}",
                f"{cost['bytes'] / seconds / 1e9:.1f}",
                f"{(cost['products'] + cost['transforms'] + cost['others']) / seconds / 1e9:.1f}",
                percent(limit(ours, machine)),
                ", ".join(f"{other['name']} {ratio[other['name']]:.2f}" for other in others),
            ]
        )
    head = ["kernel", "ms", "GB/s", "GFLOP/s", "limit", "the time of others over it"]
    return f"### Kernels, {records[0]['size']}\n\n{_table(head, rows)}"


def _cases(records: list[dict[str, Any]], machine: Machine | None) -> str:
    """A line an algorithm: an iteration forward, and what each way to differentiate costs beside it."""
    names = list(dict.fromkeys(e["name"] for record in records for e in record["entries"]))
    ways = [name for name in names if name != OURS]
    rows = []
    for record in records:
        entries = {entry["name"]: entry for entry in record["entries"]}
        base, ratio = entries.get(OURS), ratios(record)
        cells = [
            f"{ratio[way]:.1f}, {megabytes(entries[way]['temporary_bytes'])} MB" if base and way in entries else ""
            for way in ways
        ]
        first = record["entries"][0]
        rows.append(
            [
                record["name"].partition("/")[2],
                f"{median_ms(record, first):.2f}",
                percent(limit(first, machine)),
                megabytes(first["temporary_bytes"]),
                f"{compiling(first):.1f}",
                *cells,
            ]
        )
    head = ["algorithm", "ms an iteration", "limit", "temporary MB", "compiling s", *ways]
    steps = records[0]["iterations"]
    text = f"{steps} iterations of each; gradients by all hyperparameters and all data: time over forward, memory.\n"
    return f"### Every algorithm, {records[0]['size']}\n\n{text}\n{_table(head, rows)}"


def _details(records: list[dict[str, Any]]) -> str:
    parts = []
    for record in records:
        rows = []
        for entry in record["entries"]:
            low, high = quartiles_ms(record, entry)
            rows.append(
                [
                    f"**{entry['name']}**" if entry["role"] == OURS else entry["name"],
                    f"{median_ms(record, entry):.2f}",
                    f"{low:.2f} to {high:.2f}",
                    str(len(entry["seconds"])),
                    "" if entry["quality"] is None else f"{entry['quality']:.3g}",
                    megabytes(entry["temporary_bytes"]),
                    megabytes(entry.get("peak_bytes")),
                    f"{compiling(entry):.2f}" if compiling(entry) else "",
                    f"{entry['before']['first']:.2f}",
                ]
            )
        head = ["", "ms", "quartiles", "samples", record["quality"], *REST]
        absent = f"\nCould not be loaded: {', '.join(record['missing'])}.\n" if record["missing"] else ""
        parts.append(f"### {record['name']}: {record['what']}\n\n{_table(head, rows)}{absent}")
    return "\n".join(parts)


def ratios(record: dict[str, Any]) -> dict[str, float]:
    """The time of each contestant over that of dsp_sep."""
    base = median_ms(record, record["entries"][0])
    return {entry["name"]: median_ms(record, entry) / base for entry in record["entries"]}


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"

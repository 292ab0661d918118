"""Records as the page of results, in Markdown."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .session import FLOOR, OURS, PEER
from .table import compiling, median_ms, megabytes, quartiles_ms

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
        parts += [_heading(path, run), _summary(run), _behind(run), _details(run)]
    return "\n".join(parts)


def _heading(path: Path, run: dict[str, Any]) -> str:
    env = run["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in env["versions"].items() if name != "jaxlib")
    settings = ", ".join(f"{name}={value}" for name, value in env["settings"].items())
    return f"""\
## jax {env["versions"]["jax"]}, {env["device"]}, {env["cores"]} cores

`{path.name}`: commit {env["commit"]}, {env["time"]}; {env["processor"]}, {env["system"]}; Python {env["python"]}; \
{versions}; {env["threads"]} threads; BLAS: {", ".join(env["blas"]) or "unknown"}; settings: {settings or "none"}. \
{env["load"]} processes wanted a core in the minute before the run.
"""


def _summary(run: dict[str, Any]) -> str:
    """A line a workload: our time, the floor as a part of it, and each peer's ratio."""
    entries = [entry for record in run["workloads"] for entry in record["entries"]]
    peers = list(dict.fromkeys(entry["name"] for entry in entries if entry["role"] == PEER))
    rows = []
    for record in run["workloads"]:
        ratio = ratios(record)
        floors = [entry["name"] for entry in record["entries"] if entry["role"] == FLOOR]
        cells = [f"{ratio[name]:.2f}" if name in ratio else "" for name in peers]
        per = " (one iteration)" if record["iterations"] > 1 else ""
        ms = f"{median_ms(record, record['entries'][0]):.2f}"
        times = f"{1 / ratio[floors[0]]:.2f}" if floors else ""
        rows.append([f"{record['name']}, {record['size']}", ms + per, times, *cells])
    return _table(["workload", "dsp_sep, ms", "times its floor in XLA", *(f"ratio of {name}" for name in peers)], rows)


def _behind(run: dict[str, Any]) -> str:
    """Where a peer wins."""
    lines = []
    for record in run["workloads"]:
        ratio = ratios(record)
        wins = [e["name"] for e in record["entries"] if e["role"] == PEER and ratio[e["name"]] < 1]
        lines += [f"- {record['name']}: {name} takes {ratio[name]:.2f} of the time" for name in wins]
    return "Where a peer is faster:\n\n" + "\n".join(lines or ["- nowhere"]) + "\n"


def _details(run: dict[str, Any]) -> str:
    parts = []
    for record in run["workloads"]:
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
        absent = f"\nNot installed: {', '.join(record['missing'])}.\n" if record["missing"] else ""
        parts.append(f"### {record['name']}: {record['what']}\n\n{_table(head, rows)}{absent}")
    return "\n".join(parts)


def ratios(record: dict[str, Any]) -> dict[str, float]:
    """The time of each contestant over that of dsp_sep."""
    base = median_ms(record, record["entries"][0])
    return {entry["name"]: median_ms(record, entry) / base for entry in record["entries"]}


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"

"""Records as tables on a terminal."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from .cost import Cost
from .machine import Machine
from .session import OURS, PEER
from .workload import Workload

STYLES = {OURS: "bold", PEER: "", "floor": "dim"}
QUALITY = ""
COLUMNS = ("quartiles", "/ ours", "limit", QUALITY, "temp. MB", "peak MB", "compile s")


def listing(workloads: Iterable[Workload]) -> Table:
    table = Table("name", "what", "peers", box=None)
    for workload in workloads:
        table.add_row(workload.name, workload.what, ", ".join(workload.peers))
    return table


def of(record: dict[str, Any], machine: Machine | None = None) -> Table:
    """The record of one workload, which may still be growing."""
    unit = "ms/iteration" if record["iterations"] > 1 else "ms"
    missing = f"could not be loaded: {', '.join(record['missing'])}" if record.get("missing") else None
    table = Table(title=f"{record['name']}: {record['what']}", title_justify="left", caption=missing, box=SIMPLE)
    table.add_column(no_wrap=True)
    for name in (unit, *COLUMNS):
        table.add_column(name or record["quality"], justify="right", no_wrap=True)
    for entry in record["entries"]:
        table.add_row(
            entry["name"],
            *_times(record, entry),
            percent(limit(entry, machine)),
            "" if entry["quality"] is None else f"{entry['quality']:.3g}",
            megabytes(entry["temporary_bytes"]),
            megabytes(entry.get("peak_bytes")),
            f"{compiling(entry):.2f}" if compiling(entry) else "",
            style=STYLES[entry["role"]],
        )
    return table


def _times(record: dict[str, Any], entry: dict[str, Any]) -> tuple[str, str, str]:
    if not entry["seconds"]:
        return "", "", ""
    low, high = quartiles_ms(record, entry)
    base = record["entries"][0]
    ratio = median_ms(record, entry) / median_ms(record, base) if base["seconds"] else np.nan
    return f"{median_ms(record, entry):.2f}", f"{low:.2f}-{high:.2f}", f"{ratio:.2f}"


def median_ms(record: dict[str, Any], entry: dict[str, Any]) -> float:
    """Of one iteration, where the record counts these."""
    return 1e3 * float(np.median(entry["seconds"])) / record["iterations"]


def quartiles_ms(record: dict[str, Any], entry: dict[str, Any]) -> tuple[float, float]:
    low, high = np.quantile(entry["seconds"], (0.25, 0.75)) * 1e3 / record["iterations"]
    return float(low), float(high)


def limit(entry: dict[str, Any], machine: Machine | None) -> float | None:
    """The time that the machine's rates would allow, as a part of the time taken."""
    if machine is None or not entry.get("cost") or not entry["seconds"]:
        return None
    return machine.least_seconds(Cost(**entry["cost"])) / float(np.median(entry["seconds"]))


def compiling(entry: dict[str, Any]) -> float:
    """Seconds before a program could run."""
    return sum(entry["before"].get(name, 0.0) for name in ("tracing", "lowering", "compiling"))


def megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.0f}"


def percent(part: float | None) -> str:
    return "" if part is None else f"{100 * part:.0f} %"

"""Records as tables on a terminal."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from rich.table import Table

from .session import OURS, PEER
from .workload import Workload

STYLES = {OURS: "bold", PEER: "", "floor": "dim"}


def listing(workloads: Iterable[Workload]) -> Table:
    table = Table("name", "what", "peers", box=None)
    for workload in workloads:
        table.add_row(workload.name, workload.what, ", ".join(workload.peers))
    return table


def of(record: dict[str, Any]) -> Table:
    """The record of one workload."""
    unit = "ms an iteration" if record["iterations"] > 1 else "ms"
    missing = f"not installed: {', '.join(record['missing'])}" if record["missing"] else None
    table = Table(title=f"{record['name']}: {record['what']}", title_justify="left", caption=missing)
    for name in ("", unit, "quartiles", "its time / ours", record["quality"], "temporary MB", "peak MB", "compiling s"):
        table.add_column(name, justify="right" if name else "left")
    base = median_ms(record, record["entries"][0])
    for entry in record["entries"]:
        low, high = quartiles_ms(record, entry)
        table.add_row(
            entry["name"],
            f"{median_ms(record, entry):.2f}",
            f"{low:.2f} to {high:.2f}",
            f"{median_ms(record, entry) / base:.2f}",
            "" if entry["quality"] is None else f"{entry['quality']:.3g}",
            megabytes(entry["temporary_bytes"]),
            megabytes(entry.get("peak_bytes")),
            f"{compiling(entry):.2f}" if compiling(entry) else "",
            style=STYLES[entry["role"]],
        )
    return table


def median_ms(record: dict[str, Any], entry: dict[str, Any]) -> float:
    """Of one iteration, where the record counts these."""
    return 1e3 * float(np.median(entry["seconds"])) / record["iterations"]


def quartiles_ms(record: dict[str, Any], entry: dict[str, Any]) -> tuple[float, float]:
    low, high = np.quantile(entry["seconds"], (0.25, 0.75)) * 1e3 / record["iterations"]
    return float(low), float(high)


def compiling(entry: dict[str, Any]) -> float:
    """Seconds before a program could run."""
    return sum(entry["before"].get(name, 0.0) for name in ("tracing", "lowering", "compiling"))


def megabytes(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.0f}"

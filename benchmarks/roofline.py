"""A roofline: how many operations each program does for a byte of memory, and how many in a second."""

from pathlib import Path
from typing import Any

import numpy as np

from .cost import Cost
from .machine import Machine
from .session import OURS

COLOURS = {"peers": "tab:blue", "kernel": "tab:orange", "case": "tab:green"}
NAMES = {"peers": "beside peers", "kernel": "kernels", "case": "algorithms"}


def points(run: dict[str, Any]) -> list[tuple[str, str, float, float]]:
    """(group, name, operations for a byte, operations in a second) of dsp_sep's program of each workload."""
    found = []
    for record in run["workloads"]:
        before, slash, name = record["name"].partition("/")
        ours = next((entry for entry in record["entries"] if entry["role"] == OURS), None)
        if ours is None or not ours.get("cost") or not ours["seconds"]:
            continue
        cost = Cost(**ours["cost"])
        if cost.operations:
            seconds = float(np.median(ours["seconds"]))
            found.append((before if slash else "peers", name or before, *_place(cost, seconds)))
    return found


def _place(cost: Cost, seconds: float) -> tuple[float, float]:
    return cost.operations / cost.bytes, cost.operations / seconds


def draw(run: dict[str, Any], file: Path) -> None:
    """Draw the record of a run, with the machine's limits in it as roofs (needs matplotlib, the extra `plots`)."""
    from matplotlib.figure import Figure

    machine, dots = Machine(**run["machine"]), points(run)
    figure = Figure(figsize=(10, 7), layout="constrained")
    axes = figure.subplots()
    x = np.geomspace(min(d[2] for d in dots) / 2, max(max(d[2] for d in dots), machine.products / machine.bytes) * 2)
    roofs = (("matrix products", machine.products, "-"), ("real FFTs", machine.transforms, "--"))
    for what, rate, line in roofs:
        axes.loglog(x, np.minimum(machine.bytes * x, rate), line, color="black", linewidth=1, label=what)
    for group, colour in COLOURS.items():
        chosen = [dot for dot in dots if dot[0] == group]
        if chosen:
            axes.loglog([d[2] for d in chosen], [d[3] for d in chosen], "o", color=colour, label=NAMES[group])
        for _, name, intensity, rate in chosen:
            axes.annotate(name, (intensity, rate), xytext=(4, 2), textcoords="offset points", fontsize=6)
    axes.set_xlabel("operations for each byte that must pass through memory")
    axes.set_ylabel("operations in a second")
    environment = run["environment"]
    axes.set_title(f"{environment['device']}, {environment['cores']} cores, jax {environment['versions']['jax']}")
    axes.legend()
    axes.grid(which="both", alpha=0.2)
    figure.savefig(file, dpi=120)

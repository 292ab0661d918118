"""Records of `scaling` as rows of text, for the terminal and the page."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from rich.box import SIMPLE
from rich.table import Table

from . import model
from .collectives import total
from .machine import Machine
from .scaling import growth, milliseconds
from .table import limit, megabytes, percent

Rows = tuple[str, list[str], list[list[str]]]
"""A title, the head, the rows."""


def tables(record: dict[str, Any]) -> Iterator[Table]:
    for title, head, rows in parts(record):
        table = Table(*head, title=title, title_justify="left", box=SIMPLE)
        for row in rows:
            table.add_row(*row)
        yield table


def parts(record: dict[str, Any]) -> Iterator[Rows]:
    """Growth along each axis, times on two devices, what is sent, and the model on paper."""
    if record["sweeps"]:
        yield _sweeps(record)
    if record["devices"]:
        yield _devices(record["devices"])
        yield _sent(record["devices"])
        yield _modelled(record["devices"])


def _sweeps(record: dict[str, Any]) -> Rows:
    machine, rows = Machine(**record["machine"]), []
    for name, axes in record["sweeps"].items():
        for axis, points in axes.items():
            exponents = ["", *(f"{exponent:.2f}" for exponent in growth(points))]
            measured = [point for point in points if "skipped" not in point]
            for point, exponent in zip(measured, exponents, strict=True):
                forward, gradient = point["forward"], point.get("gradient")
                rows.append(
                    [
                        name,
                        f"{axis} {point['value']:g}",
                        f"{milliseconds(point):.2f}",
                        exponent,
                        percent(limit(forward, machine)),
                        megabytes(forward["temporary_bytes"]),
                        f"{milliseconds(point, 'gradient'):.2f}" if gradient else "",
                        megabytes(gradient["temporary_bytes"]) if gradient else "",
                    ]
                )
            rows += [[name, f"{axis} {p['value']:g}", p["skipped"], *[""] * 5] for p in points if "skipped" in p]
    head = ["case", "axis", "ms an iteration", "growth", "limit", "temporary MB", "gradient, ms", "its MB"]
    return f"Growth, {record['size']} but for the axis: time as a power of the value, from one to the next", head, rows


def _devices(devices: dict[str, Any]) -> Rows:
    rows = []
    for name, found in devices.items():
        one, two, free = (np.median(found[setting]["seconds"]) for setting in ("one", "two", "all"))
        rows.append(
            [
                name,
                *(f"{1e3 * seconds:.1f}" for seconds in (one, two)),
                f"{one / two:.2f}",
                f"{1e3 * free:.1f}",
                f"{free / two:.2f}",
                ", ".join(f"{found[setting]['cores']:.1f}" for setting in ("one", "two", "all")),
            ]
        )
    head = ["case", "one, ms", "two, ms", "one / two", "one, all cores, ms", "that / two", "cores busy"]
    return "A batch of four on devices of one core each, and on one of all cores", head, rows


def _sent(devices: dict[str, Any]) -> Rows:
    rows = []
    for name, found in devices.items():
        for axis, sent in found["two"]["axes"].items():
            inside = sent["inside"]
            kinds = ", ".join(f"{of['count']} {kind}" for kind, of in inside.items())
            rows.append([name, axis, kinds or "nothing", megabytes_exactly(total(inside)["bytes"])])
    head = ["case", "axis spread", "sent in each iteration", "MB"]
    return "Two devices: collectives inside the loops of the compiled program", head, rows


def _modelled(devices: dict[str, Any]) -> Rows:
    rows = []
    for name, found in devices.items():
        for axis in found["two"]["axes"]:
            ratios = [model.speedups(found["two"], axis, device) for device in model.DEVICES]
            rows.append([name, axis, *(f"{ratio:.1f}" for one in ratios for ratio in one)])
    head = ["case", "axis spread", *(f"{count} {device.name}" for device in model.DEVICES for count in model.COUNTS)]
    return "On paper: times the throughput (batch: a problem for each) or speed of one device", head, rows


def megabytes_exactly(count: int) -> str:
    return f"{count / 1e6:.3f}"

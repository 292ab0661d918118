"""What an iteration costs as the problem grows, one axis at a time."""

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np

from tests.cases import Case

from .session import described
from .sizes import Size
from .timing import get_ready, interleave
from .workloads.cases import GRADIENTS, Instance, differentiated, forward, instance

CASES = ("nmf_kullback_leibler", "griffin_lim_fast", "misi", "em")
"""One of each kind, unless others are asked for."""
AXES: dict[str, tuple[str, tuple[float, ...]]] = {
    "length": ("case_seconds", (10.0, 60.0, 300.0, 1800.0)),
    "batch": ("batch", (1, 2, 4, 8)),
    "components": ("components", (8, 32, 128)),
    "channels": ("channels", (1, 2, 4)),
    "depth": ("case_steps", (1, 4, 16)),
}
ROUNDS, LONGEST = 3, 20.0
SPACE = 6
"""Times the arguments, results and temporaries of a program: what making its data takes, in double precision."""


def sweep(case: Case, size: Size, axis: str, watch: Callable[[str], None] = lambda text: None) -> list[dict[str, Any]]:
    """Points along an axis, as far as memory and `LONGEST` seconds a run allow; none where nothing depends on it.

    Returns:
        For each value a dictionary: `value`, and `forward` (and `gradient`, along the depth) with raw samples of whole
        runs, what came before them, memory and cost; or `skipped`, and why.
    """
    field, values = AXES[axis]
    sizes = [dataclasses.replace(size, **{field: type(getattr(size, field))(value)}) for value in values]
    points: list[dict[str, Any]] = []
    before: Any = None
    for value, one in zip(values, sizes, strict=True):
        reason = _too_much(points, value)
        if reason:
            points.append({"value": value, "skipped": reason})
            continue
        watch(f"{case.name}, {axis} {value:g}")
        problem = instance(one, case=case)
        if _shape(problem) == before:
            return []
        before = _shape(problem)
        points.append({"value": value, "steps": one.case_steps, **_measured(problem, axis)})
    return points


def _measured(problem: Instance, axis: str) -> dict[str, Any]:
    programs = {"forward": forward(problem)}
    if axis == "depth":
        programs["gradient"] = differentiated(problem, gradient=GRADIENTS["gradient, Checkpointed"])
    ready = {name: get_ready(program) for name, program in programs.items()}
    found: dict[str, Any] = {name: described(one) for name, one in ready.items()}
    memory = ready["forward"].compiled.memory_analysis()
    found["bytes"] = memory and (
        memory.argument_size_in_bytes + memory.output_size_in_bytes + memory.temp_size_in_bytes
    )
    for name, samples in interleave({name: one.call for name, one in ready.items()}, ROUNDS).items():
        found[name]["seconds"] = samples
    return found


def _too_much(points: list[dict[str, Any]], value: float) -> str | None:
    if not points:
        return None
    if "skipped" in points[-1]:
        return points[-1]["skipped"]
    factor, free = value / points[-1]["value"], _free()
    if free and points[-1]["bytes"] and SPACE * factor * points[-1]["bytes"] > free:
        return "memory"
    return "time" if factor * max(points[-1]["forward"]["seconds"]) > LONGEST else None


def _shape(problem: Instance) -> Any:
    leaves, structure = jax.tree.flatten((problem.algorithm, problem.data))
    return [np.shape(leaf) for leaf in leaves], structure, problem.steps


def _free() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    found = re.search(r"MemAvailable:\s+(\d+) kB", lines)
    return 1024 * int(found[1]) if found else None


def milliseconds(point: dict[str, Any], name: str = "forward") -> float:
    """Of an iteration."""
    return 1e3 * float(np.median(point[name]["seconds"])) / point["steps"]


def growth(points: list[dict[str, Any]]) -> Iterator[float]:
    """The exponents `p` of `time ∝ valueᵖ` from each point to the next."""
    measured = [point for point in points if "skipped" not in point]
    for a, b in itertools.pairwise(measured):
        yield float(np.log(milliseconds(b) / milliseconds(a)) / np.log(b["value"] / a["value"]))

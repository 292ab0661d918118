"""One workload, measured: all contestants prepared, run in turns, judged."""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from .memory import increase_of_peak
from .peers import load
from .precision import in_precision
from .sizes import Size
from .timing import Ready, affordable_rounds, get_ready, interleave
from .workload import Contestant, Program, Workload, is_gradient

OURS, FLOOR, PEER = "dsp_sep", "floor", "peer"
PASSES = ("both", "forward", "gradient")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to measure.

    Attributes:
        size: how large.
        threads: for the peers that let themselves be told.
        peers: whether other libraries take part.
        repeats: how many samples of each contestant; as many as the workload's budget allows unless given.
        passes: "forward" or "gradient" for these contestants alone.
        dtype: of the numbers, "float32" or "float64".
        compile_only: whether nothing is run.
        hlo: a folder to keep the optimised programs in.
        profile: a folder to keep a trace of one more run of each program in.
    """

    size: Size
    threads: int
    peers: bool = True
    repeats: int | None = None
    passes: str = "both"
    dtype: str = "float32"
    compile_only: bool = False
    hlo: Path | None = None
    profile: Path | None = None


def measure(
    workload: Workload, settings: Settings, watch: Callable[[str, dict[str, Any]], None] = lambda text, record: None
) -> dict[str, Any]:
    """Measure a workload.

    Args:
        workload: what.
        settings: how.
        watch: told what is being done, and what there is of the record so far.

    Returns:
        A record of plain numbers and text; `entries` holds one for each contestant, `seconds` being the raw samples of
        whole calls, `iterations` in each.
    """
    record: dict[str, Any] = {
        "name": workload.name,
        "what": workload.what,
        "size": settings.size.name,
        "dtype": settings.dtype,
        "iterations": workload.iterations(settings.size),
        "quality": workload.quality.name,
        "entries": [],
    }
    watch("making the problem", record)
    problem = in_precision(workload.problem(settings.size), settings.dtype)
    contestants, record["missing"] = _contestants(workload, problem, settings)
    calls: dict[str, Ready] = {}
    for name, (role, contestant) in contestants.items():
        if settings.compile_only and not isinstance(contestant, Program):
            continue
        watch(f"{name}: compiling and first run", record)
        one = get_ready(contestant, run=not settings.compile_only)
        entry: dict[str, Any] = {"name": name, "role": role, "quality": None, "seconds": [], **described(one)}
        if role != FLOOR and not settings.compile_only:
            entry["quality"] = workload.quality.of(problem, jax.tree.map(np.asarray, one.output))
        if settings.hlo and one.compiled is not None:
            settings.hlo.mkdir(parents=True, exist_ok=True)
            (settings.hlo / f"{_slug(workload, name)}.txt").write_text(one.compiled.as_text())
        calls[name] = one._replace(output=None, compiled=None)
        record["entries"].append(entry)
    if not settings.compile_only:
        _run(workload, settings, calls, record, watch)
    return record


def _run(
    workload: Workload,
    settings: Settings,
    ready: dict[str, Ready],
    record: dict[str, Any],
    watch: Callable[[str, dict[str, Any]], None],
) -> None:
    rounds = settings.repeats or affordable_rounds(ready, workload.budget)
    interleave(
        {name: one.call for name, one in ready.items()},
        rounds,
        tick=lambda name, done: watch(f"{name}: round {done} of {rounds}", record),
        samples={entry["name"]: entry["seconds"] for entry in record["entries"]},
    )
    for entry in record["entries"]:
        if workload.peak_memory and entry["role"] != FLOOR:
            watch(f"{entry['name']}: memory", record)
            entry["peak_bytes"] = increase_of_peak(
                workload, entry["name"], settings.size, settings.threads, settings.dtype
            )
        if settings.profile and entry["cost"]:
            with jax.profiler.trace(settings.profile / _slug(workload, entry["name"])):
                ready[entry["name"]].call()


def described(one: Ready) -> dict[str, Any]:
    """Of a program: its memory, its cost by formulas, and what XLA says of it; times before it could run."""
    if one.compiled is None or one.cost is None:
        return {"before": one.seconds, "temporary_bytes": None, "cost": None}
    memory, analysis = one.compiled.memory_analysis(), one.compiled.cost_analysis() or {}
    return {
        "before": one.seconds,
        "temporary_bytes": memory and memory.temp_size_in_bytes,
        "cost": one.cost._asdict(),
        "xla": {"operations": analysis.get("flops"), "bytes": analysis.get("bytes accessed")},
    }


def _slug(workload: Workload, name: str) -> str:
    return re.sub(r"\W+", "-", f"{workload.name} {name}").strip("-")


def _contestants(
    workload: Workload, problem: Any, settings: Settings
) -> tuple[dict[str, tuple[str, Contestant]], dict[str, str]]:
    found: dict[str, tuple[str, Contestant]] = {}
    missing: dict[str, str] = {}
    for name, program in workload.ours.items():
        if settings.passes == "both" or (settings.passes == "gradient") == is_gradient(workload, name):
            found[name] = OURS, program(problem)
    for name, program in workload.floors.items():
        found[name] = FLOOR, program(problem)
    for name in workload.peers if settings.peers else ():
        try:
            peer = load(name, settings.threads)
        except ImportError as error:
            missing[name] = str(error)
            continue
        found[name] = PEER, getattr(peer, workload.operation)(problem)
        if hasattr(peer, workload.bare):
            found[f"{workload.bare}, {name}"] = FLOOR, getattr(peer, workload.bare)(problem)
    if not any(role == OURS for role, _ in found.values()):
        return {}, {}
    exact = [(role, _precise(contestant, settings.dtype)) for role, contestant in found.values()]
    return dict(zip(found, exact, strict=True)), missing


def _precise(contestant: Contestant, dtype: str) -> Contestant:
    if not isinstance(contestant, Program):
        return contestant
    return contestant._replace(arguments=in_precision(contestant.arguments, dtype))

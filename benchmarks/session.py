"""One workload, measured: all contestants prepared, run in turns, judged."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from .memory import increase_of_peak
from .peers import load
from .sizes import Size
from .timing import affordable_rounds, get_ready, interleave
from .workload import Contestant, Workload

OURS, FLOOR, PEER = "dsp_sep", "floor", "peer"


def measure(
    workload: Workload,
    size: Size,
    *,
    peers: bool = True,
    threads: int,
    repeats: int | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Measure a workload.

    Args:
        workload: what.
        size: how large.
        peers: whether other libraries take part.
        threads: for the peers that let themselves be told.
        repeats: how many samples of each contestant; as many as a few seconds allow unless given.
        say: told what is being done.

    Returns:
        A record of plain numbers and text; `entries` holds one for each contestant, `seconds` being the raw samples of
        whole calls, `iterations` in each.
    """
    say(f"{workload.name}: making the problem")
    problem = workload.problem(size)
    contestants, missing = _contestants(workload, problem, peers, threads)
    ready, entries = {}, []
    for name, (role, contestant) in contestants.items():
        say(f"{workload.name}: {name} for the first time")
        one = get_ready(contestant)
        quality = None if role == FLOOR else workload.quality.of(problem, jax.tree.map(np.asarray, one.output))
        ready[name] = one._replace(output=None)
        entries.append({"name": name, "role": role, "quality": quality, "before": one.seconds})
        entries[-1]["temporary_bytes"] = one.temporary_bytes
    rounds = repeats or affordable_rounds(ready)
    samples = interleave({name: one.call for name, one in ready.items()}, rounds, tick=_counter(workload, rounds, say))
    for entry in entries:
        entry["seconds"] = samples[entry["name"]]
        if workload.peak_memory and entry["role"] != FLOOR:
            say(f"{workload.name}: memory of {entry['name']}")
            entry["peak_bytes"] = increase_of_peak(workload, entry["name"], size, threads)
    return {
        "name": workload.name,
        "what": workload.what,
        "size": size.name,
        "iterations": workload.iterations(size),
        "quality": workload.quality.name,
        "entries": entries,
        "missing": missing,
    }


def _contestants(
    workload: Workload, problem: Any, peers: bool, threads: int
) -> tuple[dict[str, tuple[str, Contestant]], dict[str, str]]:
    found: dict[str, tuple[str, Contestant]] = {}
    missing: dict[str, str] = {}
    for name, program in workload.ours.items():
        found[name] = OURS, program(problem)
    for name, program in workload.floors.items():
        found[name] = FLOOR, program(problem)
    for name in workload.peers if peers else ():
        try:
            peer = load(name, threads)
        except ImportError as error:
            missing[name] = str(error)
            continue
        found[name] = PEER, getattr(peer, workload.operation)(problem)
        if hasattr(peer, workload.bare):
            found[f"{workload.bare}, {name}"] = FLOOR, getattr(peer, workload.bare)(problem)
    return found, missing


def _counter(workload: Workload, rounds: int, say: Callable[[str], None]) -> Callable[[str, int], None]:
    return lambda name, done: say(f"{workload.name}: {name}, round {done} of {rounds}")

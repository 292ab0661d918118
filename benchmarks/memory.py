"""The memory of a whole process: by how much a piece of work raises its peak."""

import ctypes
import gc
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax

from .peers import load
from .precision import in_precision
from .sizes import SMALL, Size
from .workload import Contestant, Program, Workload

PROCESS = Path("/proc/self")


def increase_of_peak(workload: Workload, name: str, size: Size, threads: int, dtype: str = "float32") -> int | None:
    """Bytes by which one run of a contestant raises the resident memory of a process of its own (Linux with glibc).

    Before the run that process has the data and the compiled program, and has done the small size of the same work; so
    libraries are loaded and threads started. `None` where this cannot be measured.
    """
    if not (PROCESS / "clear_refs").exists():
        return None
    base, *assignments = size.name.split(" ")
    command = [sys.executable, "-m", "benchmarks", "peak", workload.name, name, "--size", base, "--dtype", dtype]
    command += ["--threads", str(threads), *(f"--set={assignment}" for assignment in assignments)]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["bytes"]


def measure_here(workload: Workload, name: str, size: Size, threads: int, dtype: str = "float32") -> int:
    """As `increase_of_peak`, of this process."""
    _prepared(workload, name, SMALL, threads, dtype)()
    call = _prepared(workload, name, size, threads, dtype)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    (PROCESS / "clear_refs").write_text("5")  # the peak is forgotten: see proc(5)
    before = _status("VmRSS")
    call()
    return _status("VmHWM") - before


def _prepared(workload: Workload, name: str, size: Size, threads: int, dtype: str) -> Any:
    problem = in_precision(workload.problem(size), dtype)
    contestant: Contestant
    if name in workload.ours:
        contestant = workload.ours[name](problem)
    else:
        contestant = load(name, threads).__dict__[workload.operation](problem)
    if not isinstance(contestant, Program):
        return contestant
    arguments = jax.block_until_ready(jax.device_put(in_precision(contestant.arguments, dtype)))
    compiled = jax.jit(contestant.function).lower(*arguments).compile()
    return lambda: jax.block_until_ready(compiled(*arguments))


def _status(field: str) -> int:
    kilobytes = re.search(rf"^{field}:\s+(\d+) kB", (PROCESS / "status").read_text(), re.MULTILINE)
    assert kilobytes is not None
    return 1024 * int(kilobytes[1])

"""Several devices: what an algorithm sends when an axis of its data is spread over them, and how much faster it is.

Devices are forced out of the cores of this machine, so their number must be known before JAX is loaded: `measure`
starts a process for each setting, which runs `measure_here`.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax
import numpy as np

import dsp_sep as ds
from tests.cases import Case

from .collectives import collectives
from .cost import count
from .sizes import Size
from .timing import get_ready, interleave
from .workload import Program
from .workloads.cases import Instance, instance

AXES = {"batch": 0, "frequency": -2, "frames": -1}
BATCH, ROUNDS = 4, 5
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"


def measure(name: str, options: Sequence[str], devices: int, *, one_thread: bool) -> dict[str, Any]:
    """As `measure_here`, in a process with so many devices, of one core each or sharing all there are."""
    flags = f"--xla_force_host_platform_device_count={devices} {ONE_THREAD if one_thread else ''}".strip()
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    command = [sys.executable, "-m", "benchmarks", "shards", name, *options]
    root = Path(__file__).parent.parent
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} with XLA_FLAGS={flags!r} failed:\n{done.stderr}")
    return json.loads(done.stdout)


def measure_here(case: Case, size: Size) -> dict[str, Any]:
    """What the program of a case sends, and how long a batch of `BATCH` takes on one device and on all there are.

    Returns:
        `seconds`: for each number of devices, samples of whole runs. `cores`: for each, how many were busy in the mean.
        If there are several devices, of problems as long as the size's `seconds`, which are compiled and not run:
        `axes`: what `collectives` finds for each, spread over all devices. `cost`: of one iteration of one problem.
    """
    mesh = jax.make_mesh((jax.device_count(),), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    found: dict[str, Any] = {"seconds": {}, "cores": {}}
    _time(instance(dataclasses.replace(size, batch=BATCH), case=case), mesh, found)
    if jax.device_count() > 1:
        size = dataclasses.replace(size, case_seconds=size.seconds, batch=1)
        one = instance(size, case=case)
        traced = jax.jit(_run, static_argnums=3).trace(one.algorithm, one.data, one.key, one.steps)
        found["cost"] = {name: value / one.steps for name, value in count(traced.jaxpr)._asdict().items()}
        found["axes"] = {axis: _sent(one, axis, mesh) for axis in AXES}
    return found


def _sent(problem: Instance, axis: str, mesh: jax.sharding.Mesh) -> dict[str, Any]:
    def spread(leaf: jax.Array) -> jax.Array:
        axes: list[str | None] = [None] * leaf.ndim
        axes[AXES[axis]] = "d"
        return jax.lax.with_sharding_constraint(leaf, jax.NamedSharding(mesh, jax.P(*axes)))

    def program(algorithm: Any, data: Any, key: jax.Array | None) -> Any:
        return _run(algorithm, jax.tree.map(spread, data), key, problem.steps)

    def abstract(leaf: np.ndarray) -> jax.ShapeDtypeStruct:
        batch = (mesh.size,) if axis == "batch" else ()
        return jax.ShapeDtypeStruct((*batch, *leaf.shape), np.complex64 if np.iscomplexobj(leaf) else np.float32)

    shapes = jax.tree.map(abstract, problem.data)
    return collectives(jax.jit(program).lower(problem.algorithm, shapes, problem.key).compile().as_text())


def _time(problem: Instance, mesh: jax.sharding.Mesh, found: dict[str, Any]) -> None:
    calls: dict[str, Callable[[], Any]] = {}
    for devices in sorted({1, jax.device_count()}):
        where = jax.devices()[0] if devices == 1 else jax.NamedSharding(mesh, jax.P("d"))
        data = jax.device_put(jax.tree.map(_single, problem.data), where)
        function = Program(lambda *operands: _run(*operands, problem.steps), (problem.algorithm, data, problem.key))
        call = get_ready(function).call
        calls[str(devices)] = _on_cores(devices, call) if ONE_THREAD in os.environ.get("XLA_FLAGS", "") else call
    found["seconds"] = interleave(calls, ROUNDS)
    for devices, call in calls.items():
        wall, processor = time.perf_counter(), time.process_time()
        call()
        found["cores"][devices] = (time.process_time() - processor) / (time.perf_counter() - wall)


def _on_cores(count: int, call: Callable[[], Any]) -> Callable[[], Any]:
    """The call, with all threads of this process on so many cores, where the system (Linux) can have them there.

    XLA's flag alone does not see to it: it holds for some operations, and others are divided over all threads.
    """

    def held() -> Any:
        with _cores(count):
            return call()

    return held if hasattr(os, "sched_setaffinity") else call


@contextlib.contextmanager
def _cores(count: int) -> Iterator[None]:
    all_there_are = os.sched_getaffinity(0)

    def hold(cores: set[int]) -> None:
        for thread in os.listdir("/proc/self/task"):
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread), cores)

    hold(set(sorted(all_there_are)[:count]))
    try:
        yield
    finally:
        hold(all_there_are)


def _run(algorithm: Any, data: Any, key: jax.Array | None, steps: int) -> Any:
    return ds.run(algorithm, data, steps, key=key).output


def _single(leaf: np.ndarray) -> np.ndarray:
    return leaf.astype(np.complex64 if np.iscomplexobj(leaf) else np.float32)

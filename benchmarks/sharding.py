"""Several devices: what an algorithm sends when an axis of its data is spread over them, and how much faster it is.

Devices are forced out of the cores of this machine, and XLA counts these when it is loaded: `measure` starts a process
for each setting, which runs `measure_here`.
"""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

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
BATCH, ROUNDS = 4, 7
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"
"""It holds for some operations; only its cores keep a device from taking more than one."""


class Setting(NamedTuple):
    """How many devices, and how many cores for all of them: as many, of one thread each, or all there are."""

    devices: int
    cores: int | None


SETTINGS = {"one": Setting(1, 1), "two": Setting(2, 2), "all": Setting(1, None)}


def measure(name: str, options: Sequence[str]) -> dict[str, Any]:
    """As `measure_here`, in a process for each of the `SETTINGS`.

    Raises:
        RuntimeError: with what a process said that failed.
    """
    return {key: _measured(name, options, setting) for key, setting in SETTINGS.items()}


def _measured(name: str, options: Sequence[str], setting: Setting) -> dict[str, Any]:
    flags = f"--xla_force_host_platform_device_count={setting.devices} {ONE_THREAD if setting.cores else ''}".strip()
    environment = os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": flags}
    command = [sys.executable, "-m", "benchmarks", "shards", name, *options]
    root = Path(__file__).parent.parent
    with _on(setting.cores):
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} with XLA_FLAGS={flags!r} failed:\n{done.stderr}")
    return json.loads(done.stdout)


@contextlib.contextmanager
def _on(cores: int | None) -> Iterator[None]:
    """Have this thread, and with it the processes it starts, on so many cores, where the system (Linux) can."""
    if cores is None or not hasattr(os, "sched_setaffinity"):
        yield
        return
    there = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(there)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, there)


def measure_here(case: Case, size: Size) -> dict[str, Any]:
    """What the program of a case sends, and how long a batch of `BATCH` takes on the devices there are.

    Returns:
        `seconds`: samples of whole runs, the batch spread over all devices. `cores`: how many were busy in the mean.
        If there are several devices, of problems as long as the size's `seconds`, which are compiled and not run:
        `axes`: what `collectives` finds for each, spread over all devices. `cost`: of one iteration of one problem.
    """
    mesh = jax.make_mesh((jax.device_count(),), ("d",), axis_types=(jax.sharding.AxisType.Auto,))
    found = _timed(instance(dataclasses.replace(size, batch=BATCH), case=case), mesh)
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


def _timed(problem: Instance, mesh: jax.sharding.Mesh) -> dict[str, Any]:
    data = jax.device_put(jax.tree.map(_single, problem.data), jax.NamedSharding(mesh, jax.P("d")))
    program = Program(lambda *operands: _run(*operands, problem.steps), (problem.algorithm, data, problem.key))
    call = get_ready(program).call
    seconds = interleave({"devices": call}, ROUNDS)["devices"]
    wall, processor = time.perf_counter(), time.process_time()
    call()
    cores = (time.process_time() - processor) / (time.perf_counter() - wall)
    return {"seconds": seconds, "cores": cores}


def _run(algorithm: Any, data: Any, key: jax.Array | None, steps: int) -> Any:
    return ds.run(algorithm, data, steps, key=key).output


def _single(leaf: np.ndarray) -> np.ndarray:
    return leaf.astype(np.complex64 if np.iscomplexobj(leaf) else np.float32)

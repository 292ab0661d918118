"""What is written beside a run: its history, line by line, and the manifest that says what made it."""

import importlib.metadata
import json
import os
import platform
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import jax

WATTS = 10.0
"""What a busy core is taken to draw; a guess for servers and laptops alike."""
PACKAGES = ("dsp-sep", "jax", "jaxlib", "flax", "optax", "numpy", "orbax-checkpoint")


class History:
    """`history.jsonl`: `{"step": k, "loss": ...}` for each step, `{"after": k, "score": ...}` for each validation.

    Each line is flushed. What an interrupted run wrote after its last checkpoint is dropped when it goes on, so that
    the file is that of a run that was not interrupted.

    Args:
        folder: of the run; `None` keeps all in memory alone.
        steps: steps that the checkpoint has done.

    Attributes:
        losses: the loss before each step.
        scores: (steps done, score) of each validation.
    """

    def __init__(self, folder: Path | None, steps: int):
        self.losses: list[float] = []
        self.scores: list[tuple[int, float]] = []
        self._file: TextIO | None = None
        if folder is None:
            return
        path = folder / "history.jsonl"
        if path.exists():
            lines = [line for line in map(_parse, path.read_text().splitlines()) if line and _done(line, steps)]
            for line in lines:
                self._note(line)
            if jax.process_index() == 0:
                _replace(path, "".join(json.dumps(line) + "\n" for line in lines))
        if jax.process_index() == 0:
            self._file = path.open("a")

    def add(self, **line: Any) -> None:
        """One more line."""
        self._note(line)
        if self._file:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()

    def _note(self, line: Mapping[str, Any]) -> None:
        if "step" in line:
            self.losses.append(line["loss"])
        else:
            self.scores.append((line["after"], line["score"]))

    def close(self) -> None:
        """Be done with the file."""
        if self._file:
            self._file.close()


class Manifest:
    """`manifest.json`: versions, devices, what the caller has to say (seed, data, settings), time and energy.

    The energy is an estimate: the CPU time of the process at 10 W a busy core, accelerators not counted. Time and
    energy of the runs before an interruption are counted up to their last checkpoint.

    Args:
        folder: of the run; `None` writes nothing.
        about: what the caller has to say, as JSON knows it.
    """

    def __init__(self, folder: Path | None, about: Mapping[str, Any]):
        self._path = None if folder is None or jax.process_index() != 0 else folder / "manifest.json"
        self._about, self._before = dict(about), {"wall_seconds": 0.0, "cpu_seconds": 0.0}
        self._start = time.perf_counter(), _cpu_seconds()
        if self._path and self._path.exists():
            known = json.loads(self._path.read_text())
            self._before = {name: known[name] for name in self._before}

    def write(self, **found: Any) -> None:
        """Write it as things are now."""
        if self._path is None:
            return
        wall = self._before["wall_seconds"] + time.perf_counter() - self._start[0]
        cpu = self._before["cpu_seconds"] + _cpu_seconds() - self._start[1]
        devices = [f"{device.platform}: {device.device_kind}" for device in jax.devices()]
        content = {
            **self._about,
            **found,
            "versions": {"python": platform.python_version(), **{name: _version(name) for name in PACKAGES}},
            "devices": devices,
            "machine": {"system": platform.platform(), "cores": os.cpu_count()},
            "processes": jax.process_count(),
            "wall_seconds": wall,
            "cpu_seconds": cpu,
            "energy": {
                "joules": cpu * WATTS,
                "estimate": f"CPU time at {WATTS:g} W a busy core; accelerators are not counted",
            },
        }
        _replace(self._path, json.dumps(content, indent=2) + "\n")


def _parse(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except ValueError:  # the line that was being written
        return None


def _done(line: Mapping[str, Any], steps: int) -> bool:
    return line["step"] < steps if "step" in line else line["after"] <= steps


def _replace(path: Path, text: str) -> None:
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_text(text)
    os.replace(temporary, path)


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None

"""What a figure must be told with: machine, versions, settings, commit."""

import importlib.metadata
import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax

LIBRARIES = (
    "jax",
    "jaxlib",
    "numpy",
    "scipy",
    "torch",
    "librosa",
    "scikit-learn",
    "torchnmf",
    "asteroid-filterbanks",
    "museval",
    "fast-bss-eval",
    "norbert",
    "openunmix",
    "ssspy",
    "pyroomacoustics",
)
SETTINGS = ("XLA_FLAGS", "JAX_", "OPENBLAS_", "OMP_", "MKL_", "KMP_", "GLIBC_TUNABLES")


def describe(threads: int) -> dict[str, Any]:
    """The machine and how busy it is, the versions of all that is installed, settings and commit."""
    return {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _git("describe", "--always", "--dirty", "--abbrev=12"),
        "python": platform.python_version(),
        "versions": {name: version for name in LIBRARIES if (version := _version(name))},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": load(),
        "device": str(jax.devices()[0].device_kind),
        "devices": jax.device_count(),
        "threads": threads,
        "settings": {name: value for name, value in sorted(os.environ.items()) if name.startswith(SETTINGS)},
    }


def load() -> float:
    """Processes that wanted a core during the last minute: more than one, before a run, and others are at work too."""
    return round(os.getloadavg()[0], 2)


def warnings() -> list[str]:
    """What in this environment would spoil the comparison."""
    found = []
    if load() > 1:
        found.append(f"{load()} processes wanted a core during the last minute: do not trust figures of a busy machine")
    names = [name for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE") if name in os.environ]
    if names:
        found.append(f"{' and '.join(names)} set: numpy and scikit-learn may be slower than they can be; unset both")
    if "JAX_COMPILATION_CACHE_DIR" in os.environ:
        found.append("JAX_COMPILATION_CACHE_DIR set: what is in the cache takes no time to compile; unset it")
    return found


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(*arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), platform.processor())


def blas() -> list[str]:
    """The libraries for matrix products that numpy, scipy and torch have loaded, with the kernels they chose."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return []
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return sorted({f"{p['internal_api']} {p['version']} {p.get('architecture', '')}".strip() for p in pools})

"""How the scripts of this folder store what a peer computed."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent


def save(name: str, arrays: Mapping[str, np.ndarray], cases: Sequence[Mapping], peers: Sequence[str]) -> None:
    """Write `name`.npz with the arrays, the table of cases and the peers' versions, and say what changed."""
    path = FOLDER / f"{name}.npz"
    stored = {key: np.asarray(value) for key, value in arrays.items()}
    for key, value in stored.items():
        if value.dtype not in (np.float64, np.complex128) or not np.isfinite(value).all():
            raise ValueError(f"{key} has to be finite and in double precision, it is {value.dtype}")
    if path.exists():
        print(f"{name}: largest relative change {largest_change(stored, path):.1e}")
    np.savez_compressed(
        path,
        **stored,
        cases=np.array(json.dumps(cases)),
        versions=np.array(json.dumps({peer: version(peer) for peer in ("numpy", *peers)})),
    )
    print(f"{name}: {len(stored)} arrays, {path.stat().st_size / 1000:.0f} kB")


def largest_change(arrays: Mapping[str, np.ndarray], path: Path) -> float:
    """Largest distance, relative to the norm, from an array to the one of its name in the file at `path`."""
    with np.load(path) as old:
        if set(old) - {"cases", "versions"} != set(arrays):
            return np.inf
        return max(relative_distance(arrays[key], old[key]) for key in arrays)


def relative_distance(a: np.ndarray, b: np.ndarray) -> float:
    """`|a - b| / |b|` in the Euclidean norm; infinite where the shapes differ."""
    if a.shape != b.shape:
        return np.inf
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), np.finfo(float).tiny))

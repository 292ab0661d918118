"""Stems as audio files."""

import os
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from ..data import writers


def write_stems(
    folder: str | os.PathLike,
    names: Sequence[str],
    stems: np.ndarray | jax.Array,
    rate: int,
    *,
    overwrite: bool = False,
) -> list[Path]:
    """Write stems to `folder/name.wav`: all of them, or none.

    Args:
        folder: is made if there is none.
        names: of the stems.
        stems: `(sources, channels, samples)`.
        rate: samples per second (Hz).
        overwrite: whether files that exist may be replaced.

    Returns:
        The files.

    Raises:
        AudioError: for what cannot be written.
        OSError: for a folder that cannot be made.
    """
    stems = np.asarray(stems)
    paths = [Path(folder) / f"{name}.wav" for name in names]
    Path(folder).mkdir(parents=True, exist_ok=True)
    with writers(paths, rate, stems.shape[1], overwrite=overwrite) as files:
        for file, stem in zip(files, stems, strict=True):
            file.append(stem)
    return paths

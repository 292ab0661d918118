"""Curves of training, as numbers and as a picture."""

import csv
import os
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path


def curves(path: str | os.PathLike, values: Mapping[str, Sequence[float]]) -> list[Path]:
    """Write curves over steps: `path.csv`, and `path.png` where matplotlib is installed (the extra `plots`).

    Args:
        path: of the files, without an extension.
        values: the values of each curve, one for each step; not all need have the same length.

    Returns:
        The files that were written.
    """
    numbers, picture = (Path(f"{os.fspath(path)}.{extension}") for extension in ("csv", "png"))
    with numbers.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *values])
        writer.writerows([step, *row] for step, row in enumerate(zip_longest(*values.values(), fillvalue="")))
    return [numbers, picture] if _plot(picture, values) else [numbers]


def _plot(path: Path, values: Mapping[str, Sequence[float]]) -> bool:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step")
    for name, curve in values.items():
        axes.plot(curve, label=name)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=120)
    return True

"""Pictures, where matplotlib is installed (the extra `plots`)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any


def picture(path: Path, size: tuple[float, float], paint: Callable[[Any], None]) -> list[Path]:
    """Write what `paint` draws on a figure of this size in inches; nothing without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return []
    figure = Figure(figsize=size, layout="constrained")
    paint(figure)
    figure.savefig(path, dpi=120)
    return [path]

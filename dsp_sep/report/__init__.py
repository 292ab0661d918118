"""What a person looks at: and listens to: tables of measures and levels, curves, progress, stems."""

from .curves import curves
from .levels import Levels, levels_table
from .progress import progress
from .stems import write_stems
from .table import markdown, table

__all__ = ["Levels", "curves", "levels_table", "markdown", "progress", "table", "write_stems"]

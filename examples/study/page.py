"""Pieces of a page of results in Markdown."""

from collections.abc import Sequence

from .intervals import interval, paired


def line(cells: Sequence[str]) -> str:
    """A line of a table."""
    return f"| {' | '.join(cells)} |"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; all columns but the first are numbers."""
    return "\n".join(map(line, [header, ["---"] + ["---:"] * (len(header) - 1), *rows])) + "\n"


def plus_minus(values: Sequence[float]) -> str:
    """A mean over songs ± half its 95 % confidence interval."""
    middle, low, _ = interval(values)
    return f"{middle:.2f} ± {middle - low:.1f}"


def difference(better: Sequence[float], than: Sequence[float]) -> str:
    """A mean difference of the same songs, its 95 % confidence interval, and how many of them are better."""
    middle, low, high = paired(better, than)
    wins = sum(ours > theirs for ours, theirs in zip(better, than, strict=True))
    return f"{middle:+.2f} ({low:+.2f} to {high:+.2f}), {wins} of {len(better)}"

"""Measures of several methods, stem by stem, as a table for the terminal or for a page."""

from collections.abc import Mapping

import numpy as np
from rich.table import Table

Rows = Mapping[str, Mapping[str, Mapping[str, float]]]
"""Values by method, stem and measure; where there is no value, the key is left out."""


def table(rows: Rows, title: str | None = None) -> Table:
    """A table for the terminal: a section for each measure, a line for each method, the best of each column in bold.

    Args:
        rows: values by method, stem and measure, the greater the better.
        title: of the table.
    """
    shown = Table(title=title)
    header, sections = _layout(rows)
    for index, name in enumerate(header):
        shown.add_column(name, justify="left" if index < 2 else "right")
    for measure, methods, values in sections:
        best = _best(values)
        for line, (method, numbers) in enumerate(zip(methods, values, strict=True)):
            cells = [
                f"[bold]{_number(number)}[/bold]" if number == top else _number(number)
                for number, top in zip(numbers, best, strict=True)
            ]
            shown.add_row("" if line else measure, method, *cells, end_section=method == methods[-1])
    return shown


def markdown(rows: Rows) -> str:
    """The same table as Markdown."""
    header, sections = _layout(rows)
    lines = [header, ["---", "---", *["---:"] * (len(header) - 2)]]
    for measure, methods, values in sections:
        best = _best(values)
        for method, numbers in zip(methods, values, strict=True):
            cells = [f"**{_number(n)}**" if n == top else _number(n) for n, top in zip(numbers, best, strict=True)]
            lines.append([measure, method, *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _layout(rows: Rows) -> tuple[list[str], list[tuple[str, list[str], np.ndarray]]]:
    """The header, and for each measure the methods and their values by stem, the mean over the stems last."""
    stems = _keys(method for method in rows.values())
    measures = _keys(values for method in rows.values() for values in method.values())
    sections = []
    for measure in measures:
        values = np.array([[rows[m].get(s, {}).get(measure, np.nan) for s in stems] for m in rows])
        values = np.concatenate([values, values.mean(axis=1, keepdims=True)], axis=1)
        present = ~np.isnan(values).all(axis=1)
        sections.append((measure, [m for m, here in zip(rows, present, strict=True) if here], values[present]))
    return ["measure", "method", *stems, "mean"], sections


def _keys(mappings) -> list[str]:
    """The keys of several mappings, in the order in which they first occur."""
    return list(dict.fromkeys(key for mapping in mappings for key in mapping))


def _best(values: np.ndarray) -> np.ndarray:
    return np.max(np.where(np.isnan(values), -np.inf, values), axis=0)


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"

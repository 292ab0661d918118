"""Progress bars."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn


def progress() -> Progress:
    """Bars on the standard error, gone when they are done; nothing at all where it is not a terminal.

    A context manager; `track(iterable, description=..., total=...)` is one bar, `add_task` and `advance` another way.
    """
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )

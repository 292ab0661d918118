"""What works on chunks as they come."""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol


class Stream(Protocol):
    """Something that takes its input in chunks and carries a state between them; nothing is kept outside the state.

    Attributes:
        latency: how many samples the output lags behind the input.
    """

    @property
    def latency(self) -> int: ...

    def init(self, *args: Any, **kwargs: Any) -> Any:
        """The state before the first chunk."""

    def push(self, state: Any, chunk: Any) -> tuple[Any, Any]:
        """The state after a chunk, and the output it completes."""

    def flush(self, state: Any) -> Any:
        """The output that is still due after the last chunk."""


def pour(stream: Stream, chunks: Iterable[Any], state: Any) -> Iterator[Any]:
    """The outputs of a stream for chunks as they come, the flushed one last.

    Args:
        stream: the stream.
        chunks: its input, piece by piece.
        state: what `stream.init(...)` gave.
    """
    for chunk in chunks:
        state, out = stream.push(state, chunk)
        yield out
    yield stream.flush(state)

"""Batches loaded ahead of the computation that wants them."""

import itertools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import numpy as np


class Numbered(Protocol):
    """What has an item for every number, such as `Excerpts`."""

    def __getitem__(self, number: int, /) -> np.ndarray: ...


def batches(
    items: Numbered,
    size: int,
    *,
    first: int = 0,
    count: int | None = None,
    workers: int = 2,
    ahead: int = 2,
    share: tuple[int, int] = (0, 1),
) -> Iterator[np.ndarray]:
    """Batch k holds the items `k · size` to `(k + 1) · size - 1`, read by threads while those before are computed with.

    Neither the number of workers nor the place to begin changes what is in a batch, or the order.

    Args:
        items: such as `Excerpts`.
        size: items in a batch.
        first: the batch to begin with, to go on where an earlier run ended.
        count: how many batches; without end unless given.
        workers: threads that read.
        ahead: batches that may be ready before they are asked for.
        share: (k, n): the k-th of n equal parts of each batch, for one of several processes.

    Yields:
        `(size / n, ...)`.

    Raises:
        ValueError: if the batch cannot be divided so.
        AudioError: as the items do, when the batch is reached.
    """
    part, parts = share
    if size < 1 or size % parts or workers < 1 or ahead < 1:
        raise ValueError(
            f"batches: size must be a positive multiple of {parts} (got {size}), "
            f"workers and ahead at least 1 (got {workers}, {ahead})"
        )
    own = size // parts
    with ThreadPoolExecutor(workers) as pool:

        def submit(number: int) -> list:
            begin = number * size + part * own
            return [pool.submit(items.__getitem__, item) for item in range(begin, begin + own)]

        numbers = itertools.count(first) if count is None else iter(range(first, first + count))
        waiting = deque(submit(number) for number in itertools.islice(numbers, ahead))
        try:
            while waiting:
                batch = np.stack([future.result() for future in waiting.popleft()])
                waiting.extend(submit(number) for number in itertools.islice(numbers, 1))
                yield batch
        finally:
            for future in itertools.chain.from_iterable(waiting):
                future.cancel()

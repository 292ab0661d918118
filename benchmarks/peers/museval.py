"""museval: its framewise scores, in one thread and double precision, as it has them."""

from collections.abc import Callable
from typing import Any

import museval
import numpy as np

from ..workloads.bss_eval import Song


def images(problem: Song) -> Callable[[], Any]:
    references, estimates = (np.ascontiguousarray(x.swapaxes(-1, -2)) for x in problem[:2])

    def call() -> Any:
        return museval.metrics.bss_eval(references, estimates, window=problem.rate, hop=problem.rate)[2]

    return call

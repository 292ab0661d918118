"""norbert's EM, one iteration, in numpy."""

from collections.abc import Callable

import norbert
import numpy as np

from ..workloads.spatial import Images


def em(problem: Images) -> Callable[[], np.ndarray]:
    """It works in place, so that a copy of the mixture is part of the work."""
    magnitudes = np.ascontiguousarray(problem.magnitudes.transpose(3, 2, 1, 0))
    mixture = np.ascontiguousarray(problem.mixture.transpose(2, 1, 0))
    return lambda: norbert.wiener(magnitudes, mixture.copy(), 1).transpose(3, 2, 1, 0)

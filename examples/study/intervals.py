"""How sure means over songs and their differences are."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import scipy.stats


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % confidence interval over songs (Student's t)."""
    mean, sem = float(np.mean(values)), float(scipy.stats.sem(values))
    half = float(scipy.stats.t.ppf(0.975, len(values) - 1)) * sem
    return mean, mean - half, mean + half


def paired(better: Sequence[float], than: Sequence[float]) -> tuple[float, float, float]:
    """Mean difference of the same songs and its 95 % confidence interval."""
    return interval(np.subtract(better, than))


def bootstrapped(better: Sequence[float], than: Sequence[float]) -> tuple[float, float]:
    """The same interval by 10 000 resamplings of the songs (percentiles)."""
    draw = partial(np.random.default_rng(0).choice, len(better), (10_000, len(better)))
    return tuple(np.percentile(np.subtract(better, than)[draw()].mean(axis=1), (2.5, 97.5)).tolist())

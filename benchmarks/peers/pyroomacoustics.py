"""pyroomacoustics' blind separation, in numpy; the start of its factors is drawn."""

from collections.abc import Callable

import numpy as np
from pyroomacoustics import bss

from ..workloads.spatial import COMPONENTS, Microphones


def aux_iva(problem: Microphones) -> Callable[[], np.ndarray]:
    mixture = _ordered(problem)
    return lambda: bss.auxiva(mixture, n_iter=problem.steps, proj_back=True).transpose(2, 1, 0)


def ilrma(problem: Microphones) -> Callable[[], np.ndarray]:
    mixture = _ordered(problem)
    options = {"n_iter": problem.steps, "n_components": COMPONENTS, "proj_back": True}
    return lambda: bss.ilrma(mixture, **options).transpose(2, 1, 0)


def fast_mnmf(problem: Microphones) -> Callable[[], np.ndarray]:
    mixture = _ordered(problem)
    return lambda: bss.fastmnmf2(mixture, n_iter=problem.steps, n_components=COMPONENTS).transpose(2, 1, 0)


def _ordered(problem: Microphones) -> np.ndarray:
    return np.ascontiguousarray(problem.mixture.transpose(2, 1, 0))

"""ssspy's blind separation by iterative projection, in numpy."""

from collections.abc import Callable

import numpy as np
from ssspy.bss.ilrma import GaussILRMA
from ssspy.bss.iva import AuxLaplaceIVA

from ..workloads.spatial import COMPONENTS, Microphones

OPTIONS = {"spatial_algorithm": "IP1", "record_loss": False, "reference_id": 0}


def aux_iva(problem: Microphones) -> Callable[[], np.ndarray]:
    return lambda: AuxLaplaceIVA(**OPTIONS)(problem.mixture.copy(), n_iter=problem.steps)


def ilrma(problem: Microphones) -> Callable[[], np.ndarray]:
    def call() -> np.ndarray:
        factors = {"basis": problem.dictionary.copy(), "activation": problem.activations.copy()}
        return GaussILRMA(n_basis=COMPONENTS, **OPTIONS)(problem.mixture.copy(), n_iter=problem.steps, **factors)

    return call

"""diffsptk: Griffin-Lim with momenta and smoothing, on torch."""

from collections.abc import Callable
from typing import Any

import diffsptk
import torch

from ..workloads.griffin_lim import Recovery

use_threads = torch.set_num_threads


def griffin_lim(problem: Recovery) -> Callable[[], Any]:
    return _griffin_lim(problem, alpha=problem.momentum, beta=0.0, gamma=1.0)


def accelerated_griffin_lim(problem: Recovery) -> Callable[[], Any]:
    return _griffin_lim(problem, alpha=0.99, beta=0.99, gamma=1.1)


def _griffin_lim(problem: Recovery, **constants: float) -> Callable[[], Any]:
    recover = diffsptk.GriffinLim(
        problem.n_fft,
        problem.hop,
        problem.n_fft,
        window="hanning",
        norm="none",
        symmetric=False,
        n_iter=problem.steps,
        init_phase="zeros",
        dtype=torch.float32,
        **constants,
    )
    power = torch.from_numpy(problem.magnitude.T.copy() ** 2)
    length = problem.samples + 1  # of whole hops it has one frame less than there are
    return torch.no_grad()(lambda: recover(power, out_length=length)[: problem.samples])

"""torchnmf, which factorises the transpose, and looks at the loss every tenth iteration whether asked to or not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
import torchnmf.nmf

from ..workloads.nmf import Factorization

use_threads = torch.set_num_threads


def nmf(problem: Factorization) -> Callable[[], Any]:
    V = torch.from_numpy(np.ascontiguousarray(problem.V.T))
    W, H = torch.from_numpy(problem.W), torch.from_numpy(np.ascontiguousarray(problem.H.T))

    def call() -> Any:
        model = torchnmf.nmf.NMF(W=W.clone(), H=H.clone())
        model.fit(V, beta=problem.beta, tol=-np.inf, max_iter=problem.steps)
        return model.W.detach(), model.H.detach().T

    return call

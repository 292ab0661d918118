"""Open-Unmix's Wiener filter with its softmask, one iteration, in torch."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from ..workloads.spatial import Images

use_threads = torch.set_num_threads


def _wiener() -> Callable[..., torch.Tensor]:
    """Of the module alone: it needs torch, the package all else as well."""
    found = importlib.util.find_spec("openunmix")
    if found is None or found.origin is None:
        raise ImportError("openunmix is not installed")
    spec = importlib.util.spec_from_file_location("filtering", Path(found.origin).parent / "filtering.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.wiener


wiener = _wiener()


def em(problem: Images) -> Callable[[], np.ndarray]:
    magnitudes = torch.from_numpy(np.ascontiguousarray(problem.magnitudes.transpose(3, 2, 1, 0)))
    mixture = torch.view_as_real(torch.from_numpy(np.ascontiguousarray(problem.mixture.transpose(2, 1, 0))))

    def call() -> np.ndarray:
        images = wiener(magnitudes, mixture, 1, softmask=True)
        return torch.view_as_complex(images.movedim(3, -1).contiguous()).numpy().transpose(3, 2, 1, 0)

    return call

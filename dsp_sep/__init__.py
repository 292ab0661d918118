"""dsp_sep: separate sounds with classic algorithms, each a differentiable scan that unfolds into trainable layers.

An algorithm is a pytree whose array leaves are its hyperparameters; one iteration is one layer; unfolding gives those
leaves a layer axis. The rooms, from the ground up:

- `numerics`, `pytree`: what happens at zero; objects that are pytrees, with domains and dotted names.
- `transforms`: the short-time Fourier transform.
- `iterate`: the protocol of algorithms, the drivers, unfolding, gradients, stopping, streams and blocks.
- `masking`, `nmf`, `phase`, `spatial`: the algorithms.
- `metrics`, `data`: how good it is; audio files, folders of stems, the bundled example.
- `networks`: algorithms inside flax models.
- `separators`, `training`: waveform to stems; hyperparameters learned by optax.

Names are imported when they are first used, so that the command line answers at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import (
        data,
        iterate,
        masking,
        metrics,
        networks,
        nmf,
        numerics,
        phase,
        pytree,
        separators,
        spatial,
        training,
        transforms,
    )
    from .iterate import (
        Accelerated,
        Algorithm,
        BestSoFar,
        Checkpointed,
        Implicit,
        Momentum,
        OneStep,
        Plain,
        RelativeChange,
        Result,
        Status,
        Truncated,
        Unfolded,
        run,
        run_until,
        unfold,
    )
    from .pytree import assign, constrain, load, names, network, save, unconstrain
    from .transforms import STFT

_ROOMS = (
    "data",
    "iterate",
    "masking",
    "metrics",
    "networks",
    "nmf",
    "numerics",
    "phase",
    "pytree",
    "separators",
    "spatial",
    "training",
    "transforms",
)
_HOMES = {
    "Accelerated": "iterate",
    "Algorithm": "iterate",
    "BestSoFar": "iterate",
    "Checkpointed": "iterate",
    "Implicit": "iterate",
    "Momentum": "iterate",
    "OneStep": "iterate",
    "Plain": "iterate",
    "RelativeChange": "iterate",
    "Result": "iterate",
    "STFT": "transforms",
    "Status": "iterate",
    "Truncated": "iterate",
    "Unfolded": "iterate",
    "assign": "pytree",
    "constrain": "pytree",
    "load": "pytree",
    "names": "pytree",
    "network": "pytree",
    "run": "iterate",
    "run_until": "iterate",
    "save": "pytree",
    "unconstrain": "pytree",
    "unfold": "iterate",
}

__all__ = [*_HOMES, *_ROOMS]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f".{name}", __name__)
    if name in _HOMES:
        return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

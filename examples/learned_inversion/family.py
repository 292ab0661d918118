"""The algorithms of the study: the fixed ones, the points of the grid, the layers to be trained."""

import itertools
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import dsp_sep as ds
from dsp_sep import phase

from .problems import STFT

COUNTS = (1, 2, 3, 5, 10, 20, 50)
"""Numbers of iterations at which fixed algorithms are judged."""

CONSTANTS = {
    "exponent": "algorithm.mixture_weight.exponent",
    "relaxation": "algorithm.relaxation",
    "radial": "algorithm.radial",
    "momentum": "momentum",
    "gain": "algorithm.gain",
    "overshoot": "algorithm.overshoot",
}
"""What is searched and learned, by its name in the algorithm: the gain where magnitudes err, the overshoot where they
are made of the true ones."""

GRID = {
    "exponent": (0.0, 0.5, 1.0, 1.5),
    "relaxation": (-0.6, -0.3, 0.0, 0.3),
    "radial": (0.05, 0.15, 0.4, 1.0),
    "momentum": (0.0, 0.3, 0.6, 0.99),
    "gain": (0.85, 1.0, 1.15),
}
"""768 points, 256 of them without a gain."""

BEYOND = {"overshoot": (0.0, 0.3)}
"""What is searched from the best points of the grid on."""

COARSE = {"exponent": (0.0, 1.0, 2.0), "momentum": (0.0, 0.5, 0.99)}
"""The 9 points that earlier figures of the project were compared with; neither relaxed nor anisotropic."""


def misi(exponent: float = 0.0, momentum: float = 0.0, **constants: float) -> ds.Momentum:
    """The algorithm with these constants; the others are `relaxation`, `radial`, `gain` and `overshoot`."""
    return ds.Momentum(phase.RelaxedMISI(STFT, mixture_weight=phase.MagnitudeRatio(exponent), **constants), momentum)


def mixture_first(exponent: float, momentum: float) -> ds.Momentum:
    """The other order of MISI, from the mixture's phase."""
    weight = phase.MagnitudeRatio(exponent)
    return ds.Momentum(phase.MixtureFirstMISI(STFT, mixture_weight=weight, start=phase.MixturePhase()), momentum)


KINDS = {"MISI": misi, "mixture first": mixture_first}


def points(grid: dict[str, tuple[float, ...]]) -> list[dict[str, float]]:
    """All combinations of a grid's values."""
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def neighbours(point: dict[str, float], grid: dict[str, tuple[float, ...]], step: float) -> list[dict[str, float]]:
    """Points beside one, part of the grid's spacing away along each constant (of the positive one, by a factor)."""
    found = []
    for name, values in grid.items():
        for sign in (-1, 1):
            if name == "radial":
                ratio = (values[-1] / values[0]) ** (1 / (len(values) - 1))
                found.append(point | {name: point[name] * ratio ** (sign * step)})
            else:
                found.append(point | {name: point[name] + sign * step * (values[-1] - values[0]) / (len(values) - 1)})
    return found


def fixed() -> dict[str, list[Any]]:
    """The algorithms as published, by name; where the paper leaves a constant to be tuned, several values of it."""
    ratio, given = phase.MagnitudeRatio(1.0), phase.MixturePhase()
    kinds = {
        "MISI": phase.MISI(STFT),
        "MISI, weights by magnitude": phase.MISI(STFT, mixture_weight=ratio),
        "mixture first": phase.MixtureFirstMISI(STFT, start=given),
        "mixture first, weights by magnitude": phase.MixtureFirstMISI(STFT, mixture_weight=ratio, start=given),
        "Incons_hardMix": phase.InconsHardMix(STFT),
    }
    momentum = {f"fast {name}": ds.Momentum(kinds[name], 0.99) for name in list(kinds)[:4]}
    tuned = {
        name: [kind(STFT, consistency_weight=sigma) for sigma in (0.1, 1.0, 10.0)]
        for name, kind in {
            "Mix+Incons": phase.MixIncons,
            "Mix+Incons_hardMag": phase.MixInconsHardMag,
            "Mag+Incons_hardMix": phase.MagInconsHardMix,
        }.items()
    }
    return {name: [algorithm] for name, algorithm in (kinds | momentum).items()} | tuned


def answer(result: ds.Result) -> Any:
    """The spectrograms of a run: with momentum, the last iterate as it was before its extrapolation."""
    plain = getattr(result.state, "plain", None)
    return result.output if plain is None else ds.numerics.transpose(plain)


def layers(start: dict[str, float], depth: int, *, tied: bool = False) -> ds.Unfolded:
    """Unfolded iterations that begin as the algorithm with these constants."""
    return ds.unfold(misi(**start), depth, untied=() if tied else tuple(CONSTANTS.values()))


def constants(layers: ds.Unfolded, names: Iterable[str]) -> dict[str, list[float]]:
    """The values of these constants in each layer, by name."""
    each = [layers[k] for k in range(layers.depth)]
    return {name: [float(attrgetter(CONSTANTS[name])(layer)) for layer in each] for name in names}

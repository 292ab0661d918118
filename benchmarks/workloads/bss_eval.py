"""BSS Eval of a song: version 4 of stereo stems by frames, as museval, and version 3 of single channels."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload

SOURCES, CHANNELS = 4, 2


class Song(NamedTuple):
    """True and estimated stems, `(sources, channels, samples)`, and samples per second."""

    references: np.ndarray
    estimates: np.ndarray
    rate: int


def song(size: Size) -> Song:
    """Each estimate is its stem with a fifth of the next one, delayed, and noise: no two channels are alike.

    The stems have noise of their own, without which the equations of the filters are singular in single precision.
    """
    rng = np.random.default_rng(5)
    stems = [[melody(size.rate, size.scored_seconds, 10 * s + c) for c in range(CHANNELS)] for s in range(SOURCES)]
    references = np.asarray(stems)
    references += 2e-2 * rng.standard_normal(references.shape, np.float32)
    leak = np.roll(np.roll(references, 1, axis=0), 7, axis=-1)
    noise = 1e-2 * rng.standard_normal(references.shape, np.float32)
    return Song(references, (references + 0.2 * leak + noise).astype(np.float32), size.rate)


def mono(size: Size) -> Song:
    whole = song(size)
    return Song(whole.references[:, :1], whole.estimates[:, :1], whole.rate)


def images(problem: Song) -> Callable[[], Any]:
    return lambda: ds.metrics.score(problem.references, problem.estimates, rate=problem.rate).frames["SIR"]


def sources(problem: Song) -> Program:
    def sir(references: jax.Array, estimates: jax.Array) -> jax.Array:
        return ds.metrics.bss_eval_sources(references, estimates).sir

    return Program(sir, (problem.references, problem.estimates))


SIR = Quality("mean SIR in dB", lambda problem, sir: float(np.nanmean(sir)))
WORKLOADS = [
    Workload(
        name="bss-eval-images",
        what=f"BSS Eval version 4 of {SOURCES} stereo stems: framewise SDR, ISR, SIR, SAR, 512 taps",
        problem=song,
        ours={"dsp_sep": images},
        floors={},
        peers=("museval",),
        operation="images",
        quality=SIR,
        peak_memory=True,
    ),
    Workload(
        name="bss-eval-sources",
        what=f"BSS Eval version 3 of {SOURCES} signals of one channel: SDR, SIR, SAR, 512 taps",
        problem=mono,
        ours={"dsp_sep": sources},
        floors={},
        peers=("fast_bss_eval",),
        operation="sources",
        quality=SIR,
    ),
]

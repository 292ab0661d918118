"""Streams, fed one frame at a time as in real time: the STFT and its inverse, RTISI-LA, online MISI."""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import dsp_sep as ds
from dsp_sep.iterate import Stream, pour
from dsp_sep.transforms import AnalysisStream, SynthesisStream

from ..sizes import Size
from ..workload import Quality, Workload
from . import griffin_lim, misi, reference, stft

Call = Callable[[], np.ndarray]


def shorter(size: Size) -> Size:
    return dataclasses.replace(size, seconds=size.gradient_seconds)


def seconds(size: Size) -> int:
    """Of sound: times are of one of them, and what takes less is faster than real time."""
    return max(1, round(size.gradient_seconds))


def there_and_back(problem: stft.Spectral) -> Call:
    """From samples to frames and back."""
    transform = ds.STFT(n_fft=problem.n_fft, hop=problem.hop)
    analysis, synthesis = AnalysisStream(transform), SynthesisStream(transform)
    chunks = np.split(problem.signal, range(problem.hop, problem.signal.size, problem.hop))

    def call() -> np.ndarray:
        spectra = pour(analysis, map(jnp.asarray, chunks), analysis.init())
        return np.concatenate(list(pour(synthesis, spectra, synthesis.init())))[: problem.signal.size]

    return call


def rtisi_la(problem: griffin_lim.Recovery) -> Call:
    transform = ds.STFT(n_fft=problem.n_fft, hop=problem.hop)
    spectra = _all_frames(ds.phase.RTISILA(transform), problem.magnitude)
    return lambda: np.asarray(transform.synthesize(spectra(), length=problem.samples))


def online_misi(problem: misi.Separation) -> Call:
    transform, magnitudes = ds.STFT(n_fft=problem.n_fft, hop=problem.hop), problem.magnitudes[:, None]
    data = np.asarray(transform.analyze(problem.mixture[None])), magnitudes
    spectra = _all_frames(ds.phase.OnlineMISI(transform), data, magnitudes.shape[:-2])
    return lambda: np.asarray(transform.synthesize(spectra(), length=problem.samples))[:, 0]


def _all_frames(stream: Stream, data: Any, *batch: Any) -> Callable[[], Any]:
    """The spectrogram that a stream makes of `(..., frequency, frames)`, given frame by frame."""
    count = jax.tree.leaves(data)[0].shape[-1]

    def call() -> Any:
        frames = (jax.tree.map(lambda array, t=t: jnp.asarray(array[..., t : t + 1]), data) for t in range(count))
        return np.concatenate(list(pour(stream, frames, stream.init(*batch))), axis=-1)

    return call


def error(problem: stft.Spectral, output: np.ndarray) -> float:
    return reference.relative_error(output, problem.signal)


WORKLOADS = [
    Workload(
        name="stream-stft",
        what="the STFT and its inverse, one hop at a time; the time is of a second of sound",
        problem=lambda size: stft.spectral(shorter(size), frames_first=False),
        ours={"dsp_sep": there_and_back},
        floors={},
        peers=(),
        operation="stream",
        quality=Quality("relative error", error),
        iterations=seconds,
    ),
    Workload(
        name="stream-rtisi-la",
        what="RTISI-LA, 10 iterations and 3 frames ahead, frame by frame; the time is of a second of sound",
        problem=lambda size: griffin_lim.recovery(shorter(size)),
        ours={"dsp_sep": rtisi_la},
        floors={},
        peers=(),
        operation="stream",
        quality=Quality("spectral convergence", griffin_lim.spectral_convergence),
        iterations=seconds,
    ),
    Workload(
        name="stream-misi",
        what=f"online MISI, {misi.SOURCES} sources, 5 iterations and 1 frame ahead; the time is of a second of sound",
        problem=misi.shorter,
        ours={"dsp_sep": online_misi},
        floors={},
        peers=(),
        operation="stream",
        quality=Quality("error of the sources", misi.error),
        iterations=seconds,
    ),
]

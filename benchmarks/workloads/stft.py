"""The STFT of one channel, its inverse, and the gradient of the sum of its magnitudes.

Each in two layouts: frames first, so that the frequencies of a frame lie next to each other in memory, as in torch and
librosa whatever the order of the axes says; and in rows, (frequency, frames), the order of axes that algorithms read.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload
from . import reference


class Spectral(NamedTuple):
    """A signal, `(samples,)`, and its STFT, in complex64 and of the layout that is asked for."""

    signal: np.ndarray
    spectrogram: np.ndarray
    window: np.ndarray
    n_fft: int
    hop: int
    frames_first: bool


def hann(n_fft: int) -> np.ndarray:
    return np.array(ds.STFT(n_fft=n_fft, hop=n_fft // 4).window, np.float32)


def spectral(size: Size, *, frames_first: bool) -> Spectral:
    signal, window = melody(size.rate, size.seconds), hann(size.n_fft)
    spectrogram = reference.stft(signal, window, size.hop).astype(np.complex64)
    spectrogram = spectrogram if frames_first else np.ascontiguousarray(spectrogram.T)
    return Spectral(signal, spectrogram, window, size.n_fft, size.hop, frames_first)


# --- dsp_sep


def _stft(problem: Spectral) -> ds.STFT:
    return ds.STFT(n_fft=problem.n_fft, hop=problem.hop)


def analysis(problem: Spectral) -> Program:
    method = ds.STFT.analyze_frames if problem.frames_first else ds.STFT.analyze
    return Program(method, (_stft(problem), problem.signal))


def synthesis(problem: Spectral) -> Program:
    method = ds.STFT.synthesize_frames if problem.frames_first else ds.STFT.synthesize
    return Program(partial(method, length=problem.signal.size), (_stft(problem), problem.spectrogram))


def gradient(problem: Spectral) -> Program:
    def total(signal: jax.Array, stft: ds.STFT) -> jax.Array:
        return jnp.sum(ds.numerics.magnitude(stft.analyze(signal)))

    return Program(jax.grad(total), (problem.signal, _stft(problem)))


# --- floors: the FFTs alone


def frames(problem: Spectral) -> np.ndarray:
    """Numbers of the shape of the windowed frames, `(frames, n_fft)`."""
    count = 1 + problem.signal.size // problem.hop
    return np.random.default_rng(0).standard_normal((count, problem.n_fft), np.float32)


def spectra(problem: Spectral) -> np.ndarray:
    """The STFT, `(frames, frequency)`."""
    return problem.spectrogram if problem.frames_first else np.ascontiguousarray(problem.spectrogram.T)


def xla_rfft(problem: Spectral) -> Program:
    return Program(jnp.fft.rfft, (frames(problem),))


def xla_irfft(problem: Spectral) -> Program:
    return Program(partial(jnp.fft.irfft, n=problem.n_fft), (spectra(problem),))


def xla_rfft_and_irfft(problem: Spectral) -> Program:
    return Program(lambda frames: jnp.fft.irfft(jnp.fft.rfft(frames), problem.n_fft), (frames(problem),))


# --- how well


def spectrogram_error(problem: Spectral, output: np.ndarray) -> float:
    exact = reference.stft(problem.signal, problem.window, problem.hop)
    return reference.relative_error(output if problem.frames_first else output.T, exact)


def signal_error(problem: Spectral, output: np.ndarray) -> float:
    return reference.relative_error(output, problem.signal)


def gradient_error(problem: Spectral, output: np.ndarray) -> float:
    exact = reference.gradient_of_magnitudes(problem.signal, problem.window, problem.hop)
    return reference.relative_error(output, exact)


def _layouts(name: str, what: str, **same: Any) -> list[Workload]:
    def build(name: str, what: str, problem: Callable[[Size], Spectral]) -> Workload:
        return Workload(name=name, what=what, problem=problem, **same)

    return [
        build(name, f"{what}, (frames, frequency) in memory", partial(spectral, frames_first=True)),
        build(f"{name}-rows", f"{what}, (frequency, frames) in memory", partial(spectral, frames_first=False)),
    ]


STFT, STFT_ROWS = _layouts(
    "stft",
    "STFT",
    ours={"dsp_sep": analysis},
    floors={"rfft, XLA": xla_rfft},
    peers=("torch", "librosa", "scipy"),
    operation="stft",
    bare="rfft",
    quality=Quality("relative error", spectrogram_error),
)
ISTFT, ISTFT_ROWS = _layouts(
    "istft",
    "inverse STFT",
    ours={"dsp_sep": synthesis},
    floors={"irfft, XLA": xla_irfft},
    peers=("torch", "librosa", "scipy"),
    operation="istft",
    bare="irfft",
    quality=Quality("relative error", signal_error),
)
STFT_GRADIENT = dataclasses.replace(
    STFT,
    name="stft-gradient",
    what="gradient of the sum of the STFT's magnitudes by the signal",
    ours={"dsp_sep": gradient},
    floors={"rfft and irfft, XLA": xla_rfft_and_irfft},
    peers=("torch",),
    operation="stft_gradient",
    bare="",
    quality=Quality("relative error", gradient_error),
)
WORKLOADS = [STFT, STFT_ROWS, ISTFT, ISTFT_ROWS, STFT_GRADIENT]

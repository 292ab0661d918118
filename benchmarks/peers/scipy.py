"""scipy: ShortTimeFFT, which computes in one thread and stores (frequency, frames) in rows; bare FFTs on all cores."""

import os
from collections.abc import Callable
from functools import partial

import numpy as np
import scipy.fft
from scipy.signal import ShortTimeFFT

from ..workloads.stft import Spectral, frames, spectra


def stft(problem: Spectral) -> Callable[[], np.ndarray]:
    transform, frames = _transform(problem), 1 + problem.signal.size // problem.hop

    def call() -> np.ndarray:
        return transform.stft(problem.signal, 0, frames)

    return (lambda: np.ascontiguousarray(call().T)) if problem.frames_first else call


def istft(problem: Spectral) -> Callable[[], np.ndarray]:
    """From the frames scipy itself computes: two more at each end than the others take."""
    transform = _transform(problem)
    spectrogram = transform.stft(problem.signal)
    if problem.frames_first:
        spectrogram = np.ascontiguousarray(spectrogram.T).T
    return lambda: transform.istft(spectrogram, 0, problem.signal.size)


def rfft(problem: Spectral) -> Callable[[], np.ndarray]:
    return partial(scipy.fft.rfft, frames(problem), workers=os.cpu_count())


def irfft(problem: Spectral) -> Callable[[], np.ndarray]:
    return partial(scipy.fft.irfft, spectra(problem), problem.n_fft, workers=os.cpu_count())


def _transform(problem: Spectral) -> ShortTimeFFT:
    return ShortTimeFFT(problem.window, problem.hop, fs=1, mfft=problem.n_fft, phase_shift=None)

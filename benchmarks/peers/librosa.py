"""librosa, whose arrays are (frequency, frames) with the frequencies next to each other in memory, as torch's are."""

from collections.abc import Callable

import librosa
import numpy as np

from ..workloads.griffin_lim import Recovery
from ..workloads.stft import Spectral


def stft(problem: Spectral) -> Callable[[], np.ndarray]:
    def call() -> np.ndarray:
        return librosa.stft(problem.signal, n_fft=problem.n_fft, hop_length=problem.hop, window=problem.window)

    return (lambda: call().T) if problem.frames_first else (lambda: np.ascontiguousarray(call()))


def istft(problem: Spectral) -> Callable[[], np.ndarray]:
    spectrogram = problem.spectrogram.T if problem.frames_first else problem.spectrogram
    return lambda: librosa.istft(
        spectrogram, n_fft=problem.n_fft, hop_length=problem.hop, window=problem.window, length=problem.signal.size
    )


def griffin_lim(problem: Recovery) -> Callable[[], np.ndarray]:
    return lambda: librosa.griffinlim(
        problem.magnitude,
        n_iter=problem.steps,
        n_fft=problem.n_fft,
        hop_length=problem.hop,
        window=problem.window,
        length=problem.samples,
        momentum=problem.momentum,
        init=None,
    )

"""The STFT in numpy and double precision: what everybody's output is compared with."""

import numpy as np


def stft(signal: np.ndarray, window: np.ndarray, hop: int) -> np.ndarray:
    """Centred, padded with zeros, `(frames, frequency)`."""
    n_fft = window.size
    padded = np.pad(signal.astype(np.float64), n_fft // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft)[::hop]
    return np.fft.rfft(frames * window.astype(np.float64))


def gradient_of_magnitudes(signal: np.ndarray, window: np.ndarray, hop: int) -> np.ndarray:
    """The gradient of the sum of the magnitudes, by the adjoint of the STFT applied to the phases."""
    n_fft = window.size
    spectra = stft(signal, window, hop)
    phases = np.zeros((spectra.shape[0], n_fft), complex)
    phases[:, : spectra.shape[1]] = spectra / np.abs(spectra)
    frames = n_fft * np.fft.ifft(phases).real * window
    total = np.zeros(signal.size + 2 * (n_fft // 2) + n_fft)
    for index, one in enumerate(frames):
        total[index * hop : index * hop + n_fft] += one
    return total[n_fft // 2 : n_fft // 2 + signal.size]


def relative_error(value: np.ndarray, reference: np.ndarray) -> float:
    """`‖value - reference‖ / ‖reference‖`."""
    return float(np.linalg.norm(value - reference) / np.linalg.norm(reference))

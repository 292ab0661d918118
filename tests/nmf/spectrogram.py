"""A spectrogram of music for the tests of the room: the bundled song, seconds of it, as its own silences are."""

import functools

import numpy as np

from dsp_sep import STFT, data


@functools.cache
def music(frames: int = 80, n_fft: int = 256, silent: bool = False) -> np.ndarray:
    """Magnitudes `(n_fft / 8 + 1, frames)` in double precision; `silent` puts zeros in frames, bins and a block."""
    song = data.example()
    start, hop = 3 * song.rate, n_fft // 2
    mono = np.asarray(song.mixture, np.float64)[0, start : start + hop * (frames - 1)]
    spectrum = np.asarray(STFT(n_fft=n_fft, hop=hop).analyze(mono))
    magnitude = np.abs(spectrum)[: n_fft // 8 + 1].astype(np.float64)
    if silent:
        magnitude[:, 10:14] = 0
        magnitude[5] = 0
        magnitude[20:30, 60:70] = 0
    return magnitude / magnitude.mean()

"""The problems that the algorithms of the table of cases are given, of any size: tiny in tests, larger in benchmarks.

All are noise from fixed seeds, in double precision, with any batch axes in front.
"""

import dataclasses

import numpy as np

from dsp_sep import STFT


@dataclasses.dataclass(frozen=True)
class Size:
    """How large a problem is.

    Attributes:
        rate: samples per second.
        samples: of a signal.
        n_fft: samples of a frame.
        hop: samples from frame to frame.
        frequencies: rows of a spectrogram that is factorised.
        frames: columns of it.
        components: of a factorisation.
        sources: of a mixture.
        channels: of a mixture.
    """

    rate: int
    samples: int
    n_fft: int
    hop: int
    frequencies: int
    frames: int
    components: int
    sources: int
    channels: int


TINY = Size(8000, samples=150, n_fft=32, hop=8, frequencies=12, frames=18, components=4, sources=3, channels=2)


def spectrogram(batch: tuple[int, ...] = (), size: Size = TINY) -> np.ndarray:
    """A positive matrix near the rank `components`, with multiplicative noise."""
    rng = np.random.default_rng(0)
    W = rng.gamma(0.5, 1, (*batch, size.frequencies, size.components)) + 0.02
    H = rng.gamma(0.5, 1, (*batch, size.components, size.frames)) + 0.02
    return (W @ H) * rng.gamma(4, 0.25, (*batch, size.frequencies, size.frames))


def complex_spectrogram(batch: tuple[int, ...] = (), size: Size = TINY) -> np.ndarray:
    """The square roots of `spectrogram`, with random phases."""
    V = spectrogram(batch, size)
    return np.sqrt(V) * np.exp(1j * np.random.default_rng(5).uniform(0, 2 * np.pi, V.shape))


def one_channel(batch: tuple[int, ...] = (), size: Size = TINY) -> np.ndarray:
    """`complex_spectrogram` with an axis for channels."""
    return complex_spectrogram((*batch, 1), size)


def dictionary(size: Size = TINY) -> np.ndarray:
    return np.random.default_rng(1).gamma(0.5, 1, (size.frequencies, size.components)) + 0.02


def stft(size: Size = TINY) -> STFT:
    return STFT(n_fft=size.n_fft, hop=size.hop)


def magnitudes(batch: tuple[int, ...] = (), size: Size = TINY) -> np.ndarray:
    """Those of noise, with an error, so that no signal has them."""
    rng = np.random.default_rng(2)
    signal = rng.standard_normal((*batch, size.samples))
    exact = np.abs(np.asarray(stft(size).analyze(signal), np.complex128))
    return exact * np.exp(0.3 * rng.standard_normal(exact.shape))


def separation(batch: tuple[int, ...] = (), size: Size = TINY) -> tuple[np.ndarray, np.ndarray]:
    """A mixture of noises, and the magnitudes of these with an error."""
    rng = np.random.default_rng(3)
    sources = rng.standard_normal((*batch, size.sources, size.channels, size.samples))
    spectra = np.asarray(stft(size).analyze(sources), np.complex128)
    return spectra.sum(-4), np.abs(spectra) * np.exp(0.3 * rng.standard_normal(spectra.shape))


def channels(batch: tuple[int, ...] = (), size: Size = TINY) -> np.ndarray:
    """As many noises that come and go as channels, each loudest in one of them."""
    rng = np.random.default_rng(8)
    shape = (*batch, size.channels, size.frequencies, 2 * size.frames)
    activity = rng.gamma(0.5, 1, (*shape[:-2], 1, shape[-1])) * rng.gamma(2, 1, shape) + 0.01
    noises = np.sqrt(activity) * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))
    square = (size.channels, size.channels)
    mixing = np.eye(size.channels) + 0.3 * (rng.standard_normal(square) + 1j * rng.standard_normal(square))
    return np.einsum("cj,...jfn->...cfn", mixing, noises)


def spectra(size: Size = TINY) -> np.ndarray:
    """A dictionary of power spectra for each source of `separation`."""
    return np.random.default_rng(4).gamma(0.5, 1, (size.sources, size.n_fft // 2 + 1, size.components // 2)) + 0.02

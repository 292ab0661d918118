"""Signals that the tests and the peers' golden values share: made from the bundled song, the same on every machine."""

import numpy as np

from dsp_sep.data import example

RATE = 44100


def song(seconds: float = 4.0, start: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """A passage of the example in four stereo stems, and estimates of them: (sources, channels, samples), float64.

    The estimates have a gain, a filter, leakage and distortion, each stem other ones.
    """
    first = round(start * RATE)
    reference = np.asarray(example().sources, np.float64)[..., first : first + round(seconds * RATE)]
    return reference, estimates(reference)


def estimates(reference: np.ndarray) -> np.ndarray:
    """What a separator might make of references."""
    mixture = reference.sum(axis=0)
    found = []
    for k, stem in enumerate(reference):
        filtered = (0.9 - 0.05 * k) * stem + 0.2 * delayed(stem, 3 + k)
        leakage = (0.05 + 0.05 * k) * delayed(mixture - stem, 2)
        found.append(filtered + leakage + 0.01 * (k + 1) * np.tanh(20 * mixture))
    return np.stack(found)


def noises(samples: int = 6000) -> tuple[np.ndarray, np.ndarray]:
    """Four coloured noises in mono and estimates in another order: (sources, 1, samples), float64."""
    random = np.random.default_rng(7)
    kernels = random.standard_normal((4, 30)) * 0.85 ** np.arange(30)
    white = random.standard_normal((4, samples + 29))
    reference = 0.1 * np.stack([np.convolve(white[k], kernels[k], "valid") for k in range(4)])[:, None]
    leakage = np.array([0.5, 0.2, 0.05, 0.01])[:, None, None] * (reference.sum(axis=0) - reference)
    estimate = delayed(reference, 5) + leakage + 0.02 * random.standard_normal(reference.shape)
    return reference, estimate[[2, 0, 3, 1]]


def with_silence(reference: np.ndarray, estimate: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One reference silent in its second second, another estimate in its fourth, and one that only sums to silence."""
    reference, estimate = reference.copy(), estimate.copy()
    reference[1, :, RATE : 2 * RATE] = 0
    estimate[2, :, 3 * RATE :] = 0
    reference[3, 1, 2 * RATE : 3 * RATE] = -reference[3, 0, 2 * RATE : 3 * RATE]
    return reference, estimate


def delayed(signal: np.ndarray, samples: int) -> np.ndarray:
    """The same, so many samples later."""
    return np.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(samples, 0)])[..., :-samples]

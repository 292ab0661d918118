"""Windows of spectral analysis: periodic, so that shifted copies add up evenly."""

from collections.abc import Callable

import numpy as np


def hann(length: int) -> np.ndarray:
    """`sin²(π n / N)`, zero at `n = 0`."""
    return np.sin(np.pi * np.arange(length) / length) ** 2


def hamming(length: int) -> np.ndarray:
    """`0.54 - 0.46 cos(2π n / N)`."""
    return 0.08 + 0.92 * hann(length)


def blackman(length: int) -> np.ndarray:
    """`0.42 - 0.5 cos(2π n / N) + 0.08 cos(4π n / N)`, written so that it is zero at `n = 0` and never below."""
    return 0.36 * hann(length) + 0.64 * hann(length) ** 2


def sine(length: int) -> np.ndarray:
    """`sin(π (n + ½) / N)`, the one here that is symmetric, not periodic; its squares add up at half its length."""
    return np.sin(np.pi * (np.arange(length) + 0.5) / length)


def kaiser(length: int, beta: float = 12.0) -> np.ndarray:
    """`I₀(β √(1 - (2n/N - 1)²)) / I₀(β)`; the larger `beta`, the lower the side lobes and the wider the main one."""
    return np.kaiser(length + 1, beta)[:-1]


def rectangular(length: int) -> np.ndarray:
    """Ones."""
    return np.ones(length)


WINDOWS: dict[str, Callable[[int], np.ndarray]] = {
    window.__name__: window for window in (hann, hamming, blackman, sine, kaiser, rectangular)
}


def by_name(name: str, length: int) -> np.ndarray:
    """The window of that name and length, in double precision.

    Raises:
        ValueError: for an unknown name.
    """
    if name not in WINDOWS:
        raise ValueError(f"window must be an array or one of {', '.join(WINDOWS)}, got {name!r}")
    return WINDOWS[name](length)

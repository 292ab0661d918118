"""Windows of spectral analysis: periodic, so that shifted copies add up evenly; and `Hann`, whose length is learned."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..pytree import Number, domains, hyper, node


@node
class Hann:
    """A Hann window whose length is a hyperparameter, any positive number: `cos²(π (n - N/2) / θ)` where
    `|n - N/2| < θ/2`, zero elsewhere, in the middle of a frame of `N = n_fft` samples.

    `STFT(n_fft, hop, window=Hann(length))` has the leaf `window.length`, and derivatives by it (Leiber, Marnissi,
    Barrau and El Badaoui, 2022, "A differentiable short-time Fourier transform with respect to the window length",
    equation 4, here the same for all frames). For `θ = n_fft` it is "hann". Frames keep their size and hop, so that a
    window may become as short as the hop: then there is no inverse, which only a length that is known when the STFT is
    made is checked for; after one that is learned, `synthesize` leaves silence where no window reaches. One longer
    than `n_fft` is cut off at both ends, flatter and flatter: no bound holds a length that is learned, and derivatives
    go on there, so that it finds its way back.

    Attributes:
        length: `θ`, samples, positive, shape `()`.
    """

    length: Number = hyper(domain=domains.POSITIVE, kw_only=False)

    def samples(self, count: int) -> Array:
        """`(count,)`, with its middle at sample `count / 2`."""
        away = jnp.abs(jnp.arange(count, dtype=self.length.dtype) - count / 2) / self.length
        return jnp.where(away < 0.5, jnp.cos(jnp.pi * away) ** 2, 0)


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

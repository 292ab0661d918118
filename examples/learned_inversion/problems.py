"""Songs, excerpts of them, and magnitudes as they come in practice."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from study import songs

import dsp_sep as ds

RATE = 44100
STFT = ds.STFT(n_fft=2048, hop=512)
ERROR = 0.35
"""Standard deviation of the logarithm of noisy magnitudes."""


class Problem(NamedTuple):
    """True sources, `(sources, 1, samples)`, and what an algorithm is given: a mixture's spectrogram, magnitudes."""

    sources: Array
    mixture: Array
    magnitudes: Array


read = partial(songs.read, rate=RATE)
remixed = partial(songs.remixed, rate=RATE)
where_all_sound = partial(songs.where_all_sound, rate=RATE)


def excerpts(
    songs: Mapping[str, np.ndarray], seconds: float, count: int, seed: int, tries: int = 1
) -> Iterator[np.ndarray]:
    """Random excerpts, each of another song until all have had their turn.

    Of so many tries it is the one whose quietest source is the loudest.
    """
    rng = np.random.default_rng(seed)
    pool, size = list(songs.values()), round(seconds * RATE)
    for number in range(count):
        if number % len(pool) == 0:
            turn = rng.permutation(len(pool))
        song = pool[turn[number % len(pool)]]
        tried = [song[..., s : s + size] for s in rng.integers(song.shape[-1] - size, size=tries, endpoint=True)]
        yield max(tried, key=lambda cut: np.min(np.sum(cut**2, axis=(1, 2))))


@jax.jit
def spectra(sources: Array) -> tuple[Array, Array]:
    """The spectrograms of the sources and of their mixture."""
    S = STFT.analyze(sources)
    return S, jnp.sum(S, axis=0)


def oracle(sources: Array, seed: int) -> Problem:
    """The true magnitudes."""
    S, X = spectra(sources)
    return Problem(sources, X, jnp.abs(S))


def noisy(sources: Array, seed: int) -> Problem:
    """The true magnitudes with log-normal errors."""
    S, X = spectra(sources)
    return Problem(sources, X, jnp.abs(S) * jnp.exp(ERROR * jax.random.normal(jax.random.key(seed), S.shape)))


def smoothed(sources: Array, seed: int) -> Problem:
    """The mixture's magnitudes by a mask of the true powers, smoothed over 15 frequencies and 5 frames."""
    S, X = spectra(sources)
    return Problem(sources, X, _smoothed_mask(S) * jnp.abs(X))


@jax.jit
def _smoothed_mask(S: Array) -> Array:
    power = jnp.abs(S) ** 2
    for axis, width in ((-2, 15), (-1, 5)):
        power = jnp.apply_along_axis(partial(jnp.convolve, v=jnp.ones(width) / width, mode="same"), axis, power)
    return ds.masking.RatioMask(1.0)(power)

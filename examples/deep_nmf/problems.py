"""Songs, excerpts and their spectrograms: mono at 22.05 kHz, where 32 atoms a source and 260 s of songs belong."""

from collections.abc import Iterator, Mapping
from functools import partial

import jax.numpy as jnp
import numpy as np
from jax import Array
from study import songs

import dsp_sep as ds

RATE = 22050
STFT = ds.STFT(n_fft=1024, hop=256)
read = partial(songs.read, rate=RATE)


def levelled(sources: np.ndarray) -> Array:
    """Sources, `(sources, 1, samples)`, at the level that gives their mixture's spectrogram a mean square of one."""
    X = STFT.analyze(jnp.asarray(sources.sum(axis=0)))
    return jnp.asarray(sources) / jnp.sqrt(jnp.mean(ds.numerics.square_magnitude(X)))


def middles(of: Mapping[str, np.ndarray], seconds: float) -> list[Array]:
    """The middle of each song."""
    size = round(seconds * RATE)
    starts = [max((song.shape[-1] - size) // 2, 0) for song in of.values()]
    return [levelled(song[..., start : start + size]) for song, start in zip(of.values(), starts, strict=True)]


def batches(of: Mapping[str, np.ndarray], seconds: float, size: int, count: int, seed: int) -> Iterator[Array]:
    """Batches of excerpts mixed anew across songs, `(size, sources, 1, samples)`."""
    mixes = songs.remixed(of, seconds, count * size, seed, rate=RATE)
    for _ in range(count):
        yield jnp.stack([levelled(next(mixes)) for _ in range(size)])


def split(of: Mapping[str, np.ndarray]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Songs to learn from while choices are made, and those the choices are made by: every third one."""
    names = list(of)
    held = set(names[2::3])
    return {name: of[name] for name in names if name not in held}, {name: of[name] for name in names if name in held}

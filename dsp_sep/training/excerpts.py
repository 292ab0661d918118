"""Random excerpts of a song, to learn on."""

from collections.abc import Iterator

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..data import Song


def excerpts(song: Song, *, seconds: float, count: int, seed: int) -> Iterator[Array]:
    """Sources cut out at random places, each as likely as any other.

    Args:
        song: the song.
        seconds: how long an excerpt is.
        count: how many.
        seed: the same seed gives the same places.

    Yields:
        `(sources, channels, samples)`.

    Raises:
        ValueError: for a song that is shorter.
    """
    samples = round(seconds * song.rate)
    last = song.sources.shape[-1] - samples
    if last < 0:
        raise ValueError(f"excerpts: seconds is {seconds}, and the song has {song.sources.shape[-1] / song.rate:.3f} s")
    for start in np.random.default_rng(seed).integers(0, last, count, endpoint=True):
        yield jnp.asarray(song.sources[..., start : start + samples])

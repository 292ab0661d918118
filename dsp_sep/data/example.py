"""The song that comes with the library, under CC0; `example/LICENSE.txt` says what it was made from."""

from pathlib import Path
from typing import Literal

import jax.numpy as jnp

from .folder import read_song
from .song import Song

FOLDER = Path(__file__).parent / "example"
NAMES = ("drums", "bass", "guitar", "vocals")
BOUNDARY = 588_000
"""The first sample of the part to be judged on: bar 9 of 16."""


def example(part: Literal["all", "learn", "judge"] = "all") -> Song:
    """A short song in E minor: drums, bass, guitar and vocals, stereo, 44.1 kHz, 26.7 seconds.

    The first half is there to learn from and the second to be judged on: the same instruments and notes in another
    order, with strokes of their own, so that nothing recurs sample for sample. The first half may be divided again: in
    each of its halves (6.67 s, four bars) every note and every drum occurs that the second half uses.

    Args:
        part: "all" of it, or the part to "learn" from or to "judge" on (13.3 s each).

    Returns:
        The song as JAX arrays; the mixture is exactly the sum of the sources.

    Raises:
        ValueError: an unknown part.
    """
    parts = {"all": slice(None), "learn": slice(BOUNDARY), "judge": slice(BOUNDARY, None)}
    if part not in parts:
        raise ValueError(f"example: expected part to be one of {', '.join(parts)}, got {part!r}")
    song = read_song(FOLDER, names=NAMES)
    keep = (..., parts[part])
    return Song(jnp.asarray(song.mixture[keep]), jnp.asarray(song.sources[keep]), song.names, song.rate)

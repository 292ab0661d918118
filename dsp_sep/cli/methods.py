"""The methods of `dsp-sep separate`: each names its stems, and makes a separator for a file."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import click
import jax
import numpy as np

from ..data import Reader
from ..iterate import unfold
from ..masking import RepetSim
from ..pytree import load
from ..separators import (
    Chunked,
    HarmonicPercussive,
    Refined,
    Resampled,
    Separator,
    Supervised,
    VoiceAccompaniment,
    learn_blind,
    stft_for,
)
from ..spatial import EM, Estimated

SAMPLES = 2**20
"""In a chunk, all channels together, at the rate of the separator: what bounds the memory."""
PIECES, SECONDS = 12, 5.0
"""Blind separation learns from so many pieces of a file, of so many seconds each."""


@dataclass(frozen=True)
class Method:
    """A way to separate files.

    Attributes:
        names: the stems.
        prepare: what makes a separator for a file, in chunks.
    """

    names: tuple[str, ...]
    prepare: Callable[[Reader], Chunked]


def harmonic_percussive() -> Method:
    """Median filters."""

    def prepare(file: Reader) -> Chunked:
        stft = stft_for(file.rate)
        return in_chunks(HarmonicPercussive(stft), stft.hop, file.channels)

    return Method(("harmonic", "percussive"), prepare)


def voice() -> Method:
    """What repeats, and the voice over it."""

    def prepare(file: Reader) -> Chunked:
        stft = stft_for(file.rate)
        mask = RepetSim(distance=max(round(file.rate / stft.hop), 1))  # frames in a second
        return in_chunks(VoiceAccompaniment(stft, mask=mask), stft.hop, file.channels)

    return Method(("accompaniment", "voice"), prepare)


def blind(sources: int = 2) -> Method:
    """Sources found in the file itself."""

    def prepare(file: Reader) -> Chunked:
        stft = stft_for(file.rate)
        separator = learn_blind(stft, excerpts(file), file.rate, sources=sources, key=jax.random.key(0))
        return in_chunks(separator, stft.hop, file.channels)

    return Method(tuple(f"source_{number + 1}" for number in range(sources)), prepare)


def supervised(model: Path) -> Method:
    """A model that was learned before, at whatever rate."""
    chain = load(model)
    if not isinstance(chain, Supervised):
        raise click.ClickException(f"{model} holds a {type(chain).__name__}: take one that learn or demo wrote")

    return Method(chain.names, chunks_of(chain))


def refined(method: Method, iterations: int) -> Method:
    """Another method, and so many iterations of multichannel EM on each chunk of its stems."""
    refinement = unfold(EM(start=Estimated()), iterations)

    def prepare(file: Reader) -> Chunked:
        chunked = method.prepare(file)
        return replace(chunked, separator=Refined(chunked.separator, stft=stft_for(file.rate), refinement=refinement))

    return Method(method.names, prepare)


def chunks_of(model: Supervised) -> Callable[[Reader], Chunked]:
    """The model in chunks, for files of any rate."""

    def prepare(file: Reader) -> Chunked:
        if file.rate == model.rate:
            return in_chunks(model, model.stft.hop, file.channels)
        resampled = Resampled(model, rate=file.rate, inner_rate=model.rate)
        return in_chunks(resampled, model.stft.hop, file.channels, stretch=file.rate / model.rate)

    return prepare


def in_chunks(separator: Separator, hop: int, channels: int, stretch: float = 1.0) -> Chunked:
    """Chunks whose length, contexts and fades are multiples of the hop, in memory that hardly depends on the file.

    Args:
        separator: the separator.
        hop: of its transform, in samples at its own rate.
        channels: of the file.
        stretch: the rate of the file over that of the separator.
    """
    count = min(max(SAMPLES // (16 * hop * channels), 12), 128)
    fade = max(round(16 * hop * stretch), 1)
    return Chunked(separator, size=count * fade, context=2 * fade, fade=fade)


def excerpts(file: Reader) -> np.ndarray:
    """Pieces spread evenly over a file, `(pieces, channels, samples)`; all of a short one, as one piece."""
    length = round(SECONDS * file.rate)
    if file.samples <= PIECES * length:
        return file.read(0, file.samples)[None]
    starts = np.linspace(0, file.samples - length, PIECES).astype(int)
    return np.stack([file.read(int(start), length) for start in starts])

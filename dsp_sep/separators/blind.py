"""Blind separation: nothing is known but the recording and how many sources to look for."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..iterate import run, unfold
from ..masking import RatioMask
from ..nmf import NMF, Activations
from ..numerics import square_magnitude
from ..transforms import STFT
from .grouping import ByTimbre, Found, Grouping
from .supervised import Supervised


def learn_blind(
    stft: STFT,
    excerpts: Array | np.ndarray,
    rate: int,
    *,
    sources: int,
    key: Array,
    components: int = 10,
    steps: int = 150,
    iterations: int = 50,
    grouping: Grouping | None = None,
) -> Supervised:
    """Learn a dictionary from a mixture, gather its spectra into sources, and separate with it from then on.

    NMF (Kullback-Leibler) of the magnitudes, the root mean square of the channels; then the components are gathered, by
    timbre (Spiertz and Gnann, 2009) unless another way is given. The separator that comes out keeps the dictionary: so
    a long recording is separated piece by piece, and a source has one number throughout.

    For recordings of few instruments of different timbre. What it calls a source is a group of similar spectra: a
    drum kit may be two of them and a voice part of another.

    Args:
        stft: the transform; see `stft_for`.
        excerpts: pieces of the recording to learn from, `(pieces, channels, samples)`; a minute in all is plenty.
        rate: samples per second (Hz).
        sources: how many sources, at least 1.
        key: a random key, for the starts.
        components: spectra for each source, on the average.
        steps: iterations of NMF.
        iterations: multiplicative updates of the activations when the separator is used.
        grouping: `ByTimbre()` unless given, `ByActivation()`, or `ByOracle(...)` of what `side_by_side` makes of each
            source, for the upper bound.

    Returns:
        A separator with the stems `source_1` and so on.

    Raises:
        ValueError: for fewer than one source.
    """
    if sources < 1:
        raise ValueError(f"learn_blind: sources must be at least 1, got {sources}")
    start, draw = jax.random.split(key)
    nmf = NMF(components=components * sources)
    factors = run(nmf, side_by_side(stft, excerpts), steps, key=start).output
    labels = (grouping or ByTimbre())(Found(factors, np.asarray(stft.frequencies(rate))), sources, draw)
    return Supervised(
        stft=stft,
        activations=unfold(Activations(dictionary=factors.dictionary[:, np.argsort(labels, stable=True)]), iterations),
        mask=RatioMask(2.0),
        components=tuple(np.bincount(labels, minlength=sources).tolist()),
        names=tuple(f"source_{number + 1}" for number in range(sources)),
        rate=rate,
    )


@jax.jit
def side_by_side(stft: STFT, excerpts: Array) -> Array:
    """Magnitudes `(frequency, frames)` of excerpts `(pieces, channels, samples)`, root mean squares of the channels."""
    power = jnp.mean(square_magnitude(stft.analyze(excerpts)), axis=1)
    return jnp.moveaxis(jnp.sqrt(power), 0, 1).reshape(power.shape[1], -1)

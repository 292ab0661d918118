"""Blind separation: nothing is known but the recording and how many sources to look for."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..iterate import run, unfold
from ..masking import RatioMask
from ..nmf import NMF, Activations, Factors
from ..numerics import square_magnitude
from ..transforms import STFT
from .clustering import k_means, timbre
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
) -> Supervised:
    """Learn a dictionary from a mixture, gather its spectra into sources by timbre, and separate with it from then on.

    NMF (Kullback-Leibler) of the magnitudes, the root mean square of the channels; k-means of the mel-cepstra of the
    components (Spiertz and Gnann, 2009); sources are numbered from the loudest down. The separator that comes out keeps
    the dictionary: so a long recording is separated piece by piece, and a source has one number throughout.

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

    Returns:
        A separator with the stems `source_1` and so on.

    Raises:
        ValueError: for fewer than one source.
    """
    if sources < 1:
        raise ValueError(f"learn_blind: sources must be at least 1, got {sources}")
    start, draw = jax.random.split(key)
    nmf = NMF(components=components * sources)
    factors = run(nmf, _magnitudes(stft, excerpts), steps, key=start).output
    labels = k_means(timbre(factors.dictionary, np.asarray(stft.frequencies(rate))), sources, key=draw)
    labels = _loudest_first(np.asarray(labels), factors, sources)
    return Supervised(
        stft=stft,
        activations=unfold(Activations(dictionary=factors.dictionary[:, np.argsort(labels, stable=True)]), iterations),
        mask=RatioMask(2.0),
        components=tuple(np.bincount(labels, minlength=sources).tolist()),
        names=tuple(f"source_{number + 1}" for number in range(sources)),
        rate=rate,
    )


@jax.jit
def _magnitudes(stft: STFT, excerpts: Array) -> Array:
    """The root mean square of the channels, the excerpts side by side, `(frequency, frames)`."""
    power = jnp.mean(square_magnitude(stft.analyze(excerpts)), axis=1)
    return jnp.moveaxis(jnp.sqrt(power), 0, 1).reshape(power.shape[1], -1)


def _loudest_first(labels: np.ndarray, factors: Factors, sources: int) -> np.ndarray:
    """The labels renumbered by the energy of their components."""
    energy = np.asarray((factors.dictionary**2).sum(axis=0) * (factors.activations**2).sum(axis=1))
    total = np.bincount(labels, energy, minlength=sources)
    rank = np.empty(sources, int)
    rank[np.argsort(-total, stable=True)] = np.arange(sources)
    return rank[labels]

"""Scores of songs."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import dsp_sep as ds
from dsp_sep import nmf

from .models import Point, Separator
from .problems import STFT

MEASURES = {"SDR": ds.metrics.sdr, "SI-SDR": ds.metrics.si_sdr}
Scores = dict[str, list[list[float]]]
"""By measure, for each song, of each source, in dB."""


def of_separator(separator: Separator, songs: Sequence[Array]) -> Scores:
    """Scores of the masks of a separator."""
    return as_scores([_judge(separator, song) for song in songs])


def by_count(point: Point, songs: Sequence[Array], counts: Sequence[int], exponents: Sequence[float]) -> Array:
    """Scores of supervised NMF, `(songs, counts, exponents, measures, sources)`, after each number of iterations."""
    return np.stack([np.asarray(_by_count(point, song, tuple(counts), tuple(exponents))) for song in songs])


def as_scores(values: Sequence[Array] | np.ndarray) -> Scores:
    """Scores from `(songs, measures, sources)`."""
    values = np.asarray(values)
    return {measure: np.round(values[:, i].astype(float), 3).tolist() for i, measure in enumerate(MEASURES)}


def means(scores: Scores, measure: str = "SDR") -> list[float]:
    """The mean over sources of each song."""
    return np.mean(scores[measure], axis=1).tolist()


@jax.jit
def _judge(separator: Separator, sources: Array) -> Array:
    return _score(sources, separator(STFT.analyze(sources.sum(axis=0))))


@partial(jax.jit, static_argnames=("counts", "exponents"))
def _by_count(point: Point, sources: Array, counts: tuple[int, ...], exponents: tuple[float, ...]) -> Array:
    X = STFT.analyze(sources.sum(axis=0))
    algorithm, components = point.activations(), (point.dictionary.shape[-1] // len(sources),) * len(sources)
    found, state, done = [], None, 0
    for count in counts:
        result = ds.run(algorithm, jnp.abs(X), count - done, state=state)
        state, done = result.state, count
        magnitudes = nmf.parts(point.dictionary, result.output, components)
        found.append(jnp.stack([_score(sources, ds.masking.ratio(magnitudes, exponent) * X) for exponent in exponents]))
    return jnp.stack(found)


def _score(sources: Array, spectrograms: Array) -> Array:
    """`(measures, sources)`."""
    signals = STFT.synthesize(spectrograms, length=sources.shape[-1])
    return jnp.stack([measure(sources, signals).reshape(len(sources)) for measure in MEASURES.values()])

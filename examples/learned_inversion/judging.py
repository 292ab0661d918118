"""Scores of songs."""

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import dsp_sep as ds

from .family import answer
from .learning import separate, with_mixture_phase
from .problems import STFT, Problem

Scores = dict[str, list[float]]
"""Means over the sources of a song in dB, one for each song, by measure."""


@jax.jit
def score(sources: Array, spectrograms: Array) -> Array:
    """SDR and SI-SDR in dB, means over the sources, `(2,)`."""
    signals = STFT.synthesize(spectrograms, length=sources.shape[-1])
    return jnp.stack([jnp.mean(ds.metrics.sdr(sources, signals)), jnp.mean(ds.metrics.si_sdr(sources, signals))])


def by_count(algorithm: Any, problems: Sequence[Problem], counts: Sequence[int]) -> dict[str, Scores]:
    """Scores of an algorithm after so many iterations (increasing), on each problem."""
    found = {count: [] for count in counts}
    for problem in problems:
        result, done = None, 0
        for count in counts:
            state = None if result is None else result.state
            result = ds.run(algorithm, (problem.mixture, problem.magnitudes), count - done, state=state)
            done = count
            found[count].append(score(problem.sources, answer(result)))
    return {str(count): as_scores(values) for count, values in found.items()}


def of_tree(tree: dict[str, Any], problems: Sequence[Problem]) -> Scores:
    """Scores of what was trained, on each problem."""
    return as_scores([score(problem.sources, separate(tree, problem)) for problem in problems])


def of_mixture_phase(problems: Sequence[Problem]) -> Scores:
    """Scores of the magnitudes with the mixture's phase: no iteration at all."""
    return as_scores([score(problem.sources, with_mixture_phase(problem)) for problem in problems])


def as_scores(values: Sequence[Array]) -> Scores:
    """Scores of the songs from what `score` gave for each."""
    values = np.asarray(values)
    return {measure: [round(float(v), 4) for v in values[:, i]] for i, measure in enumerate(("SDR", "SI-SDR"))}

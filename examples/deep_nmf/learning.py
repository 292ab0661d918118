"""Separators trained through their iterations by what their masks make of mixtures."""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

import dsp_sep as ds

from .models import Separator
from .problems import STFT


class Trained(NamedTuple):
    """What was trained, the number of its free parameters, the seconds it took, losses, and scores by step."""

    separator: Separator
    parameters: int
    seconds: float
    losses: list[float]
    scores: list[tuple[int, float]]


def magnitudes_l2(sources: Array, spectrograms: Array) -> Array:
    """The mean of `(|S| - mask |X|)²`, as in Hershey, Le Roux and Weninger; and Weninger et al. (2014)."""
    return jnp.mean(jnp.square(_error(sources, spectrograms)))


def magnitudes_l1(sources: Array, spectrograms: Array) -> Array:
    """The mean of `||S| - mask |X||`."""
    return jnp.mean(jnp.abs(_error(sources, spectrograms)))


def waveforms(sources: Array, spectrograms: Array) -> Array:
    """The negative SDR, a twentieth of it so that its gradients have the size of the others'."""
    signals = STFT.synthesize(spectrograms, length=sources.shape[-1])
    return jnp.mean(ds.training.negative_sdr(sources, signals, ceiling=30.0)) / 20


LOSSES: dict[str, Callable[[Array, Array], Array]] = {
    "magnitudes, L2": magnitudes_l2,
    "magnitudes, L1": magnitudes_l1,
    "SDR": waveforms,
}


def train(
    start: Separator,
    names: tuple[str, ...],
    batches: Iterable[Array],
    *,
    steps: int,
    rate: float,
    loss: str,
    validation: ds.training.Validation,
) -> Trained:
    """Adam with a cosine schedule; what validates best is kept, at the start too."""

    def value(params: ds.pytree.Free, sources: Array) -> Array:
        X = STFT.analyze(sources.sum(axis=-3))
        return LOSSES[loss](sources, ds.constrain(params, start)(X))

    params = ds.unconstrain(start, train=names)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(optax.cosine_decay_schedule(rate, steps)))
    begun = time.perf_counter()
    fit = ds.training.fit(value, params, batches, optimizer, validation=validation)
    count = sum(leaf.size for leaf in jax.tree.leaves(params))
    separator = ds.constrain(fit.best, start)
    return Trained(separator, count, time.perf_counter() - begun, fit.losses.tolist(), fit.scores)


def _error(sources: Array, spectrograms: Array) -> Array:
    return ds.numerics.magnitude(STFT.analyze(sources)) - ds.numerics.magnitude(spectrograms)

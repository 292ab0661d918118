"""Scores of images."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import dsp_sep as ds

from .network import STFT

MEASURES = {"SDR": ds.metrics.sdr, "SI-SDR": ds.metrics.si_sdr}


@jax.jit
def score(sources: Array, images: Array) -> Array:
    """SDR and SI-SDR in dB, means over sources, `(..., 2)`, of spectrograms `(..., sources, channels, freq., frames)`.

    Args:
        sources: the true images, `(sources, channels, samples)`.
        images: the estimates; any leading axes.
    """
    signals = STFT.synthesize(images, length=sources.shape[-1])
    truth = jnp.broadcast_to(sources, signals.shape)
    return jnp.stack([jnp.mean(m(truth, signals).reshape(*signals.shape[:-3], -1), -1) for m in MEASURES.values()], -1)


def by_measure(scores: Sequence[Array]) -> dict[str, list]:
    """The scores of songs, each `(..., 2)`, as lists for each measure, songs last."""
    values = np.moveaxis(np.asarray(scores, float), 0, -1).round(3)
    return {measure: values[..., i, :].tolist() for i, measure in enumerate(MEASURES)}

"""Components gathered into sources by their timbre."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..numerics import matmul

BANDS = 40
COEFFICIENTS = 12
RANGE = 1e-5
"""The power, relative to the strongest band of a spectrum, below which bands count as equally silent (-50 dB)."""


def timbre(dictionary: Array, frequencies: np.ndarray) -> Array:
    """What a spectrum sounds like, apart from how loud it is: its mel-cepstrum without the zeroth coefficient.

    The feature by which Spiertz and Gnann ("Source-filter based clustering for monaural blind source separation",
    DAFx 2009) gather components into sources.

    Args:
        dictionary: magnitudes, one spectrum in each column, `(frequency, components)`.
        frequencies: of the rows, in Hz, ascending, `(frequency,)`.

    Returns:
        `(components, 12)`.
    """
    filters = jnp.asarray(_mel_filters(frequencies, BANDS), dictionary.dtype)
    power = matmul(filters, dictionary**2)
    loudest = jnp.max(power, axis=0, keepdims=True)
    decibels = 10 * jnp.log10(jnp.maximum(power, RANGE * jnp.where(loudest > 0, loudest, 1)))
    return matmul(jnp.asarray(_cosines(BANDS, COEFFICIENTS), dictionary.dtype), decibels).T


def _mel_filters(frequencies: np.ndarray, bands: int) -> np.ndarray:
    """Triangles evenly spaced on the mel scale (O'Shaughnessy's formula), `(bands, frequency)`, each reaching a bin."""
    mel = 2595 * np.log10(1 + frequencies / 700)
    centers = np.linspace(mel[0], mel[-1], bands + 2)[1:-1]
    width = np.maximum(mel[-1] / (bands + 1), np.interp(centers, mel[:-1], np.diff(mel)))
    return np.maximum(0, 1 - np.abs(mel - centers[:, None]) / width[:, None])


def _cosines(bands: int, coefficients: int) -> np.ndarray:
    """Rows 1 to `coefficients` of the orthonormal DCT-II, `(coefficients, bands)`."""
    rows, columns = np.arange(1, coefficients + 1)[:, None], np.arange(bands)
    return np.sqrt(2 / bands) * np.cos(np.pi * rows * (columns + 0.5) / bands)


class _Clusters(NamedTuple):
    labels: Array
    spread: Array


@partial(jax.jit, static_argnames=("clusters", "restarts", "steps"))
def k_means(points: Array, clusters: int, *, key: Array, restarts: int = 32, steps: int = 30) -> Array:
    """Clusters with the least sum of squared distances to their means that several starts lead to (Lloyd, 1982).

    Each start draws points far from those it has (k-means++, Arthur and Vassilvitskii, 2007).

    Args:
        points: `(points, coordinates)`.
        clusters: how many.
        key: a random key.
        restarts: how many starts.
        steps: iterations after each.

    Returns:
        The cluster of each point, `(points,)`, integers from 0.
    """
    tries = jax.vmap(lambda key: _lloyd(points, _spread_out(points, clusters, key), steps))(
        jax.random.split(key, restarts)
    )
    return tries.labels[jnp.argmin(tries.spread)]


def _spread_out(points: Array, clusters: int, key: Array) -> Array:
    first, *keys = jax.random.split(key, clusters)
    means = points[jax.random.randint(first, (1,), 0, len(points))]
    for key in keys:
        nearest = jnp.min(_square_distances(points, means), axis=1)
        chosen = jax.random.categorical(key, jnp.log(nearest))
        means = jnp.concatenate([means, points[chosen][None]])
    return means


def _lloyd(points: Array, means: Array, steps: int) -> _Clusters:
    def step(means: Array, _: None) -> tuple[Array, None]:
        member = jax.nn.one_hot(jnp.argmin(_square_distances(points, means), axis=1), len(means), dtype=points.dtype)
        count = jnp.sum(member, axis=0)[:, None]
        return jnp.where(count > 0, matmul(member.T, points) / jnp.maximum(count, 1), means), None

    means, _ = lax.scan(step, means, None, length=steps)
    distances = _square_distances(points, means)
    return _Clusters(jnp.argmin(distances, axis=1), jnp.sum(jnp.min(distances, axis=1)))


def _square_distances(points: Array, means: Array) -> Array:
    """`(points, means)`."""
    return jnp.sum((points[:, None, :] - means[None, :, :]) ** 2, axis=-1)

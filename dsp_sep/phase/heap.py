"""Phase gradient heap integration: a start from the shape of the magnitudes alone."""

import heapq

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from ..numerics import floor, scale
from ..pytree import Number, domains, hyper, node, static
from .sinusoids import turning


@node
class PGHI:
    """Phase gradient heap integration (Průša, Balazs and Søndergaard, 2017).

    For a Gaussian window the derivatives of the phase are those of the logarithm `s` of the magnitudes,

        `∂φ/∂t = 2π hop f / N + hop N / (2γ) (s(f+1, t) - s(f-1, t))` a frame,
        `∂φ/∂f = -γ / (2 hop N) (s(f, t+1) - s(f, t-1)) - 2π ⌊N/2⌋ / N` a bin,

    the last term because phases count from the beginning of a frame here. They are added up along paths that start from
    the largest bin and always go on from the largest bin reached so far. Bins below the tolerance have the phase zero.

    Where the paths run is found one bin at a time in a heap: on the host, in Python, about five microseconds a bin,
    which is nearly half the length of the sound at 44.1 kHz with 2048 samples every 512; no gradient goes through that
    choice. The sums along the paths are computed where all else is, in the logarithm of the number of bins steps, and
    are differentiated. Under `jit` and `vmap` it works; it is not meant for the inside of a training loop.

    Attributes:
        n_fft, hop: samples, as in the transform (centred, one-sided).
        spread: `γ` over the square of the window's length, which must be `n_fft`: 0.25645 for Hann (unless given),
            0.29794 for Hamming, 0.17954 for Blackman.
        tolerance: the smallest magnitude that counts, relative to the largest.
    """

    n_fft: int = static()
    hop: int = static()
    spread: Number = hyper(default=0.25645, domain=domains.POSITIVE)
    tolerance: float = static(default=1e-6)

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        shape = magnitudes.shape
        result = jax.ShapeDtypeStruct((*shape[:-2], shape[-2] * shape[-1]), jnp.int32)
        parent = jax.pure_callback(
            lambda array: _parents(np.asarray(array), self.tolerance),
            result,
            lax.stop_gradient(magnitudes),
            vmap_method="expand_dims",
        )
        along_time, along_frequency = self.gradient(magnitudes)
        turns = _add_up(parent, along_time, along_frequency)
        return scale(magnitudes, turning(turns.reshape(shape)))

    def gradient(self, magnitudes: Array) -> tuple[Array, Array]:
        """The derivatives of the phase in cycles, by frames and by bins, of the shape of the magnitudes."""
        s = jnp.log(jnp.maximum(magnitudes, floor(magnitudes)))
        ratio = self.spread.astype(s.dtype) * self.n_fft / self.hop
        bins = lax.broadcasted_iota(jnp.int32, s.shape, s.ndim - 2)
        carrier = (bins * self.hop % self.n_fft).astype(s.dtype) / self.n_fft
        along_time = carrier + _slope(s, -2) / ratio / (2 * jnp.pi)
        along_frequency = -_slope(s, -1) * ratio / (2 * jnp.pi) - (self.n_fft // 2) / self.n_fft
        return along_time, along_frequency


def _slope(s: Array, axis: int) -> Array:
    """Central differences, one-sided at the ends."""
    size = s.shape[axis]
    ahead = jnp.minimum(jnp.arange(size) + 1, size - 1)
    behind = jnp.maximum(jnp.arange(size) - 1, 0)
    apart = (ahead - behind).astype(s.dtype).reshape((size,) + (1,) * (-1 - axis))
    apart = jnp.maximum(apart, 1).reshape((1,) * (s.ndim - apart.ndim) + apart.shape)
    return (jnp.take(s, ahead, axis=axis) - jnp.take(s, behind, axis=axis)) / apart


def _add_up(parent: Array, along_time: Array, along_frequency: Array) -> Array:
    """The sums of the increments along the paths to the roots, `(..., frequency · frames)`, by doubling the strides."""
    frames = along_time.shape[-1]
    flat_time, flat_frequency = (a.reshape(*a.shape[:-2], -1) for a in (along_time, along_frequency))
    here = lax.broadcasted_iota(jnp.int32, parent.shape, parent.ndim - 1)
    rows, columns = here // frames - parent // frames, here % frames - parent % frames

    def mean(values: Array) -> Array:
        return (values + jnp.take_along_axis(values, parent, axis=-1)) / 2

    total = rows.astype(along_time.dtype) * mean(flat_frequency) + columns.astype(along_time.dtype) * mean(flat_time)
    total = total - lax.stop_gradient(jnp.round(total))
    for _ in range(int(here.shape[-1] - 1).bit_length()):
        total = total + jnp.take_along_axis(total, parent, axis=-1)
        total = total - lax.stop_gradient(jnp.round(total))
        parent = jnp.take_along_axis(parent, parent, axis=-1)
    return total


def _parents(magnitudes: np.ndarray, tolerance: float) -> np.ndarray:
    """For each bin the bin that its phase comes from, itself for a root."""
    flat = magnitudes.reshape(-1, *magnitudes.shape[-2:])
    parents = np.stack([_forest(item, tolerance) for item in flat])
    return parents.reshape(*magnitudes.shape[:-2], -1)


def _forest(magnitudes: np.ndarray, tolerance: float) -> np.ndarray:
    bins, frames = magnitudes.shape
    size = (-magnitudes.ravel()).tolist()
    reached = (magnitudes <= tolerance * magnitudes.max()).ravel().tolist()
    parent = list(range(bins * frames))
    for root in np.argsort(-magnitudes, axis=None, kind="stable").tolist():
        if reached[root]:
            continue
        reached[root] = True
        heap = [(size[root], root)]
        while heap:
            _, bin = heapq.heappop(heap)
            column = bin % frames
            around = (
                bin + 1 if column < frames - 1 else bin,
                bin - 1 if column > 0 else bin,
                bin + frames if bin + frames < bins * frames else bin,
                bin - frames if bin >= frames else bin,
            )
            for next_bin in around:
                if not reached[next_bin]:
                    reached[next_bin] = True
                    parent[next_bin] = bin
                    heapq.heappush(heap, (size[next_bin], next_bin))
    return np.asarray(parent, np.int32)

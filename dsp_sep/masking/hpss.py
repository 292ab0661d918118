"""Harmonic and percussive masks by median filters.

Source: Fitzgerald, "Harmonic/percussive separation using median filtering", DAFx 2010.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import expand
from ..pytree import Number, domains, hyper, node, static
from .ratio import ratio

LANES = 128
"""How many signals are filtered at a time: a block of them stays in the cache of a processor."""


@node
class HPSS:
    """Masks for what sounds on (lines along time) and for what strikes (lines along frequency).

    `H` is the median of the magnitudes over neighbouring frames, `P` over neighbouring frequencies, and the masks are
    `Hᵖ / (Hᵖ + Pᵖ)` and `Pᵖ / (Hᵖ + Pᵖ)` (Fitzgerald 2010). The values are those of
    `librosa.decompose.hpss` with margin 1. Vibrato and glides count as percussive, and so does most of a voice.

    Attributes:
        exponent: `p`, shape `()`; 2 in the paper.
        frames: length of the median over frames, odd; 31 frames are 0.36 s at 44.1 kHz with a hop of 512 samples.
        bins: length of the median over frequencies, odd; 31 bins are 670 Hz at 44.1 kHz with an FFT of 2048 samples.

    Raises:
        ValueError: at construction, for a length that is even or not positive.
    """

    exponent: Number = hyper(default=2.0, domain=domains.REAL)
    frames: int = static(default=31)
    bins: int = static(default=31)

    def validate(self) -> None:
        for name in ("frames", "bins"):
            _check_size(getattr(self, name), f"HPSS: {name}")

    def __call__(self, magnitude: Array) -> Array:
        """The harmonic mask and the percussive one; they sum to one.

        Args:
            magnitude: nonnegative, `(..., channels, frequency, frames)`.

        Returns:
            `(..., 2, channels, frequency, frames)`.
        """
        if magnitude.ndim < 3:
            raise ValueError(
                f"HPSS: magnitude has shape {magnitude.shape}, expected (..., channels, frequency, frames)"
            )
        harmonic = median_filter(magnitude, self.frames, axis=-1)
        percussive = median_filter(magnitude, self.bins, axis=-2)
        enhanced = jnp.stack([harmonic, percussive], axis=-4)
        return ratio(enhanced, expand(self.exponent, enhanced.ndim))


@partial(jax.jit, static_argnames=("size", "axis"))
def median_filter(x: Array, size: int, axis: int = -1) -> Array:
    """The running median along an axis, mirrored at its ends (`d c b a | a b c d | d c b a`).

    It is exact, made of minima and maxima of whole rows: neighbouring windows share the sorted runs they consist of.
    The derivative is that of the element that is the median, and the mean of them where several are.

    Args:
        x: real, any shape.
        size: length of the window, odd.
        axis: the axis it runs along.

    Returns:
        The shape of `x`.

    Raises:
        ValueError: for a size that is even or not positive.
    """
    _check_size(size, "median_filter: size")
    along = jnp.moveaxis(x, axis, 0)
    padded = jnp.pad(along.reshape(along.shape[0], -1), ((size // 2, size // 2), (0, 0)), mode="symmetric")
    return jnp.moveaxis(_median(padded, size).reshape(along.shape), 0, axis)


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _median(x: Array, size: int) -> Array:
    """The median of each window of rows, `(rows, signals)` to `(rows - size + 1, signals)`."""
    rows, signals = x.shape
    count = -(-signals // LANES)
    blocks = jnp.pad(x, ((0, 0), (0, count * LANES - signals))).reshape(rows, count, LANES)
    medians = lax.map(partial(_middle, size=size), jnp.moveaxis(blocks, 1, 0))
    return jnp.moveaxis(medians, 0, 1).reshape(-1, count * LANES)[:, :signals]


@_median.defjvp
def _median_jvp(size, primals, tangents):
    (x,), (dx,) = primals, tangents
    median = _median(x, size)

    def add(sums, shift):
        window, dwindow = (lax.dynamic_slice_in_dim(rows, shift, median.shape[0]) for rows in (x, dx))
        chosen = window == median
        return (sums[0] + chosen.astype(x.dtype), sums[1] + jnp.where(chosen, dwindow, 0)), None

    (count, total), _ = lax.scan(add, (jnp.zeros_like(median),) * 2, jnp.arange(size))
    return median, total / count


def _middle(x: Array, size: int) -> Array:
    """The median of each window: of two sorted lists that make it up, the least of the greatest pairs."""
    half = size // 2 + 1
    rows = x.shape[0] - size + 1
    lower = [run[:rows] for run in _sorted_windows(x, half)]
    upper = [run[half:] for run in _sorted_windows(x, size - half)] if size > 1 else []
    median = lower[-1]
    for a, b in zip(lower[:-1], reversed(upper), strict=True):
        median = jnp.minimum(median, jnp.maximum(a, b))
    return median


def _sorted_windows(x: Array, size: int) -> list[Array]:
    """Every window of `size` rows, sorted: array `i` holds the `i`-th smallest of each."""
    if size == 1:
        return [x]
    half = 1 << (size - 1).bit_length() - 1
    rows = x.shape[0] - size + 1
    first = [run[:rows] for run in _sorted_windows(x, half)]
    second = [run[half : half + rows] for run in _sorted_windows(x, size - half)]
    return _merge(first, second)


def _merge(a: list[Array], b: list[Array]) -> list[Array]:
    """Two sorted lists as one, by comparisons that do not depend on the values (Batcher's odd-even merge)."""
    if not a or not b:
        return a or b
    if len(a) == len(b) == 1:
        return [jnp.minimum(a[0], b[0]), jnp.maximum(a[0], b[0])]
    even, odd = _merge(a[::2], b[::2]), _merge(a[1::2], b[1::2])
    merged = even[:1]
    for low, high in zip(odd, even[1:], strict=False):
        merged += [jnp.minimum(low, high), jnp.maximum(low, high)]
    pairs = min(len(odd), len(even) - 1)
    return merged + odd[pairs:] + even[1 + pairs :]


def _check_size(size: int, name: str) -> None:
    if not isinstance(size, int) or size < 1 or size % 2 == 0:
        raise ValueError(f"{name} must be an odd positive integer, got {size!r}")

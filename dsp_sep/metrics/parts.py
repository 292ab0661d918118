"""Long signals in parts of one length, each with what is around it: sums over the parts are sums over the signal."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

BLOCKS = 16
"""How many blocks of FFTs make a part."""


class Grid(NamedTuple):
    """How filters of `taps` taps go over signals, by FFTs of `block` samples.

    A part is `size` samples with `taps - 1` on both sides. The parts cover the samples of a signal and `taps - 1` more,
    for as long as filters sound on.
    """

    taps: int
    block: int
    size: int

    @property
    def around(self) -> int:
        """The samples on each side of a part."""
        return self.taps - 1

    @property
    def step(self) -> int:
        """The new samples in a block."""
        return self.block - self.around

    def starts(self, samples: int) -> range:
        """Where the parts begin, without what is before them, of a signal of so many samples."""
        return range(0, samples + self.around, self.size)


def grid(samples: int, taps: int) -> Grid:
    """The grid for signals of so many samples: blocks 8 times as long as the filters, few of them where few do."""
    block = max(8 * 2 ** int(np.ceil(np.log2(taps))), 1024)
    step = block - taps + 1
    return Grid(taps, block, step * min(BLOCKS, -(-(samples + taps - 1) // step)))


def cut(signal: Array, start: Array, count: int) -> Array:
    """`signal[..., start : start + count]`, silence where there is nothing; `start` may be traced, and negative."""
    samples = signal.shape[-1]
    if samples < count:
        signal = jnp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, count - samples)])
    first = jnp.clip(start, 0, signal.shape[-1] - count)
    part = jnp.roll(lax.dynamic_slice_in_dim(signal, first, count, axis=-1), first - start, axis=-1)
    place = start + jnp.arange(count)
    inside = ((place >= 0) & (place < samples)).reshape((1,) * (signal.ndim - 1) + (count,))
    return jnp.where(inside, part, 0)


def add_up(function: Callable[[Array, Array], Any], reference: Array, estimate: Array, layout: Grid) -> Any:
    """The sum over the parts of two signals of a function of two parts; derivatives take the memory of one part."""

    @jax.checkpoint
    def value(start: Array) -> Any:
        count = layout.size + 2 * layout.around
        return function(*(cut(signal, start - layout.around, count) for signal in (reference, estimate)))

    starts = np.array(layout.starts(reference.shape[-1]))
    if len(starts) == 1:
        return value(jnp.asarray(starts[0]))
    shapes = jax.eval_shape(value, jnp.asarray(starts[0]))
    nothing = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
    return lax.scan(lambda total, start: (jax.tree.map(jnp.add, total, value(start)), None), nothing, starts)[0]

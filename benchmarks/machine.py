"""What the machine allows, measured in the same run: copies, matrix products, Fourier transforms, as XLA has them."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .cost import Cost

SIDE, ROWS, POINTS, NUMBERS, PASSES = 1536, 2048, 2048, 2**24, 4
REPEATS = 5


class Machine(NamedTuple):
    """Rates for one precision.

    Attributes:
        bytes: read and written in a second by a pass over an array that no cache holds, with others after it.
        products: operations a second of a large square matrix product, at the highest precision.
        transforms: operations a second of many real FFTs, `2.5 n log2(n)` each.
    """

    bytes: float
    products: float
    transforms: float

    def least_seconds(self, cost: Cost) -> float:
        """The floor: memory and arithmetic at their rates, side by side; steps that are neither count as memory."""
        return max(cost.bytes / self.bytes, cost.products / self.products + cost.transforms / self.transforms)


def measure(dtype: str = "float32") -> Machine:
    """The best of a few calls each, about a second in all."""
    rng = np.random.default_rng(0)
    numbers = jax.device_put(rng.standard_normal(NUMBERS, np.float32).astype(dtype))
    square = numbers[: SIDE * SIDE].reshape(SIDE, SIDE)
    frames = numbers[: ROWS * POINTS].reshape(ROWS, POINTS)
    copying = _seconds(lambda x: lax.fori_loop(0, PASSES, lambda _, x: x + 1, x), numbers)
    multiplying = _seconds(lambda a: jnp.matmul(a, a, precision="highest"), square)
    transforming = _seconds(jnp.fft.rfft, frames)
    return Machine(
        2 * PASSES * numbers.nbytes / copying,
        2 * SIDE**3 / multiplying,
        ROWS * 2.5 * POINTS * math.log2(POINTS) / transforming,
    )


def _seconds(function: Callable[[jax.Array], jax.Array], operand: jax.Array) -> float:
    compiled = jax.jit(function)
    jax.block_until_ready(compiled(operand))
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(compiled(operand))
        seconds.append(time.perf_counter() - start)
    return min(seconds)

"""Fourier transforms over the last axis that stay on their device when other axes are sharded.

XLA gathers the operand of an FFT that is sharded over any axis, on jax 0.10 at least; here it is told that all axes
but the last are independent. The transpose of a real transform is again a real one.
"""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.experimental.custom_partitioning import custom_partitioning

from ..numerics import scale
from .linear import transposes


@partial(custom_partitioning, static_argnums=(1, 2))
def _transform(operand: Array, kind: str, n: int) -> Array:
    return lax.fft(operand, kind, (n,))


def _partition(kind: str, n: int, mesh: Any, operands: Any, result: Any) -> tuple:
    del result
    *batch, _ = operands[0].sharding.spec
    sharding = jax.NamedSharding(mesh, jax.P(*batch, None))
    return mesh, lambda operand: lax.fft(operand, kind, (n,)), sharding, (sharding,)


_transform.def_partition(_partition, sharding_rule="... i -> ... j", need_replication_factors=("i", "j"))


def _rfft(signal: Array, *, n: int) -> Array:
    return _transform(signal, "RFFT", n)


def _rfft_transpose(spectrum: Array, *, n: int) -> Array:
    return _transform(jnp.conj(_weighted(spectrum, n, ends=n, between=n / 2)), "IRFFT", n)


def _irfft(spectrum: Array, *, n: int) -> Array:
    return _transform(spectrum, "IRFFT", n)


def _irfft_transpose(signal: Array, *, n: int) -> Array:
    return jnp.conj(_weighted(_transform(signal, "RFFT", n), n, ends=1 / n, between=2 / n))


def _weighted(spectrum: Array, n: int, *, ends: float, between: float) -> Array:
    """The spectrum times one number at 0 and at half the rate, where the two sides meet, and another in between."""
    frequency = np.arange(n // 2 + 1)
    gain = np.where((frequency == 0) | (2 * frequency == n), ends, between).astype(spectrum.real.dtype)
    return scale(jnp.asarray(gain.reshape((1,) * (spectrum.ndim - 1) + gain.shape)), spectrum)


def _fft(signal: Array, *, n: int) -> Array:
    return _transform(signal, "FFT", n)


def _ifft(spectrum: Array, *, n: int) -> Array:
    return _transform(spectrum, "IFFT", n)


rfft = transposes(_rfft, _rfft_transpose)[0]
irfft = transposes(_irfft, _irfft_transpose)[0]
fft = transposes(_fft, _fft)[0]
ifft = transposes(_ifft, _ifft)[0]

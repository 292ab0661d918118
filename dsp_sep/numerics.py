"""Floors, safe elementary functions and the matrix product: the one place that decides what happens at zero.

Every function here is finite, and has finite and right derivatives, on zeros as well: the derivative at a point where
the mathematics has none (the phase of zero, the magnitude at zero) is zero by convention. Forward and reverse mode,
`jit`, `vmap`, float32 and float64 all work.
"""

from collections.abc import Callable
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.special import i0e, i1e

PRECISION = lax.Precision.HIGHEST


def real_dtype(tree: Any) -> jnp.dtype:
    """The real dtype that the inexact leaves of a pytree compute in (the default float when it has none)."""
    leaves = jax.tree.leaves(tree)
    reals = [jnp.finfo(leaf.dtype).dtype for leaf in leaves if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return np.result_type(*reals) if reals else jnp.dtype(jnp.result_type(float))


def tiny(dtype: Any) -> float:
    """The smallest magnitude told from zero: its square is still a normal number of `dtype`."""
    return float(jnp.finfo(dtype).tiny) ** 0.5


def floor(spectrogram: Array) -> Array:
    """What counts as zero beside a nonnegative spectrogram: `eps² · mean`, with shape `(..., 1, 1)`.

    It scales with the data, so that `c · V` is treated as `V` is; on digital silence it is a constant.

    Args:
        spectrogram: nonnegative, `(..., frequency, frames)`.
    """
    eps = jnp.finfo(spectrogram.dtype).eps
    mean = jnp.mean(spectrogram, axis=(-2, -1), keepdims=True)
    return lax.stop_gradient(jnp.maximum(eps**2 * mean, tiny(spectrogram.dtype)))


def square_magnitude(z: Array) -> Array:
    """`|z|²` of a real or complex array."""
    return z.real**2 + z.imag**2 if jnp.iscomplexobj(z) else z**2


def scale(gain: Array, z: Array) -> Array:
    """`gain · z` of a real gain and a real or complex array, without a product of complex numbers."""
    return lax.complex(gain * z.real, gain * z.imag) if jnp.iscomplexobj(z) else gain * z


@jax.custom_jvp
def magnitude(z: Array) -> Array:
    """`|z|` of a real or complex array, with the derivative zero at zero."""
    return jnp.sqrt(square_magnitude(z))


@magnitude.defjvp
def _magnitude_jvp(primals, tangents):
    (z,), (dz,) = primals, tangents
    u, inverse = _unit(z)
    return magnitude(z), jnp.where(inverse > 0, (jnp.conj(u) * dz).real, 0)


@jax.custom_jvp
def phase(z: Array) -> Array:
    """`z / |z|`, and 1 where `|z|` is below the smallest magnitude told from zero (the derivative is zero there)."""
    return _unit(z)[0]


@phase.defjvp
def _phase_jvp(primals, tangents):
    (z,), (dz,) = primals, tangents
    u, inverse = _unit(z)
    rotation = (jnp.conj(u) * dz).imag * inverse
    return u, scale(rotation, lax.complex(-u.imag, u.real)) if jnp.iscomplexobj(z) else jnp.zeros_like(z)


def _unit(z: Array) -> tuple[Array, Array]:
    """The phase and the inverse magnitude of `z`, the latter zero where `z` counts as zero."""
    square = square_magnitude(z)
    zero = square < jnp.finfo(square.dtype).tiny
    inverse = 1 / jnp.sqrt(jnp.where(zero, 1, square))
    return jnp.where(zero, 1, scale(inverse, z)), jnp.where(zero, 0, inverse)


def divide(numerator: Array, denominator: Array) -> Array:
    """`numerator / denominator`, and zero (its derivatives too) where a nonnegative denominator counts as zero."""
    zero = denominator <= tiny(denominator.dtype)
    return jnp.where(zero, 0, numerator / jnp.where(zero, 1, denominator))


def log(x: Array) -> Array:
    """The logarithm of a nonnegative array, of the smallest magnitude told from zero where it is below that."""
    return jnp.log(jnp.maximum(x, tiny(x.dtype)))


def power(x: Array, exponent: Array | float) -> Array:
    """`x ** exponent` of a nonnegative array; below the smallest magnitude told from zero, the power of that.

    Derivatives with respect to both are finite, at zero too.
    """
    return jnp.exp(exponent * log(x))


def bessel_ratios(kappa: Array) -> tuple[Array, Array]:
    """`I₁(κ) / I₀(κ)` and `I₂(κ) / I₀(κ)` for `κ ≥ 0`: the mean of `e^{iθ}` and of `e^{2iθ}` for a von Mises angle."""
    first = i1e(kappa) / i0e(kappa)
    small = kappa < 1e-2
    return first, jnp.where(small, kappa**2 / 8, 1 - 2 * first / jnp.where(small, 1, kappa))


def sum_of_few(x: Array, axis: int, *, keepdims: bool = False) -> Array:
    """The sum over an axis of a few entries, such as sources or channels, written out so that it fuses.

    As a reduction over an axis that is not the last it took XLA's CPU backend up to eighty times as long.
    """
    return _accumulated(jnp.add, x, axis, keepdims)


def max_of_few(x: Array, axis: int, *, keepdims: bool = False) -> Array:
    """The maximum over an axis of a few entries, as `sum_of_few` is the sum."""
    return _accumulated(jnp.maximum, x, axis, keepdims)


def _accumulated(operation: Callable[[Array, Array], Array], x: Array, axis: int, keepdims: bool) -> Array:
    kept = reduce(operation, lax.split(x, (1,) * x.shape[axis], axis % x.ndim))
    return kept if keepdims else jnp.squeeze(kept, axis)


@jax.custom_jvp
def sums(tree: Any) -> Any:
    """The sums over the last axis of real arrays of one shape, all in one pass.

    What the arrays have in common is computed once and nothing of it is stored; as sums of their own, XLA's CPU backend
    computes and stores each array before it adds it up. Where that axis is spread over devices, the partial sums are
    gathered, one array after the other, and added up on each.

    Args:
        tree: a pytree of arrays of the same shape `(..., n)`.

    Returns:
        The same tree with arrays `(...)`.
    """
    return _reduced(jnp.add, tree)


@sums.defjvp
def _sums_jvp(primals, tangents):
    return sums(*primals), jax.tree.map(lambda t: jnp.sum(t, axis=-1), *tangents)


def maxima(tree: Any) -> Any:
    """The largest entries along the last axis of nonnegative arrays of one shape, as `sums` are; constants to AD."""
    return _reduced(jnp.maximum, lax.stop_gradient(tree))


@jax.custom_jvp
def sum_and_max(x: Array) -> tuple[Array, Array]:
    """The sum and the largest entry along the last axis of a nonnegative array, in one pass as `sums` are."""
    zero = jnp.zeros((), x.dtype)
    both = lax.reduce((x, x), (zero, zero), lambda a, b: (a[0] + b[0], jnp.maximum(a[1], b[1])), (x.ndim - 1,))
    return both[0], both[1]


@sum_and_max.defjvp
def _sum_and_max_jvp(primals, tangents):
    (x,), (dx,) = primals, tangents
    total, most = sum_and_max(x)
    there = x == jnp.expand_dims(most, -1)
    return (total, most), (jnp.sum(dx, axis=-1), jnp.mean(dx, axis=-1, where=there))


def _reduced(operation: Callable[[Array, Array], Array], tree: Any) -> Any:
    arrays, structure = jax.tree.flatten(tree)
    zeros = [jnp.zeros((), array.dtype) for array in arrays]
    reduced = lax.reduce(arrays, zeros, lambda a, b: list(map(operation, a, b)), (arrays[0].ndim - 1,))
    return jax.tree.unflatten(structure, reduced)


def matmul(a: Array, b: Array) -> Array:
    """The matrix product over the last two axes, at the highest precision the hardware has.

    Multiplicative updates and inverses of covariances do not survive a lower one unseen. A program that wants it sets
    `dsp_sep.numerics.PRECISION` before it compiles anything.
    """
    return jnp.matmul(a, b, precision=PRECISION)


def transpose(a: Array) -> Array:
    """The last two axes exchanged."""
    return jnp.swapaxes(a, -1, -2)


def expand(a: Array, ndim: int) -> Array:
    """The array with axes of length one before its own, `ndim` in all; a number stays one."""
    return a if a.ndim == 0 else a.reshape((1,) * (ndim - a.ndim) + a.shape)

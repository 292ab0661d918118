"""Systems whose matrix is block Toeplitz, symmetric and positive: solved by the block Levinson recursion and FFTs.

The matrix is given by its first block column `(lags, m, m)`: block (s, t) is `column[s - t]`, and `column[t - s]ᵀ`
above the diagonal. It is never formed: memory is a few times that of `column`, time `O(lags² m³)`.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import matmul, transpose

LOADINGS = tuple(10.0**power for power in range(-12, -3, 2))
REFINEMENTS = 4
TOLERANCE = 1e-7


class Predictors(NamedTuple):
    """The best predictors from both sides: `T forward = [forward_error, 0…]`, `T backward = […0, backward_error]`.

    The first block of `forward` and the last of `backward`, both `(lags, m, m)`, are the identity.
    """

    forward: Array
    backward: Array
    forward_error: Array
    backward_error: Array


def spectrum(column: Array) -> Array:
    """The matrix as an operator in frequency, `(..., lags + 1, m, m)`: it multiplies the DFT of length `2 lags`.

    Args:
        column: `(..., lags, m, m)`.
    """
    before = jnp.flip(transpose(column[..., 1:, :, :]), axis=-3)
    circulant = jnp.concatenate([column, jnp.zeros_like(column[..., :1, :, :]), before], axis=-3)
    return jnp.fft.rfft(circulant, axis=-3)


def multiply(operator: Array, vectors: Array) -> Array:
    """The matrix times vectors `(..., lags, m, count)`, by its `spectrum`."""
    lags = vectors.shape[-3]
    return jnp.fft.irfft(matmul(operator, _pad(vectors)), 2 * lags, axis=-3)[..., :lags, :, :]


def solve(column: Array, right: Array) -> Array:
    """The least-squares solution `x` of `T x = right`, by iterated Tikhonov regularisation.

    With a small number on the diagonal the Levinson recursion gives the inverse as a difference of two products of
    triangular Toeplitz matrices (Gohberg-Semencul); refining with it four times, against T itself, takes the bias out
    again. The number, 1e-12 for a diagonal of ones, becomes 100 times as large until what is left of `right` is below
    1e-7 of it: where T is singular (equal channels, sines), or so near to it that the recursion breaks down.

    Args:
        column: `(lags, m, m)`, in float64, with a diagonal of ones; zeros stand for what is not there.
        right: `(lags, m, count)`.

    Returns:
        `(lags, m, count)`, differentiable with respect to both.

    Source: P. Whittle, "On the fitting of multivariate autoregressions", Biometrika 50, 1963; I. Gohberg, G. Heinig,
    "Inversion of finite Toeplitz matrices consisting of elements of a noncommutative algebra", 1974.
    """
    operator = spectrum(column)
    fixed, given = lax.stop_gradient(column), lax.stop_gradient(right)
    identity = jnp.eye(column.shape[-1], dtype=column.dtype)

    def attempt(index: Array) -> tuple[Array, Predictors, Array]:
        loading = jnp.asarray(LOADINGS, column.dtype)[index]
        found = predictors(fixed.at[0].add(loading * identity))
        rest = given - multiply(lax.stop_gradient(operator), _refine(operator, found, given))
        good = jnp.all(jnp.abs(rest) <= TOLERANCE * jnp.max(jnp.abs(given)))  # not of NaN
        return index + 1, found, good

    def unfinished(state: tuple[Array, Predictors, Array]) -> Array:
        return ~state[2] & (state[0] < len(LOADINGS))

    nothing = jax.tree.map(jnp.zeros_like, Predictors(fixed, fixed, fixed[0], fixed[0]))
    start = (jnp.zeros((), jnp.int32), nothing, jnp.zeros((), bool))
    _, found, _ = lax.while_loop(unfinished, lambda state: attempt(state[0]), start)
    return lax.custom_linear_solve(
        lambda x: multiply(operator, x), right, lambda _, b: _refine(operator, found, b), symmetric=True
    )


def predictors(column: Array) -> Predictors:
    """The block Levinson recursion (Whittle 1963) on `(lags, m, m)`."""
    lags, m, _ = column.shape
    start = jnp.zeros_like(column).at[0].set(jnp.eye(m, dtype=column.dtype))
    reversed_column = jnp.concatenate([column[::-1], jnp.zeros_like(column)])

    def longer(found: Predictors, order: Array) -> tuple[Predictors, None]:
        past = lax.dynamic_slice_in_dim(reversed_column, lags - 1 - order, lags)
        missed = matmul(jnp.moveaxis(past, 0, 1).reshape(m, -1), found.forward.reshape(-1, m))
        backward = jnp.roll(found.backward, 1, axis=0)
        errors = jnp.stack([found.backward_error, found.forward_error])
        ahead, behind = _solve_positive(errors, jnp.stack([missed, missed.T]))
        return (
            Predictors(
                found.forward - _right_multiply(backward, ahead),
                backward - _right_multiply(found.forward, behind),
                _symmetric(found.forward_error - matmul(missed.T, ahead)),
                _symmetric(found.backward_error - matmul(missed, behind)),
            ),
            None,
        )

    return lax.scan(longer, Predictors(start, start, column[0], column[0]), jnp.arange(1, lags))[0]


def _refine(operator: Array, found: Predictors, right: Array) -> Array:
    lags = right.shape[0]
    forward = jnp.fft.rfft(found.forward, 2 * lags, axis=0)
    backward = jnp.fft.rfft(jnp.roll(found.backward, 1, axis=0).at[0].set(0), 2 * lags, axis=0)

    triangles = jnp.stack([forward, backward])
    errors = jnp.stack([found.forward_error, found.backward_error])
    signs = jnp.array([1.0, -1.0], right.dtype)[:, None, None, None]

    def inverse(vectors: Array) -> Array:
        inner = multiply(jnp.conj(transpose(triangles)), vectors[None])
        columns = jnp.swapaxes(inner, 1, 2).reshape(2, inner.shape[2], -1)
        inner = jnp.swapaxes(_solve_positive(errors, columns).reshape(2, -1, lags, right.shape[-1]), 1, 2)
        return jnp.sum(signs * multiply(triangles, inner), axis=0)

    def refined(_: Array, x: Array) -> Array:
        return x + inverse(right - multiply(operator, x))

    return lax.fori_loop(0, 1 + REFINEMENTS, refined, jnp.zeros_like(right))


def _pad(vectors: Array) -> Array:
    return jnp.fft.rfft(vectors, 2 * vectors.shape[-3], axis=-3)


def _solve_positive(matrices: Array, right: Array) -> Array:
    """By Cholesky factors; NaN where a matrix is not positive."""
    lower = jnp.linalg.cholesky(matrices)
    half = jax.scipy.linalg.solve_triangular(lower, right, lower=True)
    return jax.scipy.linalg.solve_triangular(lower, half, lower=True, trans="T")


def _right_multiply(blocks: Array, factor: Array) -> Array:
    return matmul(blocks.reshape(-1, blocks.shape[-1]), factor).reshape(blocks.shape)


def _symmetric(matrix: Array) -> Array:
    return (matrix + matrix.T) / 2

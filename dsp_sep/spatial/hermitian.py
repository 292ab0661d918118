"""Small Hermitian matrices, one for each time-frequency bin, written out entry by entry.

A matrix is a list of rows of its lower triangle, `A[i][k]` for `k <= i`, a vector a list; the entries are arrays over
`(..., frequency, frames)`, so that every operation runs along the frames. The factorisation is Cholesky's without
square roots, `A = L D Lᴴ`; for one and two rows that is the closed form.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ..numerics import scale, square_magnitude

Vector = Sequence[Array]
Lower = Sequence[Sequence[Array]]


class Factor(NamedTuple):
    """`L` below its diagonal of ones, and the positive diagonal `D`."""

    lower: list[list[Array]]
    diagonal: list[Array]


def factor(A: Lower) -> Factor:
    """`A = L D Lᴴ`; no pivot is less than a few roundings of the entry it stands in, so singular matrices are safe."""
    lower: list[list[Array]] = []
    diagonal: list[Array] = []
    for i, row in enumerate(A):
        own: list[Array] = []
        for k in range(i):
            rest = row[k]
            for m in range(k):
                rest = rest - scale(diagonal[m], own[m] * jnp.conj(lower[k][m]))
            own.append(scale(1 / diagonal[k], rest))
        pivot = row[i].real
        smallest = 4 * jnp.finfo(pivot.dtype).eps * pivot
        for m in range(i):
            pivot = pivot - diagonal[m] * square_magnitude(own[m])
        lower.append(own)
        diagonal.append(jnp.maximum(pivot, smallest))
    return Factor(lower, diagonal)


def solve(A: Factor, x: Vector) -> list[Array]:
    """`A⁻¹ x`."""
    half = _forward(A, x)
    y = [scale(1 / d, h) for d, h in zip(A.diagonal, half, strict=True)]
    for i in reversed(range(len(y))):
        for k in range(i + 1, len(y)):
            y[i] = y[i] - jnp.conj(A.lower[k][i]) * y[k]
    return y


def inverse(A: Factor) -> list[list[Array]]:
    """The lower triangle of `A⁻¹ = L⁻ᴴ D⁻¹ L⁻¹`, with a real diagonal."""
    size = len(A.diagonal)
    columns: list[list[Array]] = []
    for k in range(size):  # the part below the diagonal of column k of the inverse of L
        column: list[Array] = []
        for i in range(k + 1, size):
            entry = -A.lower[i][k]
            for m in range(k + 1, i):
                entry = entry - A.lower[i][m] * column[m - k - 1]
            column.append(entry)
        columns.append(column)
    weights = [1 / d for d in A.diagonal]
    result: list[list[Array]] = []
    for i in range(size):
        row = []
        for k in range(i):
            entry = scale(weights[i], columns[k][i - k - 1])
            for m in range(i + 1, size):
                entry = entry + scale(weights[m], jnp.conj(columns[i][m - i - 1]) * columns[k][m - k - 1])
            row.append(entry)
        own = weights[i]
        for m in range(i + 1, size):
            own = own + weights[m] * square_magnitude(columns[i][m - i - 1])
        result.append([*row, own])
    return result


def log_determinant(A: Factor) -> Array:
    """`log det A`."""
    return sum((jnp.log(d) for d in A.diagonal[1:]), jnp.log(A.diagonal[0]))


def quadratic(A: Factor, x: Vector) -> Array:
    """`xᴴ A⁻¹ x`, real."""
    terms = [square_magnitude(h) / d for d, h in zip(A.diagonal, _forward(A, x), strict=True)]
    return sum(terms[1:], terms[0])


def _forward(A: Factor, x: Vector) -> list[Array]:
    """`L⁻¹ x`."""
    half: list[Array] = []
    for i, entry in enumerate(x):
        for k in range(i):
            entry = entry - A.lower[i][k] * half[k]
        half.append(entry)
    return half

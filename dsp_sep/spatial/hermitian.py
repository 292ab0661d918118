"""Small Hermitian matrices, one for each time-frequency bin, written out entry by entry.

The entries, and those of vectors, are `Planes` over `(..., frequency, frames)`, so that every operation runs along the
frames. The factorisation is Cholesky's without square roots, `A = L D Lᴴ`; for one and two rows that is the closed
form.
"""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from .planes import Planes

Vector = Sequence[Planes]


class Hermitian(NamedTuple):
    """What is below the diagonal, `lower[i][k]` for `k < i`, and the diagonal, which is real."""

    lower: list[list[Planes]]
    diagonal: list[Array]

    def matrices(self) -> Array:
        """Matrices `(..., channels, channels)` from entries `(...)`."""
        size = range(len(self.diagonal))
        return jnp.stack([jnp.stack([self._entry(i, k) for k in size], axis=-1) for i in size], axis=-2)

    def _entry(self, i: int, k: int) -> Array:
        if i == k:
            return lax.complex(self.diagonal[i], jnp.zeros_like(self.diagonal[i]))
        return (self.lower[i][k] if k < i else self.lower[k][i].conj()).joined()


class Factor(NamedTuple):
    """`L` below its diagonal of ones, and the positive diagonal `D`."""

    lower: list[list[Planes]]
    diagonal: list[Array]


def factor(A: Hermitian) -> Factor:
    """`A = L D Lᴴ`; no pivot is less than a few roundings of the entry it stands in, so singular matrices are safe."""
    lower: list[list[Planes]] = []
    diagonal: list[Array] = []
    for row, pivot in zip(A.lower, A.diagonal, strict=True):
        own: list[Planes] = []
        for k, rest in enumerate(row):
            for m in range(k):
                rest = rest - own[m] * lower[k][m].conj() * diagonal[m]
            own.append(rest * (1 / diagonal[k]))
        smallest = 4 * jnp.finfo(pivot.dtype).eps * pivot
        for m, entry in enumerate(own):
            pivot = pivot - diagonal[m] * entry.square()
        lower.append(own)
        diagonal.append(jnp.maximum(pivot, smallest))
    return Factor(lower, diagonal)


def solve(A: Factor, x: Vector) -> list[Planes]:
    """`A⁻¹ x`."""
    y = [h * (1 / d) for d, h in zip(A.diagonal, _forward(A, x), strict=True)]
    for i in reversed(range(len(y))):
        for k in range(i + 1, len(y)):
            y[i] = y[i] - A.lower[k][i].conj() * y[k]
    return y


def inverse(A: Factor) -> Hermitian:
    """`A⁻¹ = L⁻ᴴ D⁻¹ L⁻¹`."""
    size = len(A.diagonal)
    columns: list[list[Planes]] = []
    for k in range(size):  # the part below the diagonal of column k of -L⁻¹
        column: list[Planes] = []
        for i in range(k + 1, size):
            entry = A.lower[i][k]
            for m in range(k + 1, i):
                entry = entry - A.lower[i][m] * column[m - k - 1]
            column.append(entry)
        columns.append(column)
    weights = [1 / d for d in A.diagonal]
    lower: list[list[Planes]] = []
    diagonal: list[Array] = []
    for i in range(size):
        row = []
        for k in range(i):
            entry = columns[k][i - k - 1] * -weights[i]
            for m in range(i + 1, size):
                entry = entry + columns[i][m - i - 1].conj() * columns[k][m - k - 1] * weights[m]
            row.append(entry)
        own = weights[i]
        for m in range(i + 1, size):
            own = own + weights[m] * columns[i][m - i - 1].square()
        lower.append(row)
        diagonal.append(own)
    return Hermitian(lower, diagonal)


def log_determinant(A: Factor) -> Array:
    """`log det A`."""
    return sum((jnp.log(d) for d in A.diagonal[1:]), jnp.log(A.diagonal[0]))


def quadratic(A: Factor, x: Vector) -> Array:
    """`xᴴ A⁻¹ x`, real."""
    terms = [h.square() / d for d, h in zip(A.diagonal, _forward(A, x), strict=True)]
    return sum(terms[1:], terms[0])


def _forward(A: Factor, x: Vector) -> list[Planes]:
    """`L⁻¹ x`."""
    half: list[Planes] = []
    for row, entry in zip(A.lower, x, strict=True):
        for own, above in zip(row, half, strict=True):
            entry = entry - own * above
        half.append(entry)
    return half

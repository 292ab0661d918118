"""Eigenvalues of many small Hermitian matrices at once, by Jacobi's rotations."""

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import scale, square_magnitude, tiny


def eigenvalues(A: Array) -> tuple[Array, Array]:
    """The eigenvalues, ascending, and the eigenvectors of Hermitian matrices; constants to AD.

    All matrices turn together, each step an operation along the batch (Jacobi, 1846; in the rounds of a tournament:
    Brent and Luk, 1985). jaxlib has LAPACK take them one after the other, in threads of the pool that runs the program:
    on several devices of one processor these may wait for each other for ever.

    Args:
        A: real or complex, `(..., n, n)`, with `n` up to some tens.

    Returns:
        Real `(..., n)`, with errors of some roundings beside the largest in magnitude, and `(..., n, n)`, whose
        columns are orthonormal.
    """
    n = A.shape[-1]
    players = n + n % 2
    A = lax.stop_gradient(A)
    largest = jnp.max(jnp.maximum(jnp.abs(A.real), jnp.abs(A.imag)), axis=(-2, -1), keepdims=True)
    unit = jnp.maximum(largest, tiny(largest.dtype))
    B = jnp.moveaxis(scale(1 / unit, A), (-2, -1), (0, 1))
    B = jnp.pad(B, [(0, players - n)] * 2 + [(0, 0)] * (B.ndim - 2))
    V = jnp.broadcast_to(jnp.eye(players, dtype=B.dtype).reshape(players, players, *[1] * (B.ndim - 2)), B.shape)
    seats = jnp.array(_next_seats(players))

    def play(_: int, both: tuple[Array, Array]) -> tuple[Array, Array]:
        B, V = both
        cosine, sine = _rotations(B)
        B = _adjoint(_turned(_adjoint(_turned(B, cosine, sine)), cosine, sine))
        return B[seats][:, seats], _turned(V, cosine, sine)[:, seats]

    B, V = lax.fori_loop(0, (players - 1) * _sweeps(n), play, (B, V))
    values = jnp.moveaxis(jnp.diagonal(B).real, -1, 0)[:n]
    order = jnp.argsort(values, axis=0)
    values = jnp.moveaxis(jnp.take_along_axis(values, order, axis=0), 0, -1) * unit[..., 0]
    return values, jnp.moveaxis(jnp.take_along_axis(V[:n, :n], order[None], axis=1), (0, 1), (-2, -1))


def _rotations(B: Array) -> tuple[Array, Array]:
    """What turns away the entry between the first and the second of each pair: cosine, and sine with a phase.

    Entries far below the largest wait: between eigenvalues that are equal they call for large turns, which would bring
    the larger ones back.
    """
    first = jnp.arange(0, len(B), 2)
    entry, gap = B[first, first + 1], (B[first + 1, first + 1] - B[first, first]).real
    outside = ~jnp.eye(len(B), dtype=bool).reshape(len(B), len(B), *[1] * (B.ndim - 2))
    largest = jnp.max(square_magnitude(B), axis=(0, 1), where=outside, initial=0, keepdims=True)[0]
    square = square_magnitude(entry)
    counts = square > jnp.maximum(1e-6 * largest, tiny(square.dtype))
    square = jnp.where(counts, square, 1)
    away = jnp.abs(gap) + jnp.sqrt(gap**2 + 4 * square)
    tangent = jnp.where(counts, jnp.where(gap < 0, -2, 2) / away, 0)
    cosine = lax.rsqrt(1 + tangent**2 * square)
    return cosine[None], scale(cosine * tangent, jnp.conj(entry))[None]


def _turned(B: Array, cosine: Array, sine: Array) -> Array:
    """The columns, a pair at a time."""
    first, second = B[:, ::2], B[:, 1::2]
    turned = scale(cosine, first) - sine * second, jnp.conj(sine) * first + scale(cosine, second)
    return jnp.stack(turned, axis=2).reshape(B.shape)


def _adjoint(B: Array) -> Array:
    return jnp.conj(jnp.swapaxes(B, 0, 1))


def _next_seats(players: int) -> list[int]:
    """Who takes which seat, neighbours being pairs: all but the first move on, and after all rounds are back."""
    circle = [*range(0, players, 2), *range(players - 1, 0, -2)]
    moved = [circle[0], circle[-1], *circle[1:-1]]
    return [moved[circle.index(seat)] for seat in range(players)]


def _sweeps(n: int) -> int:
    """How often all meet all before nothing is left: two by two it takes one rotation, else found by trying."""
    return 1 if n <= 2 else 6 + (n + 1) // 2

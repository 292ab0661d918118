"""Pure functions for determined mixtures, as many channels as sources: `y = W x` at every frequency.

Shapes: mixture and sources `(..., channels, frequency, frames)`, weights of the sources broadcasting against these,
demixing matrices `W` `(..., frequency, sources, channels)`, whose rows are the filters of the sources.
"""

import itertools

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import expand, matmul, scale, square_magnitude, sum_of_few, tiny, transpose
from .eigenvalues import eigenvalues


def start_matrices(start: Array | None, mixture: Array) -> Array:
    """Square matrices for every frequency, `(..., frequency, channels, channels)`: identities unless given."""
    *batch, channels, frequencies, _ = mixture.shape
    W = jnp.eye(channels, dtype=mixture.dtype) if start is None else start.astype(mixture.dtype)
    return jnp.broadcast_to(expand(W, len(batch) + 3), (*batch, frequencies, channels, channels))


def demix(W: Array, mixture: Array) -> Array:
    """`W x`, `(..., sources, frequency, frames)`; written out, for products of matrices as small as these are slow."""

    def source(j: int) -> Array:
        terms = [W[..., j, c, None] * mixture[..., c, :, :] for c in range(W.shape[-1])]
        return sum(terms[1:], terms[0])

    return jnp.stack([source(j) for j in range(W.shape[-2])], axis=-3)


def project_back(W: Array, mixture: Array) -> Array:
    """The images of the sources at the channels, `x_j = W⁻¹ e_j (W x)_j`; they sum to the mixture (see `completed`).

    The scale of the filters does not matter (Murata, Ikeda and Ziehe, 2001).

    Returns:
        `(..., sources, channels, frequency, frames)`.
    """
    return completed(images(inverse(W), demix(W, mixture)), mixture)


def images(mixing: Array, sources: Array) -> Array:
    """`A e_j y_j`, `(..., sources, channels, frequency, frames)`, for `A` `(..., frequency, channels, sources)`."""
    steering = jnp.expand_dims(jnp.moveaxis(mixing, -3, -1), -1)  # (..., channels, sources, frequency, 1)
    return jnp.swapaxes(steering, -4, -3) * jnp.expand_dims(sources, -3)


def completed(images: Array, mixture: Array) -> Array:
    """Images with equal parts of what the mixture has beside their sum: rounding, by the condition of the matrices."""
    missing = jnp.expand_dims(mixture, -4) - sum_of_few(images, -4, keepdims=True)
    return images + scale(jnp.asarray(1 / images.shape[-4], missing.real.dtype), missing)


def whiten(mixture: Array) -> tuple[Array, Array, Array]:
    """Channels of unit power without correlation, as near to the channels as can be: `z = Q x`, `Q = C^(-1/2)`.

    Directions without power (identical channels, silence) are left small, not blown up.

    Returns:
        `z`, `Q` and its inverse, both `(..., frequency, channels, channels)`.
    """
    C = regular(weighted_covariances(mixture, jnp.ones((1,) * mixture.ndim, mixture.real.dtype))[..., 0, :, :, :])
    Q = inverse_root(C)
    return demix(Q, mixture), Q, matmul(C, Q)


@jax.custom_jvp
def inverse_root(A: Array) -> Array:
    """`A^(-1/2)` of positive definite Hermitian matrices; its derivative is right for equal eigenvalues as well."""
    values, vectors = _eigenvalues(A)
    return matmul(scale(1 / jnp.sqrt(values), vectors), jnp.conj(transpose(vectors)))


@inverse_root.defjvp
def _inverse_root_jvp(primals, tangents):
    (A,), (dA,) = primals, tangents
    values, V = _eigenvalues(A)
    roots = jnp.sqrt(values)
    quotients = -1 / (roots * transpose(roots) * (roots + transpose(roots)))  # of Daleckii and Krein
    dA = scale(jnp.asarray(0.5, roots.dtype), dA + jnp.conj(transpose(dA)))
    inner = matmul(jnp.conj(transpose(V)), matmul(dA, V))
    return inverse_root(A), matmul(V, matmul(scale(quotients, inner), jnp.conj(transpose(V))))


def _eigenvalues(A: Array) -> tuple[Array, Array]:
    """`(..., 1, n)`, at least a rounding of the largest, and the eigenvectors."""
    values, vectors = eigenvalues(A)
    least = jnp.finfo(values.dtype).eps * jnp.maximum(values[..., -1:], tiny(values.dtype))
    return jnp.expand_dims(jnp.maximum(values, least), -2), vectors


def weighted_covariances(mixture: Array, weights: Array) -> Array:
    """`U_j = mean_n φ_j x xᴴ`, `(..., sources, frequency, channels, channels)`."""
    x = [mixture[..., c : c + 1, :, :] for c in range(mixture.shape[-3])]

    def mean(a: int, b: int) -> Array:
        product = x[a] * jnp.conj(x[b])
        shape = jnp.broadcast_shapes(weights.shape, product.shape)
        return jnp.mean(scale(jnp.broadcast_to(weights, shape), jnp.broadcast_to(product, shape)), axis=-1)

    lower = [[mean(a, b) for b in range(a + 1)] for a in range(len(x))]
    rows = [[lower[a][b] if b <= a else jnp.conj(lower[b][a]) for b in range(len(x))] for a in range(len(x))]
    return jnp.stack([jnp.stack(row, axis=-1) for row in rows], axis=-2)


def iterative_projection(W: Array, mixture: Array, weights: Array) -> Array:
    """IP1 (Ono, 2011): each filter in turn, `w_j ← (W U_j)⁻¹ e_j`, normalised to `w_jᴴ U_j w_j = 1`."""
    return project(W, weighted_covariances(mixture, weights))


def project(W: Array, U: Array) -> Array:
    """`iterative_projection` for covariances `U` `(..., sources, frequency, channels, channels)`."""
    for j in range(W.shape[-2]):
        U_j = regular(U[..., j, :, :, :], float(jnp.finfo(W.dtype).eps))
        w = _normalized(inverse(matmul(W, U_j))[..., j : j + 1], U_j)
        W = W.at[..., j, :].set(jnp.conj(w[..., 0]))
    return W


def pairwise_projection(W: Array, mixture: Array, weights: Array) -> Array:
    """IP2 (Ono, 2018): two filters at a time, by the generalised eigenvectors of their two by two covariances.

    The pairs are neighbours, `(0, 1), (1, 2), …` and the last with the first; with two sources there is one.
    """
    U = weighted_covariances(mixture, weights)
    for m, n in pairs(W.shape[-2]):
        covariances = [regular(U[..., j, :, :, :], float(jnp.finfo(W.dtype).eps)) for j in (m, n)]
        P = [inverse(matmul(W, C))[..., jnp.array((m, n))] for C in covariances]
        G = [matmul(jnp.conj(transpose(p)), matmul(C, p)) for p, C in zip(P, covariances, strict=True)]
        for j, p, C, h in zip((m, n), P, covariances, _generalized_eigenvectors(*G), strict=True):
            W = W.at[..., j, :].set(jnp.conj(_normalized(matmul(p, h), C)[..., 0]))
    return W


def source_steering(W: Array, mixture: Array, weights: Array) -> Array:
    """ISS (Scheibler and Ono, 2020): for each source a rank-one update of all filters, without an inverse.

    The covariances hold as little noise as those of `iterative_projection`.
    """
    y = demix(W, mixture)
    weights = weights * jnp.ones_like(y.real)
    eps = float(jnp.finfo(weights.dtype).eps)
    trace = jnp.mean(weights * jnp.mean(square_magnitude(mixture), axis=-3, keepdims=True), axis=-1)
    noise = jnp.maximum(4 * eps * trace, eps)
    for k in range(W.shape[-2]):
        own, filters = y[..., k : k + 1, :, :], W[..., k : k + 1, :]
        gain = jnp.swapaxes(jnp.sum(square_magnitude(filters), axis=-1), -1, -2)
        energy = jnp.mean(weights * square_magnitude(own), axis=-1) + noise * gain
        likeness = jnp.swapaxes(jnp.sum(W * jnp.conj(filters), axis=-1), -1, -2)
        common = jnp.mean(scale(weights, y * jnp.conj(own)), axis=-1) + scale(noise, likeness)
        v = scale(1 / energy, common)
        v = v.at[..., k, :].set((1 - 1 / jnp.sqrt(energy[..., k, :])).astype(v.dtype))
        y = y - jnp.expand_dims(v, -1) * own
        W = W - jnp.expand_dims(jnp.swapaxes(v, -1, -2), -1) * filters
    return W


def pairs(sources: int) -> list[tuple[int, int]]:
    """Neighbours, the last with the first."""
    return [(0, 1)] if sources == 2 else [(j, (j + 1) % sources) for j in range(sources)]


def align(powers: Array) -> Array:
    """The order of the sources at every frequency that makes their activities alike, `(..., frequency, sources)`.

    Frequencies from the one whose sources differ most on join one after the other, each in the order that goes best
    with the sum of those before (Murata, Ikeda and Ziehe, 2001). All orders are tried: for up to six sources.

    Args:
        powers: magnitudes of the sources, `(..., sources, frequency, frames)`; other batch axes are gone through.
    """
    if powers.ndim > 3:
        return jax.vmap(align)(powers)
    sources = powers.shape[-3]
    orders = jnp.asarray(list(itertools.permutations(range(sources))))
    P = jnp.moveaxis(powers, -2, 0)
    norm = jnp.sqrt(jnp.sum(P**2, axis=1, keepdims=True))
    P = P / jnp.maximum(norm, tiny(P.dtype))
    likeness = jnp.sum(matmul(P, transpose(P)), axis=(1, 2))

    def join(total, frequency):
        candidates = P[frequency][orders]
        best = orders[jnp.argmax(jnp.sum(candidates * total[None], axis=(1, 2)))]
        return total + P[frequency][best], best

    ranked = jnp.argsort(likeness)
    first = P[ranked[0]]
    _, rest = jax.lax.scan(join, first, ranked[1:])
    chosen = jnp.concatenate([jnp.arange(sources, dtype=rest.dtype)[None], rest])
    return jnp.zeros_like(chosen).at[ranked].set(chosen)


def regular(U: Array, least: float = 0.0) -> Array:
    """A covariance with a little of its trace, at least so much, on the diagonal: safe for identical channels."""
    count = U.shape[-1]
    trace = jnp.trace(U, axis1=-2, axis2=-1).real / count
    eps = jnp.finfo(trace.dtype).eps
    load = jnp.maximum(4 * eps * trace, max(least, tiny(trace.dtype)))
    eye = jnp.eye(count, dtype=load.dtype).reshape((1,) * (U.ndim - 2) + (count, count))
    return U + (jnp.expand_dims(load, (-2, -1)) * eye).astype(U.dtype)


def _normalized(w: Array, U: Array) -> Array:
    """`w / √(wᴴ U w)` of columns `(..., channels, 1)`."""
    energy = matmul(jnp.conj(transpose(w)), matmul(U, w)).real
    return scale(1 / jnp.sqrt(jnp.maximum(energy, tiny(energy.dtype))), w)


def inverse(A: Array) -> Array:
    """The inverse; of two by two matrices in closed form."""
    if A.shape[-1] != 2:
        return jnp.linalg.inv(A)
    a, b, c, d = A[..., 0, 0], A[..., 0, 1], A[..., 1, 0], A[..., 1, 1]
    adjugate = jnp.stack([jnp.stack([d, -b], axis=-1), jnp.stack([-c, a], axis=-1)], axis=-2)
    return adjugate / jnp.expand_dims(a * d - b * c, (-2, -1))


def _generalized_eigenvectors(A: Array, B: Array) -> tuple[Array, Array]:
    """Columns `h` with `A h = λ B h` of two by two Hermitian matrices, the larger `λ` first."""
    M = matmul(inverse(B), A)
    a, b, c, d = M[..., 0, 0], M[..., 0, 1], M[..., 1, 0], M[..., 1, 1]
    half = (a - d) / 2
    square = (half**2 + b * c).real
    root = jnp.sqrt(jnp.maximum(square, tiny(square.dtype)))
    right = half.real >= 0
    away = half + jnp.where(right, root, -root).astype(M.dtype)
    upper = jnp.stack([jnp.stack([away, c], axis=-1), jnp.stack([b, -away], axis=-1)], axis=-1)
    lower = jnp.stack([jnp.stack([b, -away], axis=-1), jnp.stack([away, c], axis=-1)], axis=-1)
    both = jnp.where(jnp.expand_dims(right, (-2, -1)), upper, lower)
    return both[..., :1], both[..., 1:]

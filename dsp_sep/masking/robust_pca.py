"""Robust PCA: what repeats, as a matrix of low rank, and what does not, as a sparse one."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import divide, matmul, transpose
from ..pytree import Number, domains, hyper, node
from .thresholds import soft_threshold


class Layers(NamedTuple):
    """The low-rank part and the sparse part, both of the shape of the data."""

    low_rank: Array
    sparse: Array


class RobustPCAState(NamedTuple):
    """The two parts, the multiplier of `low_rank + sparse = M`, and its penalty, `(..., 1, 1)`."""

    parts: Layers
    multiplier: Array
    penalty: Array


class RobustPCAData(NamedTuple):
    """The matrix, its largest singular value and its Frobenius norm, `(..., 1, 1)`."""

    M: Array
    largest: Array
    norm: Array


@node
class RobustPCA(Algorithm):
    """`min ‖L‖_* + λ ‖S‖₁` subject to `L + S = M`, by the inexact augmented Lagrangian method.

    Lin, Chen and Ma (2010), "The augmented Lagrange multiplier method for exact recovery of corrupted low-rank
    matrices", algorithm 5; Huang, Chen, Smaragdis and Hasegawa-Johnson (2012), "Singing-voice separation from monaural
    recordings using robust principal component analysis": `M` a magnitude spectrogram, `L` the accompaniment, `S` the
    voice, then a binary or a ratio mask of the two. Data: `M`, real, `(..., frequency, frames)`. Output: `Layers`.
    One singular value decomposition an iteration, which is what it costs. The objective is the distance from
    `L + S = M` relative to `M`; it does not fall at every step. Derivatives go through it
    (`singular_value_threshold`), on equal singular values too.

    Attributes:
        sparsity: λ times `√max(frequencies, frames)`, positive, shape `()`; 1 in the papers.
        growth: how much the penalty grows with each iteration, from `1.25 / ‖M‖₂` on, shape `()`; 1.5 in the code of
            that paper, 1.6 and 6 elsewhere. The closer to 1, the nearer to the optimum and the slower.
    """

    sparsity: Number = hyper(default=1.0, domain=domains.POSITIVE)
    growth: Number = hyper(default=1.5, domain=domains.POSITIVE)

    def prepare(self, data: Array) -> RobustPCAData:
        if data.ndim < 2 or not jnp.issubdtype(data.dtype, jnp.floating):
            raise ValueError(
                f"RobustPCA: the spectrogram has shape {data.shape} and dtype {data.dtype}, "
                f"expected real (..., frequency, frames)"
            )
        largest = spectral_norm(data)
        return RobustPCAData(data, largest, jnp.sqrt(jnp.sum(data**2, axis=(-2, -1), keepdims=True)))

    def init(self, data: RobustPCAData, *, key: Array | None = None) -> RobustPCAState:
        """Nothing in either part, and the multiplier `M / max(‖M‖₂, ‖M‖_∞ / λ)`, which the dual problem admits."""
        peak = jnp.max(jnp.abs(data.M), axis=(-2, -1), keepdims=True) / self._weight(data)
        zeros = jnp.zeros_like(data.M)
        multiplier = divide(data.M, jnp.maximum(data.largest, peak))
        return RobustPCAState(
            Layers(zeros, zeros), multiplier, divide(1.25 * jnp.ones_like(data.largest), data.largest)
        )

    def update(self, state: RobustPCAState, data: RobustPCAData) -> RobustPCAState:
        unit = divide(jnp.ones_like(state.penalty), state.penalty)
        target = data.M + unit * state.multiplier
        low_rank = singular_value_threshold(target - state.parts.sparse, unit)
        sparse = soft_threshold(target - low_rank, self._weight(data) * unit)
        multiplier = state.multiplier + state.penalty * (data.M - low_rank - sparse)
        return RobustPCAState(Layers(low_rank, sparse), multiplier, self.growth * state.penalty)

    def readout(self, state: RobustPCAState, data: RobustPCAData) -> Layers:
        return state.parts

    def objective(self, state: RobustPCAState, data: RobustPCAData) -> Array:
        rest = data.M - state.parts.low_rank - state.parts.sparse
        return divide(jnp.sqrt(jnp.sum(rest**2, axis=(-2, -1))), data.norm[..., 0, 0])

    def _weight(self, data: RobustPCAData) -> Array:
        return self.sparsity / max(data.M.shape[-2:]) ** 0.5


@jax.custom_jvp
def singular_value_threshold(X: Array, threshold: Array) -> Array:
    """The proximal map of `threshold ‖X‖_*`: singular values made smaller by it, down to zero.

    It has derivatives where singular values are equal too, unlike the decomposition: they are differences of the
    shortened values over differences of the values, which stay between 0 and 1 (Lewis and Sendov, 2005, "Nonsmooth
    analysis of singular values").

    Args:
        X: real, `(..., frequency, frames)`.
        threshold: nonnegative, `(..., 1, 1)`.
    """
    U, s, right = jnp.linalg.svd(X, full_matrices=False)
    return matmul(U * jnp.maximum(s - threshold[..., 0], 0)[..., None, :], right)


@singular_value_threshold.defjvp
def _singular_value_threshold_jvp(primals, tangents):
    (X, threshold), (dX, dthreshold) = primals, tangents
    U, s, right = jnp.linalg.svd(X, full_matrices=False)
    short = jnp.maximum(s - threshold[..., 0], 0)
    kept = (s > threshold[..., 0]).astype(X.dtype)
    row, column = (lambda x: x[..., :, None]), (lambda x: x[..., None, :])
    gap = row(s) - column(s)
    close = jnp.abs(gap) <= 10 * jnp.finfo(X.dtype).eps * s[..., :1, None]
    differences = jnp.where(
        close, (row(kept) + column(kept)) / 2, (row(short) - column(short)) / jnp.where(close, 1, gap)
    )
    sums = divide(row(short) + column(short), row(s) + column(s))
    inner = matmul(matmul(transpose(U), dX), transpose(right))
    turned = transpose(inner)
    moved = differences * (inner + turned) / 2 + sums * (inner - turned) / 2
    gain = divide(short, s)
    outside = matmul(dX, transpose(right)) - matmul(U, inner)
    beside = matmul(transpose(U), dX) - matmul(inner, right)
    tangent = matmul(matmul(U, moved) + outside * column(gain), right) + matmul(U, row(gain) * beside)
    return matmul(U * column(short), right), tangent - dthreshold * matmul(U * column(kept), right)


def spectral_norm(X: Array) -> Array:
    """The largest singular value, `(..., 1, 1)`; its derivative `u vᵀ` is finite where it is not alone, and at zero."""
    U, _, right = jax.tree.map(jax.lax.stop_gradient, jnp.linalg.svd(jax.lax.stop_gradient(X), full_matrices=False))
    return matmul(transpose(U[..., :, :1]), matmul(X, transpose(right[..., :1, :])))

"""The local Gaussian model (Duong, Vincent and Gribonval, 2010): what it says of a mixture, and of what is in it.

The image of source `j` at the channels is a complex Gaussian vector, zero in the mean, with the covariance
`v_j(f, n) R_j(f)`: a power that changes and a spatial covariance that does not. The mixture then has the covariance
`R_x = Σ_j v_j R_j + σ² I`, where the noise `σ²` may be as small as one likes. With `u = R_x⁻¹ x`:

- posterior mean of the image (the multichannel Wiener filter): `ĉ_j = v_j R_j u`;
- posterior second moment: `R̂_j = v_j R_j + v_j² R_j (u uᴴ - R_x⁻¹) R_j`, where nothing is divided by a power or
  multiplied by the inverse of a spatial covariance: silent sources and covariances of any rank are safe.

Shapes: mixture `(..., channels, frequency, frames)`; powers `(..., sources, 1, frequency, frames)`; spatial
covariances `(..., sources, frequency, channels, channels)`; noise `()` or `(..., 1, 1)`. Any number of each.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import matmul, power, scale, sum_of_few, sums, tiny, transpose
from . import hermitian
from .eigenvalues import eigenvalues
from .hermitian import Hermitian, Vector
from .planes import Planes, planes

Statistics = tuple[Array, Array, Array]
"""See `covariance_statistics`."""


def channels_of(x: Array) -> list[Planes]:
    """The channels of `(..., channels, frequency, frames)`."""
    return [planes(channel) for channel in _along(x)]


def stacked(images: Vector) -> Array:
    """`(..., sources, channels, frequency, frames)` from images channel by channel."""
    return jnp.stack([image.joined() for image in images], axis=-3)


def completed(images: Vector, mixture: Array) -> list[Planes]:
    """The images channel by channel with equal parts of what the mixture has beside them, so that they sum to it."""

    def channel(x: Array, image: Array) -> Array:
        return image + (_all(x, image.shape[-3]) - sum_of_few(image, -3, keepdims=True)) / image.shape[-3]

    return jax.tree.map(channel, channels_of(mixture), images)


def modelled(powers: Array, covariances: Array, noise: Array) -> Hermitian:
    """`R_x = Σ_j v_j R_j + σ² I`, entry by entry."""
    v, channels = powers[..., 0, :, :], range(covariances.shape[-1])

    def lower(a: int, b: int) -> Planes:
        R = _entry(covariances, a, b) * v
        return Planes(sum_of_few(R.real, -3), sum_of_few(R.imag, -3))

    diagonal = [sum_of_few(_diagonal(covariances, a) * v, -3) + noise for a in channels]
    return Hermitian([[lower(a, b) for b in range(a)] for a in channels], diagonal)


def mixture_covariance(powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """`R_x = Σ_j v_j R_j + σ² I`, `(..., channels, channels, frequency, frames)`."""
    return _before_frames(modelled(powers, covariances, _noise(noise, powers)).matrices())


def wiener_gain(powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """The multichannel Wiener filters `v_j R_j R_x⁻¹`, `(..., sources, channels, channels, frequency, frames)`.

    `posterior_mean` applies them without forming them.
    """
    P = hermitian.inverse(hermitian.factor(modelled(powers, covariances, _noise(noise, powers)))).matrices()
    v, channels = powers[..., 0, :, :], range(P.shape[-1])
    columns = [_images([planes(P[..., a, b]) for a in channels], v, covariances) for b in channels]
    gains = [jnp.stack([entry.joined() for entry in column], axis=-1) for column in columns]
    return _before_frames(jnp.stack(gains, axis=-1))


def posterior_mean(mixture: Array, powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """The expected images `ĉ_j = v_j R_j R_x⁻¹ x`, `(..., sources, channels, frequency, frames)`.

    They sum to the mixture but for the share of the noise, `σ² R_x⁻¹ x`.
    """
    return stacked(posterior_images(mixture, powers, covariances, _noise(noise, powers)))


def posterior_images(mixture: Array, powers: Array, covariances: Array, noise: Array) -> list[Planes]:
    """`posterior_mean` channel by channel, each `(..., sources, frequency, frames)`."""
    A = hermitian.factor(modelled(powers, covariances, noise))
    return _images(hermitian.solve(A, channels_of(mixture)), powers[..., 0, :, :], covariances)


def posterior_power(mixture: Array, powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """`z_j = tr(R_j⁻¹ R̂_j) / channels`, the powers the sources are expected to have; of the shape of the powers."""
    excess = _excess(mixture, powers, covariances, noise)
    v, channels = powers[..., 0, :, :], len(excess.diagonal)
    excess = jax.tree.map(lambda x: _all(x, v.shape[-3]), excess)
    terms = [_diagonal(covariances, a) * excess.diagonal[a] for a in range(channels)]
    for a, row in enumerate(excess.lower):
        for b, entry in enumerate(row):
            R = _entry(covariances, a, b)
            terms.append(2 * (R.real * entry.real + R.imag * entry.imag))
    change = sum(terms[1:], terms[0])
    floor = jnp.finfo(powers.dtype).eps * v
    return jnp.expand_dims(jnp.maximum(v * (1 + v * change / channels), floor), -3)


def covariance_statistics(
    mixture: Array, powers: Array, covariances: Array, noise: Array, new_powers: Array, exponent: Array | None
) -> Statistics:
    """What `updated_covariances` needs of some frames; statistics of several blocks of frames add up.

    With weights `w = v'ᵖ` of the frames they are `Σ w/v' v² (u uᴴ - R_x⁻¹)`, `Σ w/v' v` and `Σ w`. Exponent `()` or
    `(..., 1, 1)`; none is 0.
    """
    excess = _excess(mixture, powers, covariances, noise)
    gram, kept, weights = _summed(excess, powers[..., 0, :, :], new_powers[..., 0, :, :], exponent)
    return gram.matrices(), kept, weights


@jax.custom_jvp
def _summed(excess: Hermitian, v: Array, new: Array, exponent: Array | None) -> tuple[Hermitian, Array, Array]:
    """The sums over frames, source by source in one pass; derivatives of all sources at once take a third less time."""
    sources = sums([_weighted(excess, *each, exponent) for each in zip(_along(v), _along(new), strict=True)])
    return jax.tree.map(lambda *each: jnp.stack(each, axis=-2), *sources)


@_summed.defjvp
def _summed_jvp(primals, tangents):
    def of_all(excess, v, new, exponent):
        if exponent is not None and exponent.ndim:
            exponent = jnp.expand_dims(exponent, -3)
        return sums(_weighted(jax.tree.map(lambda x: _all(x, v.shape[-3]), excess), v, new, exponent))

    return _summed(*primals), jax.jvp(of_all, primals, tangents)[1]


def _weighted(excess: Hermitian, v: Array, new: Array, exponent: Array | None) -> tuple[Hermitian, Array, Array]:
    """`w/v' v² (u uᴴ - R_x⁻¹)`, `w/v' v` and `w`, of one source or of all."""
    share = 1 / jnp.maximum(new, tiny(new.dtype)) if exponent is None else power(new, exponent - 1)
    return jax.tree.map(lambda entry: share * v * v * entry, excess), share * v, share * new


def updated_covariances(covariances: Array, statistics: Statistics) -> Array:
    """`R_j ← Σ_n w (R̂_j / v'_j) / Σ_n w` from the statistics, `(..., sources, frequency, channels, channels)`."""
    gram, kept, weights = statistics
    kept, weights = (jnp.expand_dims(x, (-2, -1)) for x in (kept, weights))
    change = matmul(matmul(covariances, gram), covariances)
    moved = scale(kept / weights, covariances) + scale(1 / weights, change)
    return lifted(scale(jnp.asarray(0.5, moved.real.dtype), moved + jnp.conj(transpose(moved))))


@jax.custom_jvp
def lifted(covariances: Array) -> Array:
    """With no eigenvalue below the precision to the power 0.45 beside their mean.

    `updated_covariances` subtracts what is nearly as large as they are, with an error of a rounding by the square of
    their condition: when the smallest eigenvalue nears the square root of the precision beside the largest, nothing of
    it is left. Derivatives are those of the covariances as they come.
    """
    values, vectors = eigenvalues(covariances)
    least = jnp.finfo(values.dtype).eps ** 0.45 * jnp.mean(jnp.maximum(values, 0), axis=-1, keepdims=True)
    weighted = scale(jnp.expand_dims(jnp.maximum(values, least), -2), vectors)
    return matmul(weighted, jnp.conj(transpose(vectors)))


@lifted.defjvp
def _lifted_jvp(primals, tangents):
    return lifted(*primals), tangents[0]


def local_gaussian(images: Array, floor: Array | float = 0.0) -> tuple[Array, Array]:
    """Powers and spatial covariances of images as they are: `v = ‖c‖² / channels`, `R = Σ_n c cᴴ / (floor + Σ_n v)`.

    Args:
        images: `(..., sources, channels, frequency, frames)`.
        floor: `()` or `(..., 1, 1)`.
    """
    powers, (gram, total) = local_gaussian_statistics(channels_of(images))
    return powers, divided(gram, total, _noise(floor, powers))


def local_gaussian_statistics(images: Vector) -> tuple[Array, tuple[Array, Array]]:
    """The powers, and the sums over frames `(Σ c cᴴ, Σ v)` that make up the covariances.

    Args:
        images: channel by channel, each `(..., sources, frequency, frames)`.
    """
    squares = [c.square() for c in images]
    v = sum(squares[1:], squares[0]) / len(squares)
    lower = [[c * other.conj() for other in images[:a]] for a, c in enumerate(images)]
    gram, total = sums((Hermitian(lower, squares), v))
    return jnp.expand_dims(v, -3), (gram.matrices(), total)


def divided(gram: Array, total: Array, floor: Array) -> Array:
    """`Σ c cᴴ / (floor + Σ v)`."""
    return scale(jnp.expand_dims(1 / (total + floor), (-2, -1)), gram)


def normalize_power(powers: Array, covariances: Array) -> tuple[Array, Array]:
    """The same model with covariances whose trace is the number of channels (those that are zero stay)."""
    count = covariances.shape[-1]
    trace = jnp.trace(covariances, axis1=-2, axis2=-1).real / count
    trace = jnp.where(trace > 0, trace, 1)
    return powers * jnp.expand_dims(trace, (-3, -1)), scale(jnp.expand_dims(1 / trace, (-2, -1)), covariances)


def negative_log_likelihood(mixture: Array, powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """`log det R_x + xᴴ R_x⁻¹ x` for every bin, `(..., frequency, frames)`; constants are left out.

    It is the log-det (in one channel Itakura-Saito) divergence between `x xᴴ` and `R_x`, but for a constant.
    """
    A = hermitian.factor(modelled(powers, covariances, _noise(noise, powers)))
    return hermitian.log_determinant(A) + hermitian.quadratic(A, channels_of(mixture))


def _excess(mixture: Array, powers: Array, covariances: Array, noise: Array | float) -> Hermitian:
    """`u uᴴ - R_x⁻¹`, what the observations have more than the model says."""
    A = hermitian.factor(modelled(powers, covariances, _noise(noise, powers)))
    u, P = hermitian.solve(A, channels_of(mixture)), hermitian.inverse(A)
    lower = [[u[a] * u[b].conj() - entry for b, entry in enumerate(row)] for a, row in enumerate(P.lower)]
    return Hermitian(lower, [own.square() - entry for own, entry in zip(u, P.diagonal, strict=True)])


def _images(u: Vector, v: Array, covariances: Array) -> list[Planes]:
    """`v R u` for every source, row by row."""
    u = [jax.tree.map(lambda x: _all(x, v.shape[-3]), entry) for entry in u]
    rows = [[_entry(covariances, a, b) * u[b] for b in range(len(u))] for a in range(len(u))]
    return [sum(row[1:], row[0]) * v for row in rows]


def _noise(noise: Array | float, powers: Array) -> Array:
    """The noise with axes `(..., 1, 1)`, as entries of matrices have them."""
    noise = jnp.asarray(noise, powers.dtype)
    return noise.reshape((1,) * (powers.ndim - 2 - noise.ndim) + noise.shape)


def _entry(covariances: Array, a: int, b: int) -> Planes:
    """`R[a, b]` of all sources, over `(..., sources, frequency, 1)`."""
    return planes(jnp.expand_dims(covariances[..., a, b], -1))


def _diagonal(covariances: Array, a: int) -> Array:
    """`R[a, a]`, which is real."""
    return _entry(covariances, a, a).real


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def _all(entry: Array, sources: int) -> Array:
    """Something that all sources have in common, once for each."""
    return jnp.broadcast_to(jnp.expand_dims(entry, -3), (*entry.shape[:-2], sources, *entry.shape[-2:]))


@_all.defjvp
def _all_jvp(sources, primals, tangents):
    return _all(*primals, sources), jnp.stack(tangents * sources, axis=-3)  # whose transpose is a sum written out


def _along(x: Array) -> list[Array]:
    """Each source, or channel, of `(..., sources, frequency, frames)`, by a split, whose transpose is one operation."""
    return [jnp.squeeze(part, -3) for part in lax.split(x, (1,) * x.shape[-3], x.ndim - 3)]


def _before_frames(matrices: Array) -> Array:
    """`(..., channels, channels, frequency, frames)` from `(..., frequency, frames, channels, channels)`."""
    return jnp.moveaxis(matrices, (-2, -1), (-4, -3))

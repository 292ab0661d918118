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

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import matmul, power, scale, square_magnitude, transpose
from . import hermitian
from .hermitian import Vector


def channels_of(x: Array) -> list[Array]:
    """The channels of `(..., channels, frequency, frames)`."""
    return [x[..., c, :, :] for c in range(x.shape[-3])]


def modelled(powers: Array, covariances: Array, noise: Array) -> list[list[Array]]:
    """The lower triangle of `R_x = Σ_j v_j R_j + σ² I`, entry by entry."""

    def entry(a: int, b: int) -> Array:
        v, R = powers[..., 0, :, :], _entry(covariances, a, b)
        real = jnp.sum(v * R.real, axis=-3)
        return real + noise if a == b else lax.complex(real, jnp.sum(v * R.imag, axis=-3))

    return [[entry(a, b) for b in range(a + 1)] for a in range(covariances.shape[-1])]


def mixture_covariance(powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """`R_x = Σ_j v_j R_j + σ² I`, `(..., channels, channels, frequency, frames)`."""
    return _before_frames(_full(modelled(powers, covariances, _noise(noise, powers))))


def wiener_gain(powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """The multichannel Wiener filters `v_j R_j R_x⁻¹`, `(..., sources, channels, channels, frequency, frames)`.

    `posterior_mean` applies them without forming them.
    """
    P = _full(hermitian.inverse(hermitian.factor(modelled(powers, covariances, _noise(noise, powers)))))
    v = powers[..., 0, :, :]
    columns = [_images([_all(row[b]) for row in P], v, covariances) for b in range(len(P))]
    return _before_frames([[column[a] for column in columns] for a in range(len(P))])


def posterior_mean(mixture: Array, powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """The expected images `ĉ_j = v_j R_j R_x⁻¹ x`, `(..., sources, channels, frequency, frames)`.

    They sum to the mixture but for the share of the noise, `σ² R_x⁻¹ x`.
    """
    return jnp.stack(posterior_images(mixture, powers, covariances, _noise(noise, powers)), axis=-3)


def posterior_images(mixture: Array, powers: Array, covariances: Array, noise: Array) -> list[Array]:
    """`posterior_mean` channel by channel, each `(..., sources, frequency, frames)`."""
    A = hermitian.factor(modelled(powers, covariances, noise))
    u = [_all(entry) for entry in hermitian.solve(A, channels_of(mixture))]
    return _images(u, powers[..., 0, :, :], covariances)


def posterior_power(mixture: Array, powers: Array, covariances: Array, noise: Array | float = 0.0) -> Array:
    """`z_j = tr(R_j⁻¹ R̂_j) / channels`, the powers the sources are expected to have; of the shape of the powers."""
    excess = _excess(mixture, powers, covariances, noise)
    v, count = powers[..., 0, :, :], len(excess)
    change = jnp.zeros_like(v)
    for a, row in enumerate(excess):
        for b in range(a):
            R = _entry(covariances, a, b)
            change = change + 2 * (R.real * _all(row[b].real) + R.imag * _all(row[b].imag))
        change = change + _entry(covariances, a, a).real * _all(row[a])
    floor = jnp.finfo(powers.dtype).eps * v
    return jnp.expand_dims(jnp.maximum(v * (1 + v * change / count), floor), -3)


def covariance_statistics(
    mixture: Array, powers: Array, covariances: Array, noise: Array, new_powers: Array, exponent: Array
) -> tuple[Array, Array, Array]:
    """What `updated_covariances` needs of some frames; statistics of several blocks of frames add up.

    With weights `w = v'ᵖ` of the frames they are `Σ w/v' v² (u uᴴ - R_x⁻¹)`, `Σ w/v' v` and `Σ w`. Exponent `()` or
    `(..., 1, 1, 1)`.
    """
    excess = _excess(mixture, powers, covariances, noise)
    v, new = powers[..., 0, :, :], new_powers[..., 0, :, :]
    share = power(new, exponent - 1)
    gain = share * v * v
    grams = [[_sum(scale(gain, _all(entry))) for entry in row] for row in excess]
    return _matrices(grams), _sum(share * v), _sum(share * new)


def updated_covariances(covariances: Array, statistics: tuple[Array, Array, Array]) -> Array:
    """`R_j ← Σ_n w (R̂_j / v'_j) / Σ_n w` from the statistics, `(..., sources, frequency, channels, channels)`."""
    gram, kept, weights = statistics
    kept, weights = (jnp.expand_dims(x, (-2, -1)) for x in (kept, weights))
    change = matmul(matmul(covariances, gram), covariances)
    moved = scale(kept / weights, covariances) + scale(1 / weights, change)
    return lifted(scale(jnp.asarray(0.5, moved.real.dtype), moved + jnp.conj(transpose(moved))))


def lifted(covariances: Array) -> Array:
    """With no eigenvalue below a root of the precision beside their mean.

    `updated_covariances` subtracts what is nearly as large as they are, with an error of a rounding by the smallest
    eigenvalue: beyond the root its result can be negative. Derivatives are those of the covariances as they come.
    """
    fixed = lax.stop_gradient(covariances)
    mean = jnp.trace(fixed, axis1=-2, axis2=-1).real / fixed.shape[-1]
    least = jnp.finfo(mean.dtype).eps ** 0.5 * mean
    lift = jnp.maximum(least - jnp.linalg.eigvalsh(fixed)[..., 0], 0)
    identity = jnp.broadcast_to(jnp.eye(fixed.shape[-1], dtype=fixed.dtype), fixed.shape)
    return covariances + scale(jnp.expand_dims(lift, (-2, -1)), identity)


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
    squares = [square_magnitude(c) for c in images]
    v = sum(squares[1:], squares[0]) / len(squares)
    grams = [
        [_sum(images[a] * jnp.conj(images[b])) for b in range(a)] + [_sum(squares[a])] for a in range(len(squares))
    ]
    return jnp.expand_dims(v, -3), (_matrices(grams), _sum(v))


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


def _excess(mixture: Array, powers: Array, covariances: Array, noise: Array | float) -> list[list[Array]]:
    """The lower triangle of `u uᴴ - R_x⁻¹`, what the observations have more than the model says; real diagonal."""
    A = hermitian.factor(modelled(powers, covariances, _noise(noise, powers)))
    u, P = hermitian.solve(A, channels_of(mixture)), hermitian.inverse(A)
    return [
        [u[a] * jnp.conj(u[b]) - P[a][b] for b in range(a)] + [square_magnitude(u[a]) - P[a][a]] for a in range(len(u))
    ]


def _images(u: Vector, v: Array, covariances: Array) -> list[Array]:
    """`v R u` for every source, row by row."""
    rows = [[_entry(covariances, a, b) * u[b] for b in range(len(u))] for a in range(len(u))]
    return [scale(v, sum(row[1:], row[0])) for row in rows]


def _noise(noise: Array | float, powers: Array) -> Array:
    """The noise with axes `(..., 1, 1)`, as entries of matrices have them."""
    noise = jnp.asarray(noise, powers.dtype)
    return noise.reshape((1,) * (powers.ndim - 2 - noise.ndim) + noise.shape)


def _entry(covariances: Array, a: int, b: int) -> Array:
    """`R[a, b]` of all sources, over `(..., sources, frequency, 1)`."""
    return jnp.expand_dims(covariances[..., a, b], -1)


def _all(entry: Array) -> Array:
    """Something that all sources have in common, with their axis."""
    return jnp.expand_dims(entry, -3)


def _sum(x: Array) -> Array:
    return jnp.sum(x, axis=-1)


def _full(rows: list[list[Array]]) -> list[list[Array]]:
    """Both triangles of a Hermitian matrix from the lower one with its real diagonal."""
    size = range(len(rows))

    def entry(a: int, b: int) -> Array:
        if a == b:
            return lax.complex(rows[a][a], jnp.zeros_like(rows[a][a]))
        return rows[a][b] if b < a else jnp.conj(rows[b][a])

    return [[entry(a, b) for b in size] for a in size]


def _matrices(lower: list[list[Array]]) -> Array:
    """Hermitian matrices `(..., channels, channels)` from entries `(...)`."""
    return jnp.stack([jnp.stack(row, axis=-1) for row in _full(lower)], axis=-2)


def _before_frames(rows: list[list[Array]]) -> Array:
    """Matrices `(..., channels, channels, frequency, frames)` from entries `(..., frequency, frames)`."""
    return jnp.stack([jnp.stack(row, axis=-3) for row in rows], axis=-4)

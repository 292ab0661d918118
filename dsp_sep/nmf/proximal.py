"""Proximal steps of the divergences that have one in closed form."""

import jax.numpy as jnp
from jax import Array, lax

from .divergences import Divergence, Euclidean, ItakuraSaito, KullbackLeibler


def proximal(divergence: Divergence, V: Array, Z: Array, rho: Array) -> Array:
    """`argmin D(V | X) + ρ/2 ‖X - Z‖²` over `X`, positive but for `Euclidean`, element by element.

    Args:
        divergence: one of those in `PROXIMAL`.
        V: positive.
        Z: real, of the shape of `V`.
        rho: ρ, positive, shape `()`.
    """
    return PROXIMAL[type(divergence)](V, Z, rho)


def _euclidean(V: Array, Z: Array, rho: Array) -> Array:
    return (V + rho * Z) / (1 + rho)


def _kullback_leibler(V: Array, Z: Array, rho: Array) -> Array:
    half = (Z - 1 / rho) / 2
    root = jnp.sqrt(half**2 + V / rho)
    return jnp.where(half > 0, half + root, V / rho / (root + jnp.abs(half)))


def _itakura_saito(V: Array, Z: Array, rho: Array) -> Array:
    """The root of `ρ x³ - ρ z x² + x - v` that is the minimum: the only one, or the least or the largest of three.

    The code of Sun and Févotte (2014) takes the largest. The roots by Cardano's formula lose digits where they are
    small beside `z`; Newton steps give these back, and the last one gives the derivative of the root.
    """
    frozen = lax.stop_gradient((V, Z, rho))
    largest, least = (_polished(root, *frozen) for root in _cardano(*frozen))

    def cost(X: Array) -> Array:
        return frozen[0] / X + jnp.log(X) + frozen[2] / 2 * (X - frozen[1]) ** 2

    root = jnp.where(cost(least) < cost(largest), least, largest)
    slope = _slope(root, *frozen[1:])
    return root - jnp.where(slope > 0, _cubic(root, V, Z, rho) / jnp.where(slope > 0, slope, 1), 0)


def _cardano(V: Array, Z: Array, rho: Array) -> tuple[Array, Array]:
    """The largest and the least real root, with `x = y + z/3` and `y³ + 3 m y = 2 h`."""
    m = 1 / (3 * rho) - Z**2 / 9
    h = Z**3 / 27 - Z / (6 * rho) + V / (2 * rho)
    discriminant = h**2 + m**3
    three = (discriminant < 0) & (m < 0)
    a = jnp.cbrt(h + jnp.where(h < 0, -1, 1) * jnp.sqrt(jnp.maximum(discriminant, 0)))
    b = -m / jnp.where(a == 0, 1, a)
    alone = 2 * h / jnp.where(a == 0, 1, a**2 + m + b**2)
    radius = jnp.sqrt(jnp.where(three, -m, 1))
    angle = jnp.arccos(jnp.clip(jnp.where(three, h, 0) / radius**3, -1, 1)) / 3
    largest, least = (2 * radius * jnp.cos(angle + turn) for turn in (0, 2 * jnp.pi / 3))
    largest, least = (jnp.maximum(Z / 3 + jnp.where(three, y, alone), 0) for y in (largest, least))
    return largest, least


def _polished(X: Array, V: Array, Z: Array, rho: Array, steps: int = 3) -> Array:
    for _ in range(steps):
        slope = _slope(X, Z, rho)
        moved = X - _cubic(X, V, Z, rho) / jnp.where(slope > 0, slope, jnp.inf)
        X = jnp.where(moved > 0, moved, X)
    return jnp.maximum(X, jnp.finfo(X.dtype).tiny)


def _cubic(X: Array, V: Array, Z: Array, rho: Array) -> Array:
    return rho * X**2 * (X - Z) + X - V


def _slope(X: Array, Z: Array, rho: Array) -> Array:
    return rho * X * (3 * X - 2 * Z) + 1


PROXIMAL = {Euclidean: _euclidean, KullbackLeibler: _kullback_leibler, ItakuraSaito: _itakura_saito}

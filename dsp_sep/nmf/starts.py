"""Where a factorisation starts from."""

import math
from typing import Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from ..numerics import divide
from ..pytree import domains, hyper, node


class Start(Protocol):
    """A start for both factors, or for the activations of a known dictionary."""

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        """`(..., frequency, components)` for `V` `(..., frequency, frames)`."""

    def start_activations(self, V: Array, components: int, key: Array | None) -> Array:
        """`(..., components, frames)`, with the scale that goes with `start_dictionary`."""

    def start_activations_of(self, V: Array, W: Array, key: Array | None) -> Array:
        """`(..., components, frames)` for a dictionary that stays."""


@node
class Random:
    """Half-normal numbers, scaled so that `W H` has the mean of `V`. It needs a key."""

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        return self._draw(V, components, (V.shape[-2], components), key, 0)

    def start_activations(self, V: Array, components: int, key: Array | None) -> Array:
        return self._draw(V, components, (components, V.shape[-1]), key, 1)

    def start_activations_of(self, V: Array, W: Array, key: Array | None) -> Array:
        noise = jax.random.normal(split(key)[1], _activations_shape(V, W), V.dtype)
        return proportional(V, W) * (jnp.abs(noise) * math.sqrt(math.pi / 2))

    def _draw(self, V: Array, components: int, shape: tuple[int, int], key: Array | None, part: int) -> Array:
        scale = jnp.sqrt(jnp.mean(V, axis=(-2, -1), keepdims=True) * (math.pi / 2 / components))
        return scale * jnp.abs(jax.random.normal(split(key)[part], (*V.shape[:-2], *shape), V.dtype))


@node
class Proportional:
    """For a dictionary that stays: all components equally active, as loud in each frame as `V` is. Draws nothing."""

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        raise ValueError(
            "Proportional starts the activations of a dictionary that is known; use Random for both factors"
        )

    start_activations = start_dictionary

    def start_activations_of(self, V: Array, W: Array, key: Array | None) -> Array:
        return jnp.broadcast_to(proportional(V, W), _activations_shape(V, W))


@node
class Given:
    """Factors from elsewhere, broadcast over batch axes.

    Attributes:
        dictionary: `W`, `(..., frequency, components)`.
        activations: `H`, `(..., components, frames)`.
    """

    dictionary: Array | None = hyper(default=None, domain=domains.NONNEGATIVE)
    activations: Array | None = hyper(default=None, domain=domains.NONNEGATIVE)

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        return _given(self.dictionary, "dictionary", (*V.shape[:-1], components))

    def start_activations(self, V: Array, components: int, key: Array | None) -> Array:
        return _given(self.activations, "activations", (*V.shape[:-2], components, V.shape[-1]))

    def start_activations_of(self, V: Array, W: Array, key: Array | None) -> Array:
        return _given(self.activations, "activations", _activations_shape(V, W))


def proportional(V: Array, W: Array) -> Array:
    """The activation, `(..., 1, frames)`, that gives `W H` the sum of `V` in each frame if all components share it."""
    return divide(jnp.sum(V, axis=-2, keepdims=True), jnp.sum(W, axis=(-2, -1), keepdims=True))


def fits(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    """Whether the last two axes are those expected, and the ones before broadcast to theirs."""
    try:
        return shape[-2:] == expected[-2:] and np.broadcast_shapes(shape, expected) == expected
    except ValueError:
        return False


def _activations_shape(V: Array, W: Array) -> tuple[int, ...]:
    return (*V.shape[:-2], W.shape[-1], V.shape[-1])


def _given(value: Array | None, name: str, shape: tuple[int, ...]) -> Array:
    if value is None:
        raise ValueError(f"Given: {name} of shape {shape} is needed here, and none was given")
    if not fits(value.shape, shape):
        raise ValueError(f"Given: {name} has shape {value.shape}, expected {shape}")
    return jnp.broadcast_to(value, shape)


def split(key: Array | None) -> Array:
    """Two keys of one, which has to be there."""
    if key is None:
        raise ValueError("a random start needs a key: pass key=jax.random.key(seed) to the driver")
    return jax.random.split(key)

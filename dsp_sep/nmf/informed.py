"""Starts that look at the data. No derivative goes through them: they say where the iteration begins, not where to."""

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import matmul, transpose
from ..pytree import node, static
from .sparse import norms, unit_norm
from .starts import Proportional, Random


@node
class NNDSVD(Proportional):
    """The nonnegative parts of the singular vectors of `V`, with exact zeros, which multiplicative updates keep.

    Boutsidis and Gallopoulos (2008), "SVD based initialization: a head start for nonnegative matrix factorization".
    Of each pair of singular vectors the signs (both, or both turned) with the larger product of norms are kept, so the
    sign convention of the decomposition does not matter. Draws nothing. As many components as frequencies or frames at
    most. Where the zeros hinder (multiplicative updates from few frames), use `NNDSVDa`.
    """

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        return self._filled(V, _nonnegative_svd(V, components)[0])

    def start_activations(self, V: Array, components: int, key: Array | None) -> Array:
        return self._filled(V, _nonnegative_svd(V, components)[1])

    def _filled(self, V: Array, factor: Array) -> Array:
        return factor


@node
class NNDSVDa(NNDSVD):
    """`NNDSVD` with the mean of `V` in place of the zeros, as in that paper and in scikit-learn.

    The factors scale as `√V` and what fills them as `V`: unlike all else here it depends on the scale of the data.
    """

    def _filled(self, V: Array, factor: Array) -> Array:
        return jnp.where(factor == 0, lax.stop_gradient(jnp.mean(V, axis=(-2, -1), keepdims=True)), factor)


@node
class KMeans(Random):
    """The spectral shapes of clusters of frames, by spherical k-means; it needs a key.

    Frames scaled to unit norm are gathered around unit vectors (k-means++ seeds, weighted by the energy of frames);
    `W` holds these, and `H` the correlation of every frame with each, a fifth of it where the frame is in another
    cluster. Wild, Curry and Dougherty (2004) recommend it over random starts.

    Attributes:
        iterations: of Lloyd's algorithm.
    """

    iterations: int = static(default=10)

    def start_dictionary(self, V: Array, components: int, key: Array | None) -> Array:
        return self._start(V, components, key)[0]

    def start_activations(self, V: Array, components: int, key: Array | None) -> Array:
        return self._start(V, components, key)[1]

    def _start(self, V: Array, components: int, key: Array | None) -> tuple[Array, Array]:
        if key is None:
            raise ValueError("a k-means start needs a key: pass key=jax.random.key(seed) to the driver")
        V = lax.stop_gradient(V)
        items = V.reshape(-1, *V.shape[-2:])
        keys = jax.random.split(key, items.shape[0])
        W = jax.vmap(lambda item, key: self._centroids(item, components, key))(items, keys)
        W = W.reshape(*V.shape[:-1], components)
        correlation = matmul(transpose(W), V)
        nearest = jnp.max(correlation, axis=-2, keepdims=True) == correlation
        return W, jnp.where(nearest, correlation, correlation / 5)

    def _centroids(self, V: Array, components: int, key: Array) -> Array:
        shapes, energy = unit_norm(V), norms(V)[0] ** 2

        def seed(carry: tuple[Array, Array], key: Array) -> tuple[tuple[Array, Array], None]:
            W, index = carry
            far = energy * jnp.maximum(1 - jnp.max(matmul(transpose(W), shapes), axis=0), 0)
            chosen = jax.random.categorical(key, jnp.log(jnp.maximum(far, jnp.finfo(V.dtype).tiny)))
            return (W.at[:, index].set(shapes[:, chosen]), index + 1), None

        empty = (jnp.zeros((V.shape[0], components), V.dtype), jnp.zeros((), jnp.int32))
        (W, _), _ = lax.scan(seed, empty, jax.random.split(key, components))

        def lloyd(_: int, W: Array) -> Array:
            nearest = jax.nn.one_hot(jnp.argmax(matmul(transpose(W), shapes), axis=0), components, dtype=V.dtype)
            moved = unit_norm(matmul(V, nearest))
            return jnp.where(jnp.any(moved > 0, axis=0, keepdims=True), moved, W)

        return lax.fori_loop(0, self.iterations, lloyd, W)


def _nonnegative_svd(V: Array, components: int) -> tuple[Array, Array]:
    if components > min(V.shape[-2:]):
        raise ValueError(
            f"NNDSVD: components must be at most {min(V.shape[-2:])} for V of shape {V.shape}, got {components}"
        )
    U, s, right = jnp.linalg.svd(lax.stop_gradient(V), full_matrices=False)
    U, s, right = U[..., :components], s[..., None, :components], transpose(right[..., :components, :])
    sides = [(jnp.maximum(sign * U, 0), jnp.maximum(sign * right, 0)) for sign in (1, -1)]
    sizes = [norms(u) * norms(v) for u, v in sides]
    larger = sizes[0] >= sizes[1]
    u, v = (jnp.where(larger, a, b) for a, b in zip(*sides, strict=True))
    scale = jnp.sqrt(s * jnp.maximum(*sizes))
    return scale * unit_norm(u), transpose(scale * unit_norm(v))

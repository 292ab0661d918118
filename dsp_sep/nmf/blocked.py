"""Factorisation of spectrograms that are too long for their intermediate arrays."""

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm, blocks
from ..numerics import matmul
from ..pytree import hyper, node, static
from .nmf import NMF, normalize
from .updates import Factors, Observed, Weighted, dictionary_parts, distance, multiply_dictionary, update_activations


@node
class Blocked(Algorithm):
    """`NMF` with one pass over blocks of frames for each iteration: the same result in less memory.

    Each block's activations are updated, and what it adds to `V Hᵀ` and its like is summed; then the dictionary is
    updated. That is an iteration of `NMF` in the order ("activations", "dictionary"), which is what it takes. Besides
    `V` and the factors only one block's model exists at a time, in the reverse pass too. Penalties that couple frames
    (`Smoothness`…, `Orthogonality` and `MinimumVolume` of `H`) would end at the edges of blocks: not for them.

    Attributes:
        nmf: the factorisation.
        size: frames in a block.
    """

    nmf: NMF = hyper(kw_only=False)
    size: int = static()

    def validate(self) -> None:
        if self.nmf.order != ("activations", "dictionary"):
            raise ValueError(f"Blocked: order must be ('activations', 'dictionary'), got {self.nmf.order}")
        if self.size < 1:
            raise ValueError(f"Blocked: size must be at least 1, got {self.size}")

    def prepare(self, data: Array | Weighted) -> Observed:
        return self.nmf.prepare(data)

    def init(self, data: Observed, *, key: Array | None = None) -> Factors:
        return self.nmf.init(data, key=key)

    def update(self, state: Factors, data: Observed) -> Factors:
        W, H = state
        nmf = self.nmf

        def block(frames: tuple[Array, Array | None], H: Array) -> tuple[Array, tuple[Array, Array]]:
            V, weights = frames
            observed = Observed(V, data.floor, weights)
            H = update_activations(observed, W, H, nmf.divergence, nmf.rule, nmf.activations_penalties)
            return H, dictionary_parts(observed, W, H, nmf.divergence)

        H, parts = blocks(block, _add, (data.V, data.weights), size=self.size, replacing=H)
        return Factors(multiply_dictionary(W, parts, nmf.divergence, nmf.rule, nmf.dictionary_penalties), H)

    def objective(self, state: Factors, data: Observed) -> Array:
        def block(frames: tuple[Array, Array, Array | None]) -> tuple[None, Array]:
            V, H, weights = frames
            return None, distance(Observed(V, data.floor, weights), matmul(state.dictionary, H), self.nmf.divergence)

        _, total = blocks(block, jnp.add, (data.V, state.activations, data.weights), size=self.size)
        return total + self.nmf.penalty(state)

    def residual(self, state: Factors, data: Observed) -> Factors:
        return jax.tree.map(jnp.subtract, normalize(self.update(state, data)), normalize(state))


def _add(a: tuple[Array, Array], b: tuple[Array, Array]) -> tuple[Array, Array]:
    return jax.tree.map(jnp.add, a, b)

"""REPET-SIM: what sounds like other frames of the recording is the background.

Source: Rafii and Pardo, "Music/voice separation using the similarity matrix", ISMIR 2012.
"""

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import matmul, tiny, transpose
from ..pytree import Number, domains, hyper, node, static
from .ratio import ratio


@node
class RepetSim:
    """Masks for a repeating background and for what varies over it, the voice of a song.

    For each frame the frames most similar to it are found (cosine similarity of frames, all channels together), at
    most `count` of them, at least `similarity` alike and `distance` frames apart: the most similar first, where the
    paper takes local maxima. Their median, bin by bin, and no more than `V`, models the background `W`; the masks are
    `Wᵖ / (Wᵖ + (V - W)ᵖ)` and the rest. The median has a derivative, the choice of frames has none. Memory grows with
    the square of the frames.

    Attributes:
        exponent: `p` of the mask, shape `()`; with 1 it is that paper's `W / V`.
        count: the most similar frames taken, 100 in the paper.
        similarity: the least similarity, between 0 and 1, static; 0 in the paper.
        distance: the least distance in frames between two of them; 1 s in the paper, 86 frames at 44.1 kHz with a hop
            of 512 samples.
    """

    exponent: Number = hyper(default=1.0, domain=domains.POSITIVE)
    count: int = static(default=100)
    similarity: float = static(default=0.0)
    distance: int = static(default=86)

    def validate(self) -> None:
        if self.count < 1 or self.distance < 1:
            raise ValueError(f"RepetSim: count and distance must be at least 1, got {self.count} and {self.distance}")

    def __call__(self, magnitude: Array) -> Array:
        """The mask of the background and that of the rest; they sum to one.

        Args:
            magnitude: nonnegative, `(..., channels, frequency, frames)`.

        Returns:
            `(..., 2, channels, frequency, frames)`.
        """
        if magnitude.ndim < 3:
            raise ValueError(
                f"RepetSim: magnitude has shape {magnitude.shape}, expected (..., channels, frequency, frames)"
            )
        background = self.background(magnitude)
        both = jnp.stack([background, magnitude - background], axis=-4)
        return ratio(both, self.exponent)

    def background(self, magnitude: Array) -> Array:
        """The repeating part, of the shape of the magnitude and nowhere larger."""
        batch, (channels, frequencies, frames) = magnitude.shape[:-3], magnitude.shape[-3:]
        flat = magnitude.reshape(-1, channels * frequencies, frames)
        models = lax.map(self._model, flat)
        return jnp.minimum(models.reshape(*batch, channels, frequencies, frames), magnitude)

    def _model(self, V: Array) -> Array:
        chosen, valid = similar_frames(V, self.count, self.similarity, self.distance)
        return jax.vmap(lambda frames, there: _median(V[:, frames], there), out_axes=-1)(chosen, valid)


def similar_frames(V: Array, count: int, similarity: float, distance: int) -> tuple[Array, Array]:
    """For each frame the frames most like it, greedily: the most similar first, none nearer than `distance` to it.

    Args:
        V: nonnegative, `(frequency, frames)`.
        count: at most so many.
        similarity: the least cosine of the angle between two frames.
        distance: the least distance in frames between two that are chosen.

    Returns:
        Their numbers and whether there is one, both `(frames, count)`; the frame itself is the first.
    """
    V = lax.stop_gradient(V)
    frames = V.shape[-1]
    unit = V / jnp.maximum(jnp.sqrt(jnp.sum(V**2, axis=0, keepdims=True)), tiny(V.dtype))
    itself = jnp.eye(frames, dtype=V.dtype)
    alike = jnp.where(itself > 0, 2, matmul(transpose(unit), unit))
    time = jnp.arange(frames)

    def choose(left: Array, _: None) -> tuple[Array, tuple[Array, Array]]:
        best = jnp.argmax(left, axis=-1)
        there = jnp.max(left, axis=-1) >= similarity
        near = jnp.abs(time[None, :] - best[:, None]) < distance
        return jnp.where(near, -1, left), (best, there)

    _, (chosen, valid) = lax.scan(choose, alike, None, length=min(count, -(-frames // distance)))
    return chosen.T, valid.T


def _median(x: Array, there: Array) -> Array:
    """The median over the last axis of the columns that are there, `(frequency, count)` to `(frequency,)`."""
    number = jnp.sum(there)
    ordered = jnp.sort(jnp.where(there[None], x, jnp.inf), axis=-1)
    low, high = jnp.take(ordered, (number - 1) // 2, axis=-1), jnp.take(ordered, number // 2, axis=-1)
    return (low + high) / 2

"""The transform, and a small network that makes magnitudes of the sources from a mixture."""

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

import dsp_sep as ds

RATE = 22050
STFT = ds.STFT(n_fft=2048, hop=1024)
BANDS = 64


def bands() -> np.ndarray:
    """Triangles over frequency, `(frequency, BANDS)`, narrow below and wide above; every bin is in some."""
    centres = np.geomspace(4, STFT.bins + 3, BANDS + 2) - 4
    warped = np.interp(np.arange(STFT.bins), centres, np.arange(BANDS + 2))
    triangles = np.maximum(0, 1 - abs(warped[:, None] - np.arange(1, BANDS + 1)))
    return (triangles + 1e-3).astype(np.float32)


class Masks(nnx.Module):
    """Log powers in bands, of the mixture and of its side, with their neighbours in time, to a mask for each source.

    The masks share out the power of the mixture, as the gains of a Wiener filter do.
    """

    def __init__(self, sources: int, hidden: int, *, rngs: nnx.Rngs):
        self.sources = sources
        self.context = nnx.Conv(2 * BANDS, hidden, kernel_size=(9,), rngs=rngs)
        self.hidden = nnx.Conv(hidden, hidden, kernel_size=(9,), rngs=rngs)
        self.out = nnx.Linear(hidden, sources * BANDS, rngs=rngs)

    def __call__(self, mixture: Array) -> Array:
        """Complex `(channels, frequency, frames)`, two channels, to magnitudes `(sources, 1, frequency, frames)`."""
        left, right = mixture
        power = jnp.abs(left) ** 2 + jnp.abs(right) ** 2
        level = jnp.mean(power) + 1e-9
        triangles = bands()
        pooling, spreading = triangles / triangles.sum(0), triangles / triangles.sum(-1, keepdims=True)
        features = [jnp.log(pooling.T @ p / level + 1e-4) for p in (power, jnp.abs(left - right) ** 2)]
        x = jnp.concatenate(features).T / 4
        x = nnx.relu(self.context(x))
        x = x + nnx.relu(self.hidden(x))
        logits = self.out(x).reshape(-1, self.sources, BANDS) @ spreading.T
        masks = jax.nn.log_softmax(jnp.moveaxis(logits, 0, -1), axis=0)
        return jnp.exp(masks[:, None] / 2) * jnp.sqrt(power / 2)


def blank(sources: int, hidden: int, seed: int) -> ds.pytree.Network:
    """An untrained network."""
    return ds.network(Masks(sources, hidden, rngs=nnx.Rngs(seed)))

"""What makes the magnitudes of the sources from a mixture: dictionaries, and a small network."""

from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax import Array
from study.songs import STEMS

import dsp_sep as ds

from . import problems
from .problems import RATE, STFT


class MaskNetwork(nnx.Module):
    """Masks from the logarithm of the mixture's magnitudes, by two convolutions over frames and a linear layer."""

    def __init__(self, hidden: int, sources: int, *, rngs: nnx.Rngs):
        self.sources = sources
        self.first = nnx.Conv(STFT.bins, hidden, kernel_size=(3,), rngs=rngs)
        self.second = nnx.Conv(hidden, hidden, kernel_size=(3,), kernel_dilation=(2,), rngs=rngs)
        self.last = nnx.Linear(hidden, sources * STFT.bins, rngs=rngs)

    def __call__(self, V: Array) -> Array:
        """Masks `(sources, channels, frequency, frames)` that sum to one, of magnitudes without the first axis."""
        level = jnp.mean(V, axis=(-2, -1), keepdims=True) + 1e-6
        features = jnp.swapaxes(jnp.log(V / level + 1e-2), -1, -2)
        hidden = nnx.relu(self.first(features))
        hidden = hidden + nnx.relu(self.second(hidden))
        logits = self.last(hidden).reshape(*hidden.shape[:-1], self.sources, STFT.bins)
        return jax.nn.softmax(jnp.transpose(logits, (2, 0, 3, 1)), axis=0)


def learn_dictionaries(songs: Mapping[str, np.ndarray], *, components: int, seconds: float, steps: int = 60) -> Array:
    """A dictionary for each source of the songs, `(sources, frequency, components)`."""
    sources = np.concatenate([problems.where_all_sound(song, seconds) for song in songs.values()], axis=1)
    return ds.separators.learn_dictionaries(
        STFT, jnp.asarray(sources), components=components, steps=steps, key=jax.random.key(0)
    )


def chain(dictionaries: Array, exponent: float, iterations: int) -> ds.separators.Supervised:
    """Activations of the dictionaries and a ratio mask; its `magnitudes(X)` is what is used here."""
    names = STEMS[: len(dictionaries)]
    made = ds.separators.classic(STFT, dictionaries, names=names, rate=RATE, iterations=iterations, inversions=0)
    return ds.assign(made, {"mask.exponent": exponent})


def blank_network(hidden: int, sources: int) -> ds.pytree.Network:
    """An untrained mask network."""
    return ds.network(MaskNetwork(hidden, sources, rngs=nnx.Rngs(0)))


def train_network(
    start: ds.pytree.Network, songs: Mapping[str, np.ndarray], *, steps: int, batch: int = 2, seconds: float = 2.0
) -> ds.pytree.Network:
    """Train a mask network on the SDR of its masks with the mixture's phase, on songs mixed anew."""

    def loss(params: ds.pytree.Free, sources: Array) -> Array:
        network = ds.constrain(params, start)
        X = STFT.analyze(sources.sum(axis=1))
        masked = jax.vmap(network)(jnp.abs(X)) * X[:, None]
        return jnp.mean(
            ds.training.negative_sdr(sources, STFT.synthesize(masked, length=sources.shape[-1]), ceiling=30)
        )

    mixes = problems.remixed(songs, seconds, steps * batch, seed=1)
    batches = (jnp.asarray(np.stack([next(mixes) for _ in range(batch)])) for _ in range(steps))
    rate = optax.warmup_cosine_decay_schedule(0.0, 1e-3, steps // 10, steps)
    params = ds.unconstrain(start, train=("params",))
    return ds.constrain(ds.training.fit(loss, params, batches, optax.adam(rate)).params, start)

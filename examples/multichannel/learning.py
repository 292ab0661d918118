"""A network trained alone, or through the layers of an algorithm after it, by the SDR of the images."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from study.songs import remixed

import dsp_sep as ds

from .network import RATE, STFT


class Hybrid(NamedTuple):
    """A network, and the unfolded algorithm that its magnitudes go through; with none they are a mask of powers."""

    network: ds.pytree.Network
    layers: ds.Unfolded | None = None


def separate(hybrid: Hybrid, mixture: Array) -> Array:
    """The spectrograms of the images, `(sources, channels, frequency, frames)`, for `(channels, samples)`."""
    X = STFT.analyze(mixture)
    magnitudes = hybrid.network(X)
    if hybrid.layers is None:
        return ds.masking.ratio(magnitudes, 2.0) * X
    return ds.run(hybrid.layers, (X, magnitudes)).output


def train(
    start: Hybrid,
    songs: Mapping[str, np.ndarray],
    *,
    steps: int,
    rate: float,
    seed: int,
    seconds: float,
    layers: tuple[str, ...] = (),
    layers_rate: float = 0.03,
    batch: int = 2,
) -> Hybrid:
    """Adam on songs mixed anew; what it gets to see depends on the seed alone.

    Args:
        start: what is trained: its network, and of its layers what is named.
        songs: to learn on.
        steps: how many.
        rate: learning rate of the network at first; it falls as a cosine.
        seed: of the mixes.
        seconds: of a mix.
        layers: names of leaves.
        layers_rate: learning rate of these.
        batch: mixes in a step.
    """

    def loss(params: ds.pytree.Free, mixes: Array) -> Array:
        def one(sources: Array) -> Array:
            images = separate(ds.constrain(params, start), sources.sum(axis=0))
            signals = STFT.synthesize(images, length=sources.shape[-1])
            return jnp.mean(ds.training.negative_sdr(sources, signals, ceiling=30.0))

        return jnp.mean(jax.vmap(one)(mixes))

    params = ds.unconstrain(start, train=("network.params", *(f"layers.{name}" for name in layers)))
    rates = {"network": rate, "layers": layers_rate}
    each = {
        part: optax.adam(optax.warmup_cosine_decay_schedule(0.0, r, steps // 10, steps)) for part, r in rates.items()
    }
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.partition(each, _parts))
    fit = ds.training.fit(loss, params, _batches(songs, seconds, steps, batch, seed), optimizer)
    return ds.constrain(fit.params, start)


def _parts(params: ds.pytree.Free) -> ds.pytree.Free:
    return ds.pytree.Free({name: name.split(".")[0] for name in params.values})


def parameters(tree: Any) -> int:
    """How many numbers."""
    return sum(leaf.size for leaf in jax.tree.leaves(tree))


def _batches(songs: Mapping[str, np.ndarray], seconds: float, steps: int, batch: int, seed: int) -> Iterator[Array]:
    """Mixes, half of them with left and right exchanged."""
    mixes = remixed(songs, seconds, steps * batch, seed, rate=RATE)
    flips = np.random.default_rng(seed).integers(2, size=(steps, batch))
    for flip in flips:
        yield jnp.asarray(np.stack([next(mixes)[:, :: 1 - 2 * turned] for turned in flip]))

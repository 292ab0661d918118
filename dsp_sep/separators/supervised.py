"""Supervised separation: a dictionary for each source, activations, a mask, and phase recovery, as one pytree."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from ..iterate import Unfolded, run, unfold
from ..masking import RatioMask
from ..nmf import NMF, Activations, Sparsity, join, parts
from ..numerics import divide, magnitude, phase, scale
from ..phase import MISI, MagnitudeRatio
from ..pytree import hyper, node, static
from ..transforms import STFT


@node
class Supervised:
    """The chain from waveform to stems, every stage of it a pytree whose leaves train together.

    `X = STFT(x)`; activations of the joined dictionaries by unfolded multiplicative updates of `|X|`; each source's
    part of the model; the ratio mask of the parts; unfolded MISI from the masked mixture; inverse STFT. With as many
    tied layers as iterations it is the classic chain (Smaragdis, Raj and Shashanka, 2007); with layers untied and
    trained it is deep NMF (Le Roux, Hershey and Weninger, 2015) followed by learned phase recovery. The stems sum to
    the mixture.

    Attributes:
        stft: the transform.
        activations: `Activations` unfolded; their dictionary holds the sources' atoms, source after source.
        mask: the mask that the parts of the model give.
        inversion: `MISI` unfolded, or a wrapper of it; `None` keeps the mixture's phase.
        components: atoms of each source.
        names: the sources.
        rate: the sample rate in Hz that the dictionaries are for.
    """

    stft: STFT = hyper()
    activations: Unfolded = hyper()
    mask: RatioMask = hyper()
    inversion: Unfolded | None = hyper(default=None)
    components: tuple[int, ...] = static()
    names: tuple[str, ...] = static()
    rate: int = static()

    def __call__(self, mixture: Array) -> Array:
        """Stems `(..., sources, channels, samples)` of a mixture `(..., channels, samples)`."""
        return _separate(self, mixture)

    def magnitudes(self, spectrogram: Array) -> Array:
        """The masked magnitudes of the sources, `(..., sources, channels, frequency, frames)`, for complex `X`."""
        V = magnitude(spectrogram)
        H = run(self.activations, V).output
        return self.mask(parts(self.activations[-1].dictionary, H, self.components)) * jnp.expand_dims(V, -4)


@jax.jit
def _separate(chain: Supervised, mixture: Array) -> Array:
    X = chain.stft.analyze(mixture)
    magnitudes = chain.magnitudes(X)
    if chain.inversion is None:
        S = scale(magnitudes, jnp.broadcast_to(jnp.expand_dims(phase(X), -4), magnitudes.shape))
    else:
        S = run(chain.inversion, (X, magnitudes)).output
    return chain.stft.synthesize(S, length=mixture.shape[-1])


@partial(jax.jit, static_argnames=("components", "steps"))
def learn_dictionaries(stft: STFT, sources: Array, *, components: int, steps: int = 100, key: Array) -> Array:
    """Learn a dictionary for each source from recordings of it alone, by NMF of its magnitudes (Kullback-Leibler).

    Args:
        stft: the transform.
        sources: `(sources, channels, samples)`; the channels are so many examples of the same sounds.
        components: atoms for each source.
        steps: iterations of NMF.
        key: a random key, for its start.

    Returns:
        `(sources, frequency, components)`, columns of unit Euclidean norm.
    """
    V = magnitude(stft.analyze(sources))
    side_by_side = jnp.moveaxis(V, 1, 2).reshape(V.shape[0], V.shape[2], -1)
    W = run(NMF(components=components), side_by_side, steps, key=key).output.dictionary
    return divide(W, jnp.sqrt(jnp.sum(W**2, axis=-2, keepdims=True)))


def classic(
    stft: STFT, dictionaries: Array, *, names: Sequence[str], rate: int, iterations: int = 10, inversions: int = 5
) -> Supervised:
    """The chain with the same constants in every iteration, ready for another `unfold` of its parts.

    Args:
        stft: the transform.
        dictionaries: `(sources, frequency, components)`, as `learn_dictionaries` gives them.
        names: the sources.
        rate: the sample rate in Hz of what the dictionaries were learned from.
        iterations: multiplicative updates of the activations.
        inversions: iterations of MISI; 0 keeps the mixture's phase.
    """
    sources, _, components = dictionaries.shape
    sparsity = Sparsity(jnp.full((sources * components, 1), 1e-3, dictionaries.dtype))
    misi = MISI(stft, mixture_weight=MagnitudeRatio(0.0))
    return Supervised(
        stft=stft,
        activations=unfold(Activations(dictionary=join(list(dictionaries)), penalties=(sparsity,)), iterations),
        mask=RatioMask(jnp.ones((sources, 1, 1, 1), dictionaries.dtype)),
        inversion=unfold(misi, inversions) if inversions else None,
        components=(components,) * sources,
        names=tuple(names),
        rate=rate,
    )

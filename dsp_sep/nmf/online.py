"""Factorisation of a spectrogram that comes in chunks of frames."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import expand, power, tiny
from ..pytree import Number, domains, hyper, node, static
from .divergences import Divergence, KullbackLeibler
from .rules import MajorizeMinimize
from .starts import Proportional
from .updates import dictionary_parts, observe, update_activations


class Learned(NamedTuple):
    """The dictionary, and the sums of the negative and positive coefficients of what majorises the objective so far."""

    dictionary: Array
    negative: Array
    positive: Array


@node
class OnlineNMF:
    """Online NMF for any β, a `Stream`: a dictionary that learns from each chunk, then forgets the chunk.

    The activations of a chunk are found with the present dictionary; its majorising function in `W`, the negative part
    times `w̃^(1-b)` and the positive part times `w̃^(1-a)` with the `degrees` `(a, b)` of the divergence, is added to
    those of the past, of which a share is forgotten; `W ← (negative / positive)^(1/(a-b))` is the minimum of the sum.
    With β = 0 that is Lefèvre, Bach and Févotte (2011), "Online algorithms for nonnegative matrix factorization with
    the Itakura-Saito divergence"; in kind, Mairal, Bach, Ponce and Sapiro (2010). With one chunk it is an iteration of
    `NMF`, `H` first. Chunks may have any number of frames, one too; each new number compiles again. `init` takes the
    dictionary to begin with, `push` gives the activations of a chunk, and `state.dictionary` is what has been learned.

    Attributes:
        divergence: what is measured; Kullback-Leibler unless given.
        memory: the share of the past that is kept with each chunk, between 0 and 1, shape `()`.
        iterations: updates of the activations of a chunk.
    """

    divergence: Divergence = hyper(default=KullbackLeibler())
    memory: Number = hyper(default=1.0, domain=domains.UNIT_INTERVAL)
    iterations: int = static(default=20)

    @property
    def latency(self) -> int:
        """None: a chunk's activations come with the chunk."""
        return 0

    def init(self, dictionary: Array) -> Learned:
        """The state before the first chunk.

        Args:
            dictionary: `W` to begin with, positive, `(..., frequency, components)`; zeros stay.
        """
        return Learned(dictionary, jnp.zeros_like(dictionary), jnp.zeros_like(dictionary))

    def push(self, state: Learned, chunk: Array) -> tuple[Learned, Array]:
        """Learn from `V` `(..., frequency, frames)`, and its activations `(..., components, frames)`."""
        observed, rule, W = observe(chunk, "OnlineNMF"), MajorizeMinimize(), state.dictionary
        W = expand(W, observed.V.ndim)
        H = Proportional().start_activations_of(observed.V, W, None)

        def step(H: Array, _: None) -> tuple[Array, None]:
            return update_activations(observed, W, H, self.divergence, rule), None

        H, _ = lax.scan(step, H, None, length=self.iterations)
        a, b = self.divergence.degrees
        negative, positive = dictionary_parts(observed, W, H, self.divergence)
        negative = self.memory * state.negative + negative * power(W, 1 - b)
        positive = self.memory * state.positive + positive * power(W, 1 - a)
        heard = (positive > tiny(W.dtype)) & (W > 0)
        ratio = jnp.where(heard, negative, 1) / jnp.where(heard, positive, 1)
        return Learned(jnp.where(heard, power(ratio, 1 / (a - b)), W), negative, positive), H

    def flush(self, state: Learned) -> Array:
        """No activations are due."""
        return jnp.zeros((*state.dictionary.shape[:-2], state.dictionary.shape[-1], 0), state.dictionary.dtype)

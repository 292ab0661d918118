"""What is known of the powers of the sources: nothing, a factorisation, dictionaries, or a network.

A spectral model holds the powers `v` `(..., sources, 1, frequency, frames)` in a state of its own, and brings it near
to powers `z` that the observations suggest. In the units of the room the mixture has a mean power of one.
"""

import abc
from collections.abc import Callable
from typing import Any, ClassVar

import jax.numpy as jnp
from jax import Array

from .. import nmf
from ..nmf.nmf import normalize
from ..nmf.updates import Observed, observe, update_activations, update_dictionary
from ..numerics import expand, matmul, square_magnitude
from ..pytree import domains, hyper, node, static


class SpectralModel(abc.ABC):
    """A model of the powers. A `fit` that lowers `Σ IS(z | v)` makes for an EM algorithm that never goes wrong.

    Attributes:
        framewise: whether the state is of arrays with the frames last, and `fit` and `powers` work on some of them as
            they do on all, so that a pass over blocks of frames can replace the state in place.
    """

    framewise: ClassVar[bool] = False

    @abc.abstractmethod
    def start(self, z: Array, key: Array | None) -> Any:
        """The state for the powers that the user gave."""

    @abc.abstractmethod
    def fit(self, state: Any, z: Array) -> Any:
        """The state nearer to the powers `z`."""

    @abc.abstractmethod
    def powers(self, state: Any) -> Array:
        """`v`, positive."""

    def absorb(self, state: Any, gains: Array) -> tuple[Any, Array]:
        """What of gains `(..., sources, frequency)` of the powers the model can take over, and those gains.

        Powers and spatial covariances share a scale that nothing determines but the model, if that.
        """
        return state, jnp.ones_like(gains)


@node
class Free(SpectralModel):
    """No model: every power is what the observations suggest, `v ← z`."""

    framewise: ClassVar[bool] = True

    def start(self, z: Array, key: Array | None) -> Array:
        return audible(z)

    def fit(self, state: Array, z: Array) -> Array:
        return audible(z)

    def powers(self, state: Array) -> Array:
        return state

    def absorb(self, state: Array, gains: Array) -> tuple[Array, Array]:
        return state * jnp.expand_dims(gains, (-3, -1)), gains


@node
class LowRank(SpectralModel):
    """A nonnegative factorisation of each source, `v_j = W_j H_j` (Ozerov and Févotte, 2010).

    One `fit` is one multiplicative update of each factor for the Itakura-Saito divergence.

    Attributes:
        components: how many for each source.
        initial: where the factors start; drawn, with a key, unless given.
    """

    components: int = static()
    initial: nmf.starts.Start = hyper(default=nmf.Random())

    def start(self, z: Array, key: Array | None) -> nmf.Factors:
        V = observe(z, "LowRank").V
        return nmf.Factors(
            self.initial.start_dictionary(V, self.components, key),
            self.initial.start_activations(V, self.components, key),
        )

    def fit(self, state: nmf.Factors, z: Array) -> nmf.Factors:
        V, (W, H) = observe(z, "LowRank"), state
        W = update_dictionary(V, W, H, nmf.ItakuraSaito(), nmf.MajorizeMinimize())
        return nmf.Factors(W, update_activations(V, W, H, nmf.ItakuraSaito(), nmf.MajorizeMinimize()))

    def powers(self, state: nmf.Factors) -> Array:
        return audible(matmul(*state))

    def absorb(self, state: nmf.Factors, gains: Array) -> tuple[nmf.Factors, Array]:
        return normalize(nmf.Factors(state.dictionary * jnp.expand_dims(gains, (-3, -1)), state.activations)), gains


@node
class Dictionaries(SpectralModel):
    """A factorisation with known dictionaries: supervised, trainable.

    Attributes:
        dictionary: power spectra, nonnegative, `(sources, frequency, components)`.
        steps: multiplicative updates in one `fit`.
    """

    dictionary: Array = hyper(domain=domains.NONNEGATIVE)
    steps: int = static(default=1)

    framewise: ClassVar[bool] = True

    def start(self, z: Array, key: Array | None) -> Array:
        if self.dictionary.shape[:-1] != (z.shape[-4], z.shape[-2]):
            raise ValueError(
                f"Dictionaries: dictionary has shape {self.dictionary.shape}, expected (sources, frequency, "
                f"components) to go with powers of shape {z.shape}"
            )
        return nmf.Proportional().start_activations_of(audible(z), self._W(z), key)

    def fit(self, state: Array, z: Array) -> Array:
        V = Observed(audible(z), audible(jnp.zeros((1,) * z.ndim, z.dtype)))
        for _ in range(self.steps):
            state = update_activations(V, self._W(z), state, nmf.ItakuraSaito(), nmf.MajorizeMinimize())
        return state

    def powers(self, state: Array) -> Array:
        return audible(matmul(self._W(state), state))

    def absorb(self, state: Array, gains: Array) -> tuple[Array, Array]:
        mean = jnp.mean(gains, axis=-1, keepdims=True)
        return state * jnp.expand_dims(mean, (-3, -2)), jnp.broadcast_to(mean, gains.shape)

    def _W(self, like: Array) -> Array:
        return expand(jnp.expand_dims(self.dictionary, -3), like.ndim)


@node
class Learned(SpectralModel):
    """A network, applied to the square roots of the powers, as Nugraha, Liutkus and Vincent (2016) have it.

    The start is what the user gave; each `fit` is `v ← network(√z)²`. Not an EM step: the likelihood may fall.

    Attributes:
        network: a function of magnitudes `(..., sources, 1, frequency, frames)` to others of this shape, such as
            `dsp_sep.network(module)`; its parameters train with all else.
    """

    network: Callable[[Array], Array] = hyper(kw_only=False)

    def start(self, z: Array, key: Array | None) -> Array:
        return audible(z)

    def fit(self, state: Array, z: Array) -> Array:
        return audible(square_magnitude(self.network(jnp.sqrt(audible(z))).astype(z.dtype)))

    def powers(self, state: Array) -> Array:
        return state


def audible(powers: Array) -> Array:
    """The powers, at least `eps²` of the mean power of the mixture."""
    return jnp.maximum(powers, jnp.finfo(powers.dtype).eps ** 2)

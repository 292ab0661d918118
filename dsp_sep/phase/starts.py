"""The spectrograms that phase recovery starts from."""

from typing import Protocol

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import phase, scale
from ..pytree import hyper, node


class Start(Protocol):
    """A start for magnitudes `(..., frequency, frames)`, and the mixture of these shapes where there is one."""

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array: ...


@node
class MixturePhase:
    """The phase of the mixture for every source: `A_j ⊙ X / |X|`."""

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        return scale(magnitudes, jnp.broadcast_to(phase(_needed(mixture, "MixturePhase")), magnitudes.shape))


@node
class MixtureShare:
    """An equal part of the mixture for every source, `X / J`, whatever the magnitudes (Magron and Virtanen, 2020)."""

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        return jnp.broadcast_to(_needed(mixture, "MixtureShare"), magnitudes.shape) / magnitudes.shape[-4]


@node
class RandomPhase:
    """Independent phases, uniform on the circle. It needs a key."""

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        if key is None:
            raise ValueError("a random start needs a key: pass key=jax.random.key(seed) to the driver")
        angle = 2 * jnp.pi * jax.random.uniform(key, magnitudes.shape, magnitudes.dtype)
        return lax.complex(magnitudes * jnp.cos(angle), magnitudes * jnp.sin(angle))


@node
class ZeroPhase:
    """The phase zero everywhere: the magnitudes themselves."""

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        return lax.complex(magnitudes, jnp.zeros_like(magnitudes))


@node
class Given:
    """A spectrogram from elsewhere (a warm start), as it is: its magnitudes need not be those asked for.

    Attributes:
        spectrogram: complex, of the shape of the magnitudes.
    """

    spectrogram: Array = hyper(kw_only=False)

    def __call__(self, magnitudes: Array, mixture: Array | None, key: Array | None) -> Array:
        if self.spectrogram.shape != magnitudes.shape or not jnp.iscomplexobj(self.spectrogram):
            raise ValueError(
                f"Given: spectrogram has shape {self.spectrogram.shape} and dtype {self.spectrogram.dtype}, "
                f"expected complex {magnitudes.shape}"
            )
        return self.spectrogram


def _needed(mixture: Array | None, name: str) -> Array:
    if mixture is None:
        raise ValueError(f"{name} needs a mixture, and this algorithm has none; use RandomPhase, ZeroPhase or Given")
    return mixture

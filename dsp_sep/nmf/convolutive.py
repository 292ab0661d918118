"""Models whose components are patches of a spectrogram, in place of single spectra."""

import jax.numpy as jnp
from jax import Array

from ..numerics import matmul
from ..pytree import node, static
from .structured import Parts


@node
class Convolutive:
    """Convolutive NMF (NMFD), `Y = Σ_t W_t H^(t→)`, `H` moved by `t` frames: components that last and change.

    Smaragdis (2004), "Non-negative matrix factor deconvolution; extraction of multiple sound sources from monophonic
    inputs". All `W_t` and `H` are updated by the derivative of the joint objective, which descends, in
    place of that paper's average over `t`, which need not. For drums and other sounds that repeat as they are.

    Factors: `dictionary` `(..., length, frequency, components)`, `activations` `(..., components, frames)`.

    Attributes:
        components: how many.
        length: of each, in frames.
    """

    components: int = static()
    length: int = static()

    gains = ("activations",)

    def validate(self) -> None:
        if self.components < 1 or self.length < 1:
            raise ValueError(
                f"Convolutive: components and length must be at least 1, got {self.components} and {self.length}"
            )

    def shapes(self, frequencies: int, frames: int) -> dict[str, tuple[int, ...]]:
        return {
            "dictionary": (self.length, frequencies, self.components),
            "activations": (self.components, frames),
        }

    def __call__(self, factors: Parts) -> Array:
        W, H = factors["dictionary"], factors["activations"]
        wide = jnp.concatenate([W[..., t, :, :] for t in range(self.length)], axis=-1)
        return matmul(wide, jnp.concatenate([later(H, t) for t in range(self.length)], axis=-2))


@node
class Convolutive2D:
    """Two-dimensional convolutive NMF (NMF2D), `Y = Σ_{τ,φ} W_τ^(φ↓) H_φ^(τ→)`: patches moved in time and in pitch.

    Schmidt and Mørup (2006), "Nonnegative matrix factor 2-D deconvolution for blind single channel source separation".
    On a logarithmic frequency axis a note is another one moved by some bins (`φ`), so one component stands
    for an instrument; on a linear axis it does not.

    Factors: `dictionary` `(..., length, frequency, components)`, `activations` `(..., shifts, components, frames)`.

    Attributes:
        components: how many.
        length: of each, in frames: `τ` from 0.
        shifts: how many positions in frequency: `φ` from 0, in bins, upwards.
    """

    components: int = static()
    length: int = static()
    shifts: int = static()

    gains = ("activations",)

    def validate(self) -> None:
        if min(self.components, self.length, self.shifts) < 1:
            raise ValueError(
                f"Convolutive2D: components, length and shifts must be at least 1, got {self.components}, "
                f"{self.length} and {self.shifts}"
            )

    def shapes(self, frequencies: int, frames: int) -> dict[str, tuple[int, ...]]:
        return {
            "dictionary": (self.length, frequencies, self.components),
            "activations": (self.shifts, self.components, frames),
        }

    def __call__(self, factors: Parts) -> Array:
        W, H = factors["dictionary"], factors["activations"]
        wide = jnp.concatenate([W[..., t, :, :] for t in range(self.length)], axis=-1)
        model = jnp.zeros((*H.shape[:-3], W.shape[-2], H.shape[-1]), H.dtype)
        for shift in range(self.shifts):
            moved = jnp.concatenate([later(H[..., shift, :, :], t) for t in range(self.length)], axis=-2)
            model = model + higher(matmul(wide, moved), shift)
        return model


def later(H: Array, frames: int) -> Array:
    """Moved along the last axis, zeros coming in and the end falling off."""
    return jnp.pad(H, [(0, 0)] * (H.ndim - 1) + [(frames, 0)])[..., : H.shape[-1]]


def higher(Y: Array, bins: int) -> Array:
    """Moved along the axis before the last, zeros coming in and the end falling off."""
    return jnp.pad(Y, [(0, 0)] * (Y.ndim - 2) + [(bins, 0), (0, 0)])[..., : Y.shape[-2], :]

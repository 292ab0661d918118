"""Dereverberation by delayed linear prediction."""

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import matmul, scale, square_magnitude, transpose
from ..pytree import node, static
from .demixing import regular
from .model import in_units


@node
class WPE(Algorithm):
    """Weighted prediction error (Nakatani et al., 2010; with several channels Yoshioka and Nakatani, 2012).

    What the past says of the present is late reverberation, and is taken away: `d(n) = x(n) - Gᴴ x̃(n)`, `x̃` the
    frames from `delay` to `delay + taps - 1` before. One iteration takes the power `λ = ‖d‖² / channels` and solves
    `(Σ x̃ x̃ᴴ / λ) G = Σ x̃ xᴴ / λ`; it equals nara_wpe's.

    Data: complex `(..., channels, frequency, frames)`. State: `d`, in units in which the mixture has a mean power of
    one. Output: the dereverberated mixture, of the same shape. It assumes one talker, or few, who stay in their places,
    and some seconds of them. Frequencies and batch axes shard.

    Attributes:
        taps: frames of the past that predict, at least 1.
        delay: frames that are left alone because the dry sound itself is alike over them, at least 1.
    """

    taps: int = static(default=10)
    delay: int = static(default=3)

    def validate(self) -> None:
        if self.taps < 1 or self.delay < 1:
            raise ValueError(f"WPE: taps and delay must be at least 1, got {self.taps} and {self.delay}")

    def prepare(self, data: Array) -> tuple[Array, Array]:
        if data.ndim < 3 or not jnp.iscomplexobj(data):
            raise ValueError(
                f"WPE: the mixture has shape {data.shape} and dtype {data.dtype}, "
                f"expected complex (..., channels, frequency, frames)"
            )
        mixture, unit, _ = in_units(data)
        return mixture, unit

    def init(self, data: tuple[Array, Array], *, key: Array | None = None) -> Array:
        return data[0]

    def update(self, state: Array, data: tuple[Array, Array]) -> Array:
        x = jnp.moveaxis(data[0], -3, -2)  # (..., frequency, channels, frames)
        past = self._past(x)
        power = jnp.mean(square_magnitude(state), axis=-3)
        floor = 1e-10 * jnp.max(power, axis=(-2, -1), keepdims=True)
        inverse = 1 / jnp.maximum(power, jnp.where(floor > 0, floor, 1))
        weighted = scale(jnp.expand_dims(inverse, -2), past)
        R = matmul(weighted, jnp.conj(transpose(past)))
        G = jnp.linalg.solve(regular(R), matmul(weighted, jnp.conj(transpose(x))))
        return jnp.moveaxis(x - matmul(jnp.conj(transpose(G)), past), -2, -3)

    def readout(self, state: Array, data: tuple[Array, Array]) -> Array:
        return scale(data[1], state)

    def _past(self, x: Array) -> Array:
        """`x̃`: the channels at each delay, `(..., frequency, taps · channels, frames)`; silence before the start."""
        frames = x.shape[-1]
        widths = [(0, 0)] * (x.ndim - 1)
        shifts = range(self.delay, self.delay + self.taps)
        return jnp.concatenate([jnp.pad(x, [*widths, (shift, 0)])[..., :frames] for shift in shifts], axis=-2)

"""Griffin-Lim with a network inside."""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import scale, tiny
from ..pytree import hyper, node
from .griffin_lim import SpectrogramInversion
from .projections import project_magnitude


@node
class DeepGriffinLim(SpectrogramInversion):
    """Deep Griffin-Lim (Masuyama, Yatabe, Koizumi, Oikawa and Harada, 2019): `X ← Z - F(X, Y, Z)`.

    `Y = P_A(X)` and `Z = P_C(Y)` are what Griffin-Lim makes of `X`, and the network `F` estimates what is wrong with
    `Z`. One small network serves every iteration (or each layer has its own, `untied=("network.*",)`), is trained in a
    stack of few and may be run for more. Without training it is only as good as its initial values: a last layer of
    zeros makes it Griffin-Lim. Data, output and attributes: those of `GriffinLim`, and

    Attributes:
        network: `dsp_sep.network(module)` of a flax module, from features `(..., frames, frequency, 6)`, the real and
            imaginary parts of `X`, `Y`, `Z` over the root mean square of the magnitudes, to `(..., frames, frequency,
            2)`, those of `F`. It has to do with any leading axes there are.
    """

    network: Callable[[Array], Array] = hyper()

    def update(self, state: Array, data: Array) -> Array:
        target = project_magnitude(state, data)
        consistent = self.consistent(target)
        square = jnp.mean(data**2, axis=(-2, -1), keepdims=True)
        silent = square <= tiny(square.dtype) ** 2
        unit = jnp.where(silent, 1, jnp.sqrt(jnp.where(silent, 1, square)))
        parts = [scale(1 / unit, spectra) for spectra in (state, target, consistent)]
        error = self.network(jnp.stack([half for part in parts for half in (part.real, part.imag)], axis=-1))
        error = error.astype(unit.dtype)
        return consistent - scale(unit, lax.complex(error[..., 0], error[..., 1]))

"""From the transform of a mixture to stems, through masks of its magnitudes alone."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import magnitude, scale
from ..pytree import cast
from ..transforms import STFT


@jax.jit
def masked(stft: STFT, mask: Callable[[Array], Array], mixture: Array) -> Array:
    """Stems `(..., stems, channels, samples)` of a mixture `(..., channels, samples)`.

    Args:
        stft: the transform.
        mask: a node; of magnitudes `(..., channels, frequency, frames)` it makes masks `(..., stems, channels,
            frequency, frames)` that sum to one.
        mixture: real.
    """
    stft, mask = cast((stft, mask), mixture.dtype)
    X = stft.analyze(mixture)
    return stft.synthesize(scale(mask(magnitude(X)), jnp.expand_dims(X, -4)), length=mixture.shape[-1])

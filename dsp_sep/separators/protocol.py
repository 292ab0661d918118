"""What a separator is."""

from typing import Protocol

import numpy as np
from jax import Array


class Separator(Protocol):
    """A whole way from waveform to stems; a node, so that its leaves can be trained.

    The stems sum to the mixture, to rounding. They are JAX arrays, but for wrappers that run on the host.

    Attributes:
        names: the stems.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    def __call__(self, mixture: Array) -> Array | np.ndarray:
        """Stems `(..., sources, channels, samples)` of a mixture `(..., channels, samples)`."""

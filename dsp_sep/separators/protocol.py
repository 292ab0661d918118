"""What a separator is."""

from typing import Protocol

from jax import Array


class Separator(Protocol):
    """A whole way from waveform to stems; a node, so that its leaves can be trained.

    The stems sum to the mixture, to rounding.

    Attributes:
        names: the stems.
    """

    @property
    def names(self) -> tuple[str, ...]: ...

    def __call__(self, mixture: Array) -> Array:
        """Stems `(..., sources, channels, samples)` of a mixture `(..., channels, samples)`."""

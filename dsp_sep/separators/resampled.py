"""A separator at a sample rate it was not made for."""

from typing import Any

import numpy as np
from jax import Array

from ..data import resample
from ..pytree import hyper, node, static


@node
class Resampled:
    """Resample the mixture, separate it, resample the stems back, and share out what they lack of the mixture.

    What is lost on the way (frequencies above half the lower rate) goes to the stems in proportion to their energy in
    each channel, so that they sum to the mixture. It runs on the host and has no gradient.

    Attributes:
        separator: any separator.
        rate: that of the mixture, in Hz.
        inner_rate: that of the separator, in Hz.
    """

    separator: Any = hyper(kw_only=False)
    rate: int = static()
    inner_rate: int = static()

    @property
    def names(self) -> tuple[str, ...]:
        """The stems."""
        return self.separator.names

    def __call__(self, mixture: Array) -> np.ndarray:
        """Stems `(..., sources, channels, samples)` of a mixture `(..., channels, samples)`."""
        inner = np.asarray(self.separator(resample(mixture, self.rate, self.inner_rate)))
        returned = resample(inner, self.inner_rate, self.rate)
        stems = np.zeros((*returned.shape[:-1], mixture.shape[-1]), returned.dtype)
        samples = min(returned.shape[-1], mixture.shape[-1])  # lengths are rounded on either way
        stems[..., :samples] = returned[..., :samples]
        missing = np.expand_dims(np.asarray(mixture) - stems.sum(axis=-3), -3)
        energy = np.square(stems).sum(axis=-1, keepdims=True) + np.finfo(stems.dtype).tiny
        return stems + energy / energy.sum(axis=-3, keepdims=True) * missing

"""A lead voice as a source of known pitches through learned filters, over an accompaniment that is plain NMF."""

import numpy as np
from jax import Array

from ..numerics import expand, matmul
from ..pytree import domains, hyper, node, static
from .structured import Parts


@node
class SourceFilter:
    """Source-filter NMF, `Y = (W_F0 H_F0) ⊙ (W_Γ H_Γ H_Φ) + W_M H_M`: a lead voice and the rest.

    Durrieu, Richard, David and Févotte (2010), "Source/filter model for unsupervised main melody extraction from
    polyphonic audio signals", the instantaneous mixture model with smooth filters: the combs `W_F0` and the smooth
    shapes `W_Γ` that make up filters stay, all else is learned. Meant for powers and `ItakuraSaito()`. `H_F0` is a map
    of the lead's pitch over time. `lead` and `accompaniment` are the two terms, for a mask.

    Factors: `pitches` `H_F0` `(..., pitches, frames)`, `filters` `H_Γ` `(..., shapes, filters)`, `choices` `H_Φ`
    `(..., filters, frames)`, `dictionary` `W_M` `(..., frequency, components)`, `activations` `H_M`
    `(..., components, frames)`.

    Attributes:
        combs: `W_F0`, nonnegative, `(frequency, pitches)`, such as `harmonic_combs(..., bands=1)[:, 0]`.
        shapes_of_filters: `W_Γ`, nonnegative, `(frequency, shapes)`, such as `smooth_shapes` gives.
        filters: how many filters (about the number of vowels), 10 in the paper.
        components: how many of the accompaniment, 40 in the paper.
    """

    combs: Array = hyper(domain=domains.NONNEGATIVE)
    shapes_of_filters: Array = hyper(domain=domains.NONNEGATIVE)
    filters: int = static(default=10)
    components: int = static(default=40)

    gains = ("pitches", "activations")

    def shapes(self, frequencies: int, frames: int) -> dict[str, tuple[int, ...]]:
        for name in ("combs", "shapes_of_filters"):
            shape = getattr(self, name).shape
            if len(shape) != 2 or shape[0] != frequencies:
                raise ValueError(f"SourceFilter: {name} has shape {shape}, expected ({frequencies}, any)")
        return {
            "pitches": (self.combs.shape[1], frames),
            "filters": (self.shapes_of_filters.shape[1], self.filters),
            "choices": (self.filters, frames),
            "dictionary": (frequencies, self.components),
            "activations": (self.components, frames),
        }

    def __call__(self, factors: Parts) -> Array:
        return self.lead(factors) + self.accompaniment(factors)

    def lead(self, factors: Parts) -> Array:
        """The voice, `(..., frequency, frames)`."""
        ndim = factors["pitches"].ndim
        source = matmul(expand(self.combs, ndim), factors["pitches"])
        filters = matmul(expand(self.shapes_of_filters, ndim), factors["filters"])
        return source * matmul(filters, factors["choices"])

    def accompaniment(self, factors: Parts) -> Array:
        """All else, `(..., frequency, frames)`."""
        return matmul(factors["dictionary"], factors["activations"])


def smooth_shapes(frequencies: int, shapes: int) -> np.ndarray:
    """Overlapping Hann shapes along frequency that sum to one, `(frequencies, shapes)`: sums of them are smooth.

    Durrieu et al. (2010), with overlap of a half.

    Raises:
        ValueError: for less than two shapes.
    """
    if shapes < 2:
        raise ValueError(f"smooth_shapes: shapes must be at least 2, got {shapes}")
    position = np.linspace(0, shapes - 1, frequencies)[:, None] - np.arange(shapes)
    return np.where(abs(position) < 1, (1 + np.cos(np.pi * position)) / 2, 0)

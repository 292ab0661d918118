"""Algorithms inside flax models (for flax models inside algorithms see `dsp_sep.pytree.network`).

- `UnfoldedLayer`: the layers of an unfolded algorithm as one module of a flax model, trained with the rest of it.
"""

from .unfolded import UnfoldedLayer

__all__ = ["UnfoldedLayer"]

"""Nonnegative matrix factorisation: a spectrogram `V` as a sum of spectra that come and go, `V ≈ W H`.

`W` (the dictionary) holds a spectrum in each column, `H` (the activations) says when and how loud each sounds.

Which one when:

- `NMF` learns both. On recordings of one source it learns a dictionary of it; on a mixture (blind) its components
  still have to be gathered into sources.
- `Activations` keeps the dictionary: supervised separation with dictionaries learned source by source, then `parts`
  and a mask. The dictionary is a leaf, so its gradient is task-driven dictionary learning, and unfolding with the
  dictionary untied is deep NMF.

What the divergence assumes of the noise: `Euclidean` additive and Gaussian; `KullbackLeibler` Poisson-like, on
magnitudes, the usual choice for music; `ItakuraSaito` multiplicative, on powers, the same at all levels.
"""

from .activations import Activations
from .divergences import Beta, Divergence, Euclidean, ItakuraSaito, KullbackLeibler
from .nmf import NMF
from .penalties import Penalty, Sparsity
from .rules import Heuristic, MajorizeMinimize
from .starts import Given, Proportional, Random
from .updates import Factors, join, parts, reconstruct, update_activations, update_dictionary

__all__ = [
    "NMF",
    "Activations",
    "Beta",
    "Divergence",
    "Euclidean",
    "Factors",
    "Given",
    "Heuristic",
    "ItakuraSaito",
    "KullbackLeibler",
    "MajorizeMinimize",
    "Penalty",
    "Proportional",
    "Random",
    "Sparsity",
    "join",
    "parts",
    "reconstruct",
    "update_activations",
    "update_dictionary",
]

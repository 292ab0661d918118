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
from .admm import ADMM
from .blocked import Blocked
from .convolutive import Convolutive, Convolutive2D
from .couplings import ItakuraSaitoSmoothness, MinimumVolume, Orthogonality, Smoothness
from .divergences import Beta, Divergence, Euclidean, ItakuraSaito, KullbackLeibler
from .hals import HALS, AcceleratedMU, accelerated_repeats
from .harmonic import Harmonic, harmonic_combs, pitches
from .informed import NNDSVD, KMeans, NNDSVDa
from .nmf import NMF
from .online import OnlineNMF
from .penalties import Energy, GroupSparsity, Penalty, PNorm, Sparsity
from .restarts import Restarts
from .rules import Heuristic, MajorizeMinimize, MaximizationEqualization
from .semi_supervised import SemiSupervised
from .source_filter import SourceFilter, smooth_shapes
from .sparse import SparseNMF
from .starts import Given, Proportional, Random
from .structured import Model, Structured
from .updates import Factors, Weighted, join, masks, parts, reconstruct, update_activations, update_dictionary

__all__ = [
    "ADMM",
    "HALS",
    "NMF",
    "NNDSVD",
    "AcceleratedMU",
    "Activations",
    "Beta",
    "Blocked",
    "Convolutive",
    "Convolutive2D",
    "Divergence",
    "Energy",
    "Euclidean",
    "Factors",
    "Given",
    "GroupSparsity",
    "Harmonic",
    "Heuristic",
    "ItakuraSaito",
    "ItakuraSaitoSmoothness",
    "KMeans",
    "KullbackLeibler",
    "MajorizeMinimize",
    "MaximizationEqualization",
    "MinimumVolume",
    "Model",
    "NNDSVDa",
    "OnlineNMF",
    "Orthogonality",
    "PNorm",
    "Penalty",
    "Proportional",
    "Random",
    "Restarts",
    "SemiSupervised",
    "Smoothness",
    "SourceFilter",
    "SparseNMF",
    "Sparsity",
    "Structured",
    "Weighted",
    "accelerated_repeats",
    "harmonic_combs",
    "join",
    "masks",
    "parts",
    "pitches",
    "reconstruct",
    "smooth_shapes",
    "update_activations",
    "update_dictionary",
]

"""Nonnegative matrix factorisation: a spectrogram `V` as a sum of spectra that come and go, `V ≈ W H`.

`W` (the dictionary) holds a spectrum in each column, `H` (the activations) says when and how loud each sounds.

Which one when:

| you have, or want | take | it assumes |
|---|---|---|
| recordings of one source, a dictionary of it | `NMF` | few spectra at a time, each fixed but for its level |
| the same, sparse | `SparseNMF` | as `NMF`, and few components at a time |
| dictionaries of all sources (`join`) | `Activations`, then `masks` | nothing else sounds, the spectra have been seen |
| dictionaries of some sources | `SemiSupervised` | the rest can be told from what is known |
| bins that are missing, or unreliable | any of these with `Weighted` data | the weights do not depend on `V` |
| a mixture and nothing else | `NMF`, its components gathered (`separators`) | as `NMF`; `Restarts` against bad minima |
| sounds that repeat as they are (drums) | `Structured(Convolutive(...))` | a pattern of fixed length in time |
| one timbre, logarithmic frequencies | `Structured(Convolutive2D(...))` | another note is the same one, shifted |
| pitched notes | `Structured(Harmonic(...))` | exact harmonics of known fundamentals |
| sounds that overlap, and what they cancel | `ComplexNMF` | few components at a time: sparse activations |
| the same, with phases roughly known | `ComplexISNMF` | steady frequencies (`advance`), noise like powers |
| a lead voice over anything | `Structured(SourceFilter(...))` | one harmonic source through smooth filters |
| a recording too long for memory | `Blocked` | nothing more: the same result |
| frames as they come | `OnlineNMF` | the past may be summed up in two matrices |

What the divergence assumes of the noise: `Euclidean` additive and Gaussian; `KullbackLeibler` Poisson-like, on
magnitudes, the usual choice for music; `ItakuraSaito` multiplicative, on powers, the same at all levels; `Beta` what is
between and beyond. For `Euclidean` alone there are faster solvers, `HALS` first and `AcceleratedMU`; `ADMM` serves
`Euclidean`, `KullbackLeibler` and `ItakuraSaito`, to reach zeros exactly and leave them again.

Which rule: `MajorizeMinimize` never raises the objective, whatever the divergence, the penalties, the weights or the
model; `MaximizationEqualization` neither, with longer steps, for β < 1; `Heuristic` is proved for 0 ≤ β ≤ 2 without
penalties; `Stretched` has an exponent to be trained. Which start: `Random`; `NNDSVD`, `NNDSVDa` to have no luck in it;
`KMeans` for shapes that occur; `Given`.
`Structured` and `ComplexISNMF` derive their updates from the vector-Jacobian product of their model, the one for the
models above and any other of that kind; all others have theirs written by hand. `SparseNMF` and `ADMM` are heuristic:
their objective falls as a rule, and nothing is proved.

Zeros in `V`, and silence, are lifted to a floor, `eps²` of the mean, and the model is kept above the same floor
(`Observed`): every update is the exact one of that floored problem, so the proofs of descent hold.

A part of the model (`parts`) is not a source yet: `masks` makes shares of it, which times the mixture sum to the
mixture. `ComplexISNMF` alone gives sources that sum to it by themselves.

Every one of these unfolds: `Activations` with the dictionary, the weights of `Sparsity` and the exponent of `Stretched`
untied is deep NMF, and the gradient of its dictionary is task-driven dictionary learning; β and the dictionaries of the
models are leaves too.
"""

from .activations import Activations
from .admm import ADMM
from .blocked import Blocked
from .complex_isnmf import ComplexISNMF, ComplexSources
from .complex_nmf import ComplexFactors, ComplexNMF, components_of
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
from .rules import Heuristic, MajorizeMinimize, MaximizationEqualization, Stretched
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
    "ComplexFactors",
    "ComplexISNMF",
    "ComplexNMF",
    "ComplexSources",
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
    "Stretched",
    "Structured",
    "Weighted",
    "accelerated_repeats",
    "components_of",
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

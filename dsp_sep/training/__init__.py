"""Hyperparameters learned by gradient: losses that are finite everywhere, excerpts to learn on, and the optax loop."""

from .assignments import mixture_invariant, permutation_invariant
from .excerpts import excerpts
from .fit import Fit, NotFiniteError, fit
from .losses import (
    MultiResolutionSTFT,
    SpectralDivergence,
    SpectralL1,
    SpectralL2,
    negative_sdr,
    negative_si_sdr,
)

__all__ = [
    "Fit",
    "MultiResolutionSTFT",
    "NotFiniteError",
    "SpectralDivergence",
    "SpectralL1",
    "SpectralL2",
    "excerpts",
    "fit",
    "mixture_invariant",
    "negative_sdr",
    "negative_si_sdr",
    "permutation_invariant",
]

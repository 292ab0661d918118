"""Hyperparameters learned by gradient: losses that are finite everywhere, excerpts to learn on, and the optax loop."""

from .excerpts import excerpts
from .fit import Fit, NotFiniteError, fit
from .losses import negative_sdr

__all__ = ["Fit", "NotFiniteError", "excerpts", "fit", "negative_sdr"]

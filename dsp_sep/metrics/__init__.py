"""x"""

from .bss_eval import ImageRatios, SourceRatios, bss_eval_images, bss_eval_sources
from .improvement import improvement
from .scale_invariant import sd_sdr, si_sar, si_sdr, si_sir
from .score import Scores, score
from .sdr import chunk_sdr, median_sdr, sdr, snr, usdr
from .spectral import inconsistency, log_spectral_distance, spectral_convergence

__all__ = [
    "ImageRatios",
    "Scores",
    "SourceRatios",
    "bss_eval_images",
    "bss_eval_sources",
    "chunk_sdr",
    "improvement",
    "inconsistency",
    "log_spectral_distance",
    "median_sdr",
    "score",
    "sd_sdr",
    "sdr",
    "si_sar",
    "si_sdr",
    "si_sir",
    "snr",
    "spectral_convergence",
    "usdr",
]

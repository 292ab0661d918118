"""How good a separation is: measures in decibels, functions of (reference, estimate), the true signal always first.

Higher is better, but for the measures of spectrograms. All take batch axes before the last ones, work under `jit`,
`vmap` and `grad`, in float32 and float64, and are the peers' figures: NaN where a reference is silent, +inf for a
perfect estimate. The losses of `training` are finite everywhere.

Which one when:

- `sdr` for images in a mix, `chunk_sdr` to see where it is bad; `si_sdr` for speech in mono; `usdr` for tables of
  recent years; `bss_eval_images` to know which part of an error is filtering, interference, artifacts.
- `score` for a song: all frames, medians, means, a file for museval's tools, in bounded memory; `dsp-sep score`.
- `improvement` over the mixture of any of them.
- `spectral_convergence`, `log_spectral_distance`, `inconsistency` for spectrograms; the lower the better.

# Which SDR is this?

At least eight quantities go by that name. `s` is the reference, `ŝ` the estimate, `p` the projection of ŝ on s delayed
by 0 to 511 samples, its channels to all of ŝ's, `α s` that on s alone, `P` that on the delays of all references.

| here | the ratio, in dB | channels | forgives | who prints it |
|---|---|---|---|---|
| `snr` | `|s|² / |s - ŝ|²` | apart | nothing | asteroid, torchmetrics: "SNR" |
| `sdr` | the same | pooled | nothing | museval, of one frame |
| `chunk_sdr` | `sdr` of each second | pooled | nothing | museval's frames, BSS Eval v4 |
| `median_sdr` | their median | pooled | the worst half | MUSDB18, SiSEC 2018: "cSDR", museval's figure |
| `usdr` | `sdr` with 1e-7 added to both sums | pooled | nothing | MDX 2021, SDX 2023: "uSDR", "new SDR" |
| `si_sdr` | `|α s|² / |α s - ŝ|²` | apart | gain | asteroid, torchmetrics, fast_bss_eval: "SI-SDR" |
| `sd_sdr` | `|α s|² / |s - ŝ|²` | apart | nothing | Le Roux 2019 |
| `bss_eval_sources` | `|p|² / |p - ŝ|²` | pooled | 512-tap filters | v3: mir_eval, fast_bss_eval, torchmetrics |

- The SDR of `bss_eval_images` is `sdr` and depends on no filter; its ISR, SIR and SAR do. Version 4 (museval's default)
  fits filters to the song, the older campaigns to each frame (`filters="frame"`); museval's `mode="v3"` is that.
- mir_eval and fast_bss_eval take mono; a stereo signal given to them as two sources is yet another measure.
- Frames in which any source is silent are NaN for all in `bss_eval_images` and museval, and left out of medians;
  `chunk_sdr` loses only the source that is silent. Medians over frames, then means or medians over songs: say which.
- asteroid's SI-SDR removes the mean, torchmetrics' and fast_bss_eval's can, `si_sdr` does not. asteroid's and
  torchmetrics' functions take (estimate, reference): exchanged, `si_sdr` is the same and all others are not.
- The SI-SAR of Le Roux, `si_sar`, is not fast_bss_eval's, which has the interference above the line too.

All of them on the same vocals, too quiet, late by a sample, with some of the mixture and some distortion:

>>> import jax.numpy as jnp
>>> import dsp_sep as ds
>>> from dsp_sep.metrics import *
>>> song = ds.data.example("judge").excerpt(2.0, 6.0)
>>> reference, mixture, rate = song.sources, song.mixture, song.rate
>>> estimate = 0.7 * jnp.roll(reference, 1, axis=-1) + (0.1 * mixture + 0.02 * jnp.tanh(30 * mixture))[None]
>>> v3, v4 = bss_eval_sources(reference, estimate), bss_eval_images(reference, estimate, window=rate)
>>> figures = {
...     "snr, mean over channels": snr(reference, estimate).mean(-1),
...     "sdr": sdr(reference, estimate),
...     "usdr": usdr(reference, estimate),
...     "median_sdr": median_sdr(reference, estimate, rate),
...     "si_sdr, mean over channels": si_sdr(reference, estimate).mean(-1),
...     "sd_sdr, mean over channels": sd_sdr(reference, estimate).mean(-1),
...     "bss_eval_sources, SDR": v3.sdr,
...     "bss_eval_images, SDR, mean over frames": v4.sdr.mean(-1),
...     "SI-SDR over the mixture": improvement(si_sdr, reference, estimate, mixture).mean(-1),
... }
>>> for name, values in figures.items():
...     print(f"{name:38} {values[song.names.index('vocals')]:6.2f}")
snr, mean over channels                  9.03
sdr                                      9.04
usdr                                     9.04
median_sdr                               9.05
si_sdr, mean over channels               8.46
sd_sdr, mean over channels               8.02
bss_eval_sources, SDR                    8.81
bss_eval_images, SDR, mean over frames   8.59
SI-SDR over the mixture                 12.17

Sources: E. Vincent, R. Gribonval, C. Févotte, "Performance measurement in blind audio source separation", IEEE TASLP
14, 2006 (v3); E. Vincent et al., "First stereo audio source separation evaluation campaign", ICA 2007 (images);
F.-R. Stöter, A. Liutkus, N. Ito, "The 2018 signal separation evaluation campaign", LVA/ICA 2018 (v4); J. Le Roux et
al., "SDR - half-baked or well done?", ICASSP 2019 (scale-invariant); R. Scheibler, "SDR - medium rare with fast
computations", ICASSP 2022 (fast_bss_eval); Y. Mitsufuji et al., "Music Demixing Challenge 2021", 2022 (uSDR).
"""

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

"""asteroid-filterbanks: its MISI, given torch's STFT, which is much faster here than its own convolutions."""

from collections.abc import Callable
from typing import Any

import torch
from asteroid_filterbanks.griffin_lim import misi as asteroid_misi

from ..workloads.misi import Separation
from .torch import inverse, options

use_threads = torch.set_num_threads


def misi(problem: Separation) -> Callable[[], Any]:
    settings, magnitudes = options(problem), torch.from_numpy(problem.magnitudes)[None]
    mixture, angles = torch.from_numpy(problem.mixture)[None], torch.from_numpy(problem.start).angle()[None]

    def encode(waveforms: Any) -> Any:
        spectra = torch.stft(waveforms.reshape(-1, problem.samples), **settings)
        spectra = spectra.reshape(*waveforms.shape[:-1], *spectra.shape[-2:])
        return torch.cat([spectra.real, spectra.imag], dim=-2)

    def decode(stacked: Any) -> Any:
        spectra = torch.complex(*torch.chunk(stacked, 2, dim=-2))
        waveforms = torch.istft(spectra.reshape(-1, *spectra.shape[-2:]), **inverse(settings), length=problem.samples)
        return waveforms.reshape(*spectra.shape[:-2], problem.samples)

    weights = torch.ones(1, len(problem.sources), 1)

    @torch.no_grad()
    def call() -> Any:
        return asteroid_misi(
            mixture, magnitudes, encode, angles, istft_dec=decode, n_iter=problem.steps, src_weights=weights
        )[0]

    return call

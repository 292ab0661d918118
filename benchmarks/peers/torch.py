"""torch: its own transforms, and the loops as one writes them with it (Griffin-Lim as torchaudio has it)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from ..workloads.griffin_lim import Recovery
from ..workloads.misi import Separation
from ..workloads.nmf import Factorization, Learning
from ..workloads.stft import Spectral, frames, spectra

use_threads = torch.set_num_threads


def stft(problem: Spectral) -> Callable[[], Any]:
    signal, settings = torch.from_numpy(problem.signal), options(problem)
    if problem.frames_first:
        return lambda: torch.stft(signal, **settings).T
    return lambda: torch.stft(signal, **settings).contiguous()


def istft(problem: Spectral) -> Callable[[], Any]:
    settings = options(problem)
    spectrogram = torch.from_numpy(problem.spectrogram)
    spectrogram = spectrogram.T if problem.frames_first else spectrogram
    return lambda: torch.istft(spectrogram, **inverse(settings), length=problem.signal.size)


def rfft(problem: Spectral) -> Callable[[], Any]:
    return partial(torch.fft.rfft, torch.from_numpy(frames(problem)))


def irfft(problem: Spectral) -> Callable[[], Any]:
    return partial(torch.fft.irfft, torch.from_numpy(spectra(problem)), problem.n_fft)


def stft_gradient(problem: Spectral) -> Callable[[], Any]:
    signal, settings = torch.from_numpy(problem.signal).requires_grad_(), options(problem)
    return lambda: torch.autograd.grad(torch.stft(signal, **settings).abs().sum(), signal)[0]


def griffin_lim(problem: Recovery) -> Callable[[], Any]:
    magnitude, settings = torch.from_numpy(problem.magnitude), options(problem)
    momentum = problem.momentum / (1 + problem.momentum)

    @torch.no_grad()
    def call() -> Any:
        angles = torch.ones_like(magnitude, dtype=torch.complex64)
        previous = torch.zeros_like(angles)
        for _ in range(problem.steps):
            signal = torch.istft(magnitude * angles, **inverse(settings), length=problem.samples)
            rebuilt = torch.stft(signal, **settings)
            angles = rebuilt - previous.mul(momentum)
            angles = angles.div(angles.abs().add(1e-16))
            previous = rebuilt
        return torch.istft(magnitude * angles, **inverse(settings), length=problem.samples)

    return call


def ffts(problem: Recovery) -> Callable[[], Any]:
    start = torch.from_numpy(problem.spectra)

    def call() -> Any:
        spectra = start
        for _ in range(problem.steps):
            spectra = torch.fft.rfft(torch.fft.irfft(spectra, problem.n_fft))
        return torch.fft.irfft(spectra, problem.n_fft)

    return call


def misi(problem: Separation) -> Callable[[], Any]:
    mixture, start, magnitudes = map(torch.from_numpy, (problem.mixture, problem.start, problem.magnitudes))
    return torch.no_grad()(partial(_misi, mixture, start, magnitudes, options(problem), problem))


def misi_gradient(problem: Separation) -> Callable[[], Any]:
    mixture, start, sources = map(torch.from_numpy, (problem.mixture, problem.start, problem.sources))
    magnitudes, settings = torch.from_numpy(problem.magnitudes).requires_grad_(), options(problem)

    def call() -> Any:
        loss = torch.mean((_misi(mixture, start, magnitudes, settings, problem) - sources) ** 2)
        return loss.detach(), torch.autograd.grad(loss, magnitudes)[0]

    return call


def nmf(problem: Factorization) -> Callable[[], Any]:
    V, start = torch.from_numpy(problem.V), (torch.from_numpy(problem.W), torch.from_numpy(problem.H))
    update = {0: _itakura_saito, 0.5: _half, 1: _kullback_leibler, 2: _euclidean}[problem.beta]

    @torch.no_grad()
    def call() -> Any:
        W, H = start
        for _ in range(problem.steps):
            W, H = update(V, W, H)
        return W, H

    return call


def nmf_batch(problem: Factorization) -> Callable[[], Any]:
    calls = [nmf(one) for one in problem.each()]
    return lambda: tuple(map(torch.stack, zip(*(call() for call in calls), strict=True)))


def nmf_gradient(problem: Learning) -> Callable[[], Any]:
    V, target = torch.from_numpy(problem.V), torch.from_numpy(problem.target)
    start = tuple(torch.from_numpy(factor).requires_grad_() for factor in (problem.W, problem.H))

    def call() -> Any:
        W, H = start
        for _ in range(problem.steps):
            W, H = _kullback_leibler(V, W, H)
        loss = torch.mean((W @ H - target) ** 2)
        return loss.detach(), torch.autograd.grad(loss, start)

    return call


def _misi(mixture: Any, spectra: Any, magnitudes: Any, settings: dict[str, Any], problem: Separation) -> Any:
    for _ in range(problem.steps):
        waveforms = torch.istft(spectra, **inverse(settings), length=problem.samples)
        waveforms = waveforms + (mixture - waveforms.sum(dim=0)) / waveforms.shape[0]
        spectra = magnitudes * torch.sgn(torch.stft(waveforms, **settings))
    return torch.istft(spectra, **inverse(settings), length=problem.samples)


def _euclidean(V: Any, W: Any, H: Any) -> tuple[Any, Any]:
    W = W * (V @ H.T) / (W @ (H @ H.T))
    return W, H * (W.T @ V) / ((W.T @ W) @ H)


def _kullback_leibler(V: Any, W: Any, H: Any) -> tuple[Any, Any]:
    W = W * ((V / (W @ H)) @ H.T) / H.sum(dim=1)
    return W, H * (W.T @ (V / (W @ H))) / W.sum(dim=0)[:, None]


def _itakura_saito(V: Any, W: Any, H: Any) -> tuple[Any, Any]:
    inverse = 1 / (W @ H)
    W = W * torch.sqrt(((V * inverse * inverse) @ H.T) / (inverse @ H.T))
    inverse = 1 / (W @ H)
    return W, H * torch.sqrt((W.T @ (V * inverse * inverse)) / (W.T @ inverse))


def _half(V: Any, W: Any, H: Any) -> tuple[Any, Any]:
    Y = W @ H
    root = torch.rsqrt(Y)
    W = W * (((V / Y * root) @ H.T) / (root @ H.T)) ** (2 / 3)
    Y = W @ H
    root = torch.rsqrt(Y)
    return W, H * ((W.T @ (V / Y * root)) / (W.T @ root)) ** (2 / 3)


def options(problem: Any) -> dict[str, Any]:
    window = torch.from_numpy(problem.window)
    return {
        "n_fft": problem.n_fft,
        "hop_length": problem.hop,
        "window": window,
        "pad_mode": "constant",
        "return_complex": True,
    }


def inverse(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: settings[name] for name in ("n_fft", "hop_length", "window")}

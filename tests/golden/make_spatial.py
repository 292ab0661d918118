"""Multichannel Wiener filtering by norbert and Open-Unmix, stored in spatial.npz.

Mixtures are (channels, frequency, frames), magnitudes (sources, channels or 1, frequency, frames), images (sources,
channels, frequency, frames). The largest magnitude of each mixture is 40, above the 10 to which both scale down.
"""

import importlib.util
from pathlib import Path

import norbert
import norbert.contrib
import numpy as np
import torch
from archive import save

FREQUENCIES, FRAMES, SOURCES = 5, 14, 3
ITERATIONS = (1, 2, 4)


def openunmix_filtering():
    """The module alone: it needs torch, the package all else as well."""
    folder = Path(importlib.util.find_spec("openunmix").origin).parent
    spec = importlib.util.spec_from_file_location("filtering", folder / "filtering.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def problem(rng, channels):
    shape = (SOURCES, 1, FREQUENCIES, FRAMES)
    powers = rng.gamma(0.5, 1, shape) + 1e-3
    steering = complex_noise(rng, (SOURCES, channels, FREQUENCIES, 1))
    diffuse = complex_noise(rng, (SOURCES, channels, FREQUENCIES, FRAMES))
    images = np.sqrt(powers) * (steering * complex_noise(rng, shape) + 0.3 * diffuse)
    images *= 40 / np.abs(images.sum(0)).max()
    magnitudes = np.abs(images) * np.exp(0.3 * rng.standard_normal(images.shape))
    return images.sum(0), magnitudes


def complex_noise(rng, shape):
    return rng.standard_normal(shape) + 1j * rng.standard_normal(shape)


def by_norbert(x, A, iterations):
    y = norbert.wiener(A.transpose(3, 2, 1, 0).copy(), x.transpose(2, 1, 0).copy(), iterations)
    return y.transpose(3, 2, 1, 0)


def by_logit(x, A, threshold, slope):
    """What `norbert.softmask` means by its option `logit`, with which it raises: its own function of its own mask."""
    mask = A / (np.finfo(np.float64).eps + A.sum(axis=0))
    return norbert.contrib._logit(mask, threshold, slope) * x


def by_openunmix(x, A, iterations, softmask, residual):
    stacked = torch.view_as_real(torch.from_numpy(x.transpose(2, 1, 0).copy()))
    spectrograms = torch.from_numpy(A.transpose(3, 2, 1, 0).copy())
    y = openunmix_filtering().wiener(spectrograms, stacked, iterations, softmask=softmask, residual=residual)
    return torch.view_as_complex(y.movedim(3, -1).contiguous()).numpy().transpose(3, 2, 1, 0)


def main():
    rng = np.random.default_rng(0)
    arrays, cases = {}, []
    for channels in (1, 2, 3, 4):
        x, A = problem(rng, channels)
        arrays[f"mixture/{channels}"], arrays[f"magnitudes/{channels}"] = x, A
        for iterations in ITERATIONS:
            name = f"norbert/channels_{channels}/iterations_{iterations}"
            arrays[f"{name}/images"] = by_norbert(x, A, iterations)
            cases.append({"name": name, "channels": channels, "iterations": iterations})
    x, A = arrays["mixture/2"], arrays["magnitudes/2"]
    for softmask, residual in ((True, False), (False, False), (True, True), (False, True)):
        name = f"openunmix/softmask_{softmask}/residual_{residual}"
        arrays[f"{name}/images"] = by_openunmix(x, A, 3, softmask, residual)
        cases.append({"name": name, "channels": 2, "iterations": 3, "softmask": softmask, "residual": residual})
    arrays["norbert/logit/images"] = by_logit(x, A, threshold=0.6, slope=15)
    save("spatial", arrays, cases, ["norbert", "openunmix", "torch"])


if __name__ == "__main__":
    main()

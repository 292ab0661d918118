"""The one table of algorithms: what the common tests, the benchmarks and the documentation go through.

To add an algorithm, add a line. The data are small, in double precision, with any batch axes in front.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from dsp_sep import STFT, BestSoFar, Momentum
from dsp_sep.nmf import (
    NMF,
    Activations,
    Beta,
    Euclidean,
    Heuristic,
    ItakuraSaito,
    KullbackLeibler,
    Sparsity,
    reconstruct,
)
from dsp_sep.phase import MISI, GivenWeights, GriffinLim, MagnitudeRatio, MixtureFirstMISI, ZeroPhase

FREQUENCIES, FRAMES, COMPONENTS = 12, 18, 4
SAMPLES, N_FFT, HOP = 150, 32, 8
SOURCES, CHANNELS = 3, 2


@dataclasses.dataclass(frozen=True)
class Case:
    """An algorithm with data to run it on.

    Attributes:
        name: what the case is called.
        algorithm: makes the algorithm, in the default precision.
        data: `data(batch)` makes its data with these batch axes.
        draws: whether the start is drawn, so that a driver needs a key.
        descends: whether theory proves that the objective never rises.
        scales: a part of the output that is `c` times as large for data `c` times as large; `None` where a penalty
            has a scale of its own.
    """

    name: str
    algorithm: Callable[[], Any]
    data: Callable[[tuple[int, ...]], Any]
    draws: bool = False
    descends: bool = False
    scales: Callable[[Any], Any] | None = lambda output: output

    def key(self, seed: int = 0) -> jax.Array | None:
        """The key for a driver."""
        return jax.random.key(seed) if self.draws else None


def spectrogram(batch: tuple[int, ...] = ()) -> np.ndarray:
    """A positive matrix near rank `COMPONENTS`, with multiplicative noise."""
    rng = np.random.default_rng(0)
    W = rng.gamma(0.5, 1, (*batch, FREQUENCIES, COMPONENTS)) + 0.02
    H = rng.gamma(0.5, 1, (*batch, COMPONENTS, FRAMES)) + 0.02
    return (W @ H) * rng.gamma(4, 0.25, (*batch, FREQUENCIES, FRAMES))


def dictionary() -> np.ndarray:
    return np.random.default_rng(1).gamma(0.5, 1, (FREQUENCIES, COMPONENTS)) + 0.02


def stft() -> STFT:
    return STFT(n_fft=N_FFT, hop=HOP)


def magnitudes(batch: tuple[int, ...] = ()) -> np.ndarray:
    """Those of noise, with an error, so that no signal has them."""
    rng = np.random.default_rng(2)
    signal = rng.standard_normal((*batch, SAMPLES))
    exact = np.abs(np.asarray(stft().analyze(signal), np.complex128))
    return exact * np.exp(0.3 * rng.standard_normal(exact.shape))


def separation(batch: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """A mixture of noises, and the magnitudes of these with an error."""
    rng = np.random.default_rng(3)
    sources = rng.standard_normal((*batch, SOURCES, CHANNELS, SAMPLES))
    spectra = np.asarray(stft().analyze(sources), np.complex128)
    return spectra.sum(-4), np.abs(spectra) * np.exp(0.3 * rng.standard_normal(spectra.shape))


def _nmf(name: str, descends: bool = True, scales: Any = lambda factors: reconstruct(*factors), **options: Any) -> Case:
    return Case(f"nmf_{name}", lambda: NMF(components=COMPONENTS, **options), spectrogram, True, descends, scales)


def _activations(name: str, scales: Any = lambda activations: activations, **options: Any) -> Case:
    return Case(
        f"activations_{name}", lambda: Activations(dictionary=dictionary(), **options), spectrogram, False, True, scales
    )


def _griffin_lim(name: str, algorithm: Callable[[], Any], **flags: Any) -> Case:
    return Case(f"griffin_lim_{name}", algorithm, magnitudes, **flags)


def _misi(name: str, algorithm: Callable[[], Any], **flags: Any) -> Case:
    return Case(f"misi_{name}", algorithm, separation, **flags)


CASES = (
    _nmf("euclidean", divergence=Euclidean()),
    _nmf("kullback_leibler", divergence=KullbackLeibler()),
    _nmf("itakura_saito", divergence=ItakuraSaito()),
    _nmf("beta_half", divergence=Beta(0.5)),
    _nmf("beta_three", divergence=Beta(3.0)),
    _nmf("heuristic", False, divergence=Beta(0.5), rule=Heuristic(), order=("activations", "dictionary")),
    _nmf("sparse", scales=None, activations_penalties=(Sparsity(0.1),), dictionary_penalties=(Sparsity(0.1),)),
    _activations("kullback_leibler"),
    _activations("sparse", scales=None, divergence=Beta(1.5), penalties=(Sparsity(0.1),)),
    _griffin_lim("plain", lambda: GriffinLim(stft()), draws=True, descends=True),
    _griffin_lim("fast", lambda: Momentum(GriffinLim(stft(), start=ZeroPhase()), 0.99)),
    _griffin_lim("best", lambda: BestSoFar(Momentum(GriffinLim(stft(), start=ZeroPhase()), 1.3)), descends=True),
    _misi("uniform", lambda: MISI(stft()), descends=True),
    _misi("ratio", lambda: MISI(stft(), mixture_weight=MagnitudeRatio(1.0))),
    _misi("momentum", lambda: Momentum(MISI(stft()), 0.5)),
    _misi("mixture_first", lambda: MixtureFirstMISI(stft()), descends=True),
    _misi("mixture_first_ratio", lambda: MixtureFirstMISI(stft(), mixture_weight=MagnitudeRatio(2.0))),
    _misi(
        "mixture_first_given",
        lambda: MixtureFirstMISI(stft(), mixture_weight=GivenWeights(np.reshape([0.5, 0.3, 0.2], (3, 1, 1, 1)))),
    ),
)

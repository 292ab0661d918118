"""The one table of algorithms: what the common tests, the benchmarks and the documentation go through.

To add an algorithm, add a line. The data are small, in double precision, with any batch axes in front.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

from dsp_sep import STFT, Accelerated, BestSoFar, Momentum
from dsp_sep.masking import RobustPCA
from dsp_sep.nmf import (
    ADMM,
    HALS,
    NMF,
    AcceleratedMU,
    Activations,
    Beta,
    Blocked,
    Convolutive,
    Euclidean,
    Factors,
    Harmonic,
    Heuristic,
    ItakuraSaito,
    KullbackLeibler,
    MinimumVolume,
    Restarts,
    SemiSupervised,
    Smoothness,
    SourceFilter,
    SparseNMF,
    Sparsity,
    Structured,
    harmonic_combs,
    reconstruct,
    smooth_shapes,
)
from dsp_sep.phase import (
    MISI,
    PGHI,
    RAAR,
    SPSI,
    ADMMGriffinLim,
    Anisotropic,
    BregmanADMM,
    BregmanGriffinLim,
    BregmanMISI,
    ConsistencyFirstGriffinLim,
    ConsistentWiener,
    DifferenceMap,
    GivenWeights,
    GriffinLim,
    InconsHardMix,
    Left,
    MagInconsHardMix,
    MagnitudeRatio,
    MixIncons,
    MixInconsHardMag,
    MixtureFirstMISI,
    RelaxedMISI,
    Right,
    SinusoidalPhase,
    Uniform,
    ZeroPhase,
)
from dsp_sep.spatial import EM, Dictionaries, Estimated, NestedEM, WienerRefinement

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


def spectra() -> np.ndarray:
    """A dictionary of power spectra for each source of `separation`."""
    return np.random.default_rng(4).gamma(0.5, 1, (SOURCES, N_FFT // 2 + 1, 2)) + 0.02


def _product(factors: Factors) -> jax.Array:
    return reconstruct(*factors)


def _nmf(**options: Any) -> NMF:
    return NMF(components=COMPONENTS, **options)


def _activations(**options: Any) -> Activations:
    return Activations(dictionary=dictionary(), **options)


def _combs(bands: int = 2) -> np.ndarray:
    return harmonic_combs(np.asarray([700.0, 900.0, 1300.0]), 8000.0, 2 * FREQUENCIES - 2, bands=bands) + 0.01


def _voice() -> SourceFilter:
    shapes = smooth_shapes(FREQUENCIES, 3)
    return SourceFilter(combs=_combs(1)[:, 0], shapes_of_filters=shapes, filters=2, components=2)


def _fast(momentum: float) -> Momentum:
    return Momentum(GriffinLim(stft(), start=ZeroPhase()), momentum)


def _misi(weight: Any, kind: Any = MISI) -> Any:
    return kind(stft(), mixture_weight=weight)


_drawn = functools.partial(Case, data=spectrogram, draws=True, scales=_product)
_modelled = functools.partial(Case, data=spectrogram, draws=True, scales=lambda output: output["activations"])
_known = functools.partial(Case, data=spectrogram)
_one = functools.partial(Case, data=magnitudes)
_several = functools.partial(Case, data=separation)

CASES = (
    _drawn("nmf_euclidean", lambda: _nmf(divergence=Euclidean()), descends=True),
    _drawn("nmf_kullback_leibler", lambda: _nmf(divergence=KullbackLeibler()), descends=True),
    _drawn("nmf_itakura_saito", lambda: _nmf(divergence=ItakuraSaito()), descends=True),
    _drawn("nmf_beta_half", lambda: _nmf(divergence=Beta(0.5)), descends=True),
    _drawn("nmf_beta_three", lambda: _nmf(divergence=Beta(3.0)), descends=True),
    _drawn("nmf_heuristic", lambda: _nmf(divergence=Beta(0.5), rule=Heuristic(), order=("activations", "dictionary"))),
    _drawn("nmf_sparse", lambda: _nmf(activations_penalties=(Sparsity(0.1),)), descends=True, scales=None),
    _drawn(
        "nmf_penalized",
        lambda: _nmf(
            dictionary_penalties=(MinimumVolume(0.1, delta=0.1),),
            activations_penalties=(Smoothness(0.1), Sparsity(0.1)),
        ),
        descends=True,
        scales=None,
    ),
    _drawn("nmf_restarts", lambda: Restarts(_nmf(), 3), descends=True),
    _drawn("sparse_nmf", lambda: SparseNMF(components=COMPONENTS, sparsity=0.1), scales=None),
    _drawn("semi_supervised", lambda: SemiSupervised(dictionary=dictionary(), components=2), descends=True),
    _drawn("hals", lambda: HALS(components=COMPONENTS, repeats=2, sparsity=0.1), descends=True, scales=None),
    _drawn("accelerated_mu", lambda: AcceleratedMU(components=COMPONENTS, repeats=2), descends=True),
    _drawn("admm", lambda: ADMM(components=COMPONENTS)),
    _drawn("nmf_blocked", lambda: Blocked(_nmf(order=("activations", "dictionary")), size=5), descends=True),
    _modelled("harmonic", lambda: Structured(Harmonic(_combs())), descends=True),
    _modelled("source_filter", lambda: Structured(_voice(), divergence=ItakuraSaito()), descends=True),
    _modelled("convolutive", lambda: Structured(Convolutive(components=2, length=3)), descends=True),
    _known("activations", lambda: _activations(), descends=True),
    _known(
        "activations_sparse",
        lambda: _activations(divergence=Beta(1.5), penalties=(Sparsity(0.1),)),
        descends=True,
        scales=None,
    ),
    _known("robust_pca", lambda: RobustPCA()),
    _one("griffin_lim", lambda: GriffinLim(stft()), draws=True, descends=True),
    _one("griffin_lim_fast", lambda: _fast(0.99)),
    _one("griffin_lim_best", lambda: BestSoFar(_fast(1.3)), descends=True),
    _one("griffin_lim_accelerated", lambda: Accelerated(GriffinLim(stft(), start=ZeroPhase()))),
    _one("griffin_lim_consistency_first", lambda: ConsistencyFirstGriffinLim(stft(), start=ZeroPhase()), descends=True),
    _one("griffin_lim_admm", lambda: ADMMGriffinLim(stft(), start=ZeroPhase())),
    _one("raar", lambda: RAAR(stft(), start=ZeroPhase())),
    _one("difference_map", lambda: DifferenceMap(stft(), start=ZeroPhase(), beta=0.8)),
    _one(
        "bregman_quadratic", lambda: BregmanGriffinLim(stft(), start=ZeroPhase(), step=0.8, exponent=1.0), descends=True
    ),
    _one(
        "bregman_left",
        lambda: BregmanGriffinLim(stft(), start=ZeroPhase(), fit=Left(KullbackLeibler()), exponent=2.0, step=0.1),
    ),
    _one("bregman_admm", lambda: BregmanADMM(stft(), start=ZeroPhase(), fit=Right(KullbackLeibler()), rho=0.5)),
    _one("griffin_lim_from_spsi", lambda: GriffinLim(stft(), start=SPSI(n_fft=N_FFT, hop=HOP))),
    _one("griffin_lim_from_pghi", lambda: GriffinLim(stft(), start=PGHI(n_fft=N_FFT, hop=HOP))),
    _several("misi", lambda: _misi(Uniform()), descends=True),
    _several("misi_ratio", lambda: _misi(MagnitudeRatio(1.0))),
    _several("misi_momentum", lambda: Momentum(_misi(Uniform()), 0.5)),
    _several("misi_mixture_first", lambda: _misi(Uniform(), MixtureFirstMISI), descends=True),
    _several("misi_mixture_first_ratio", lambda: _misi(MagnitudeRatio(2.0), MixtureFirstMISI)),
    _several(
        "misi_mixture_first_given",
        lambda: _misi(GivenWeights(np.reshape([0.5, 0.3, 0.2], (SOURCES, 1, 1, 1))), MixtureFirstMISI),
    ),
    _several(
        "misi_relaxed",
        lambda: RelaxedMISI(stft(), mixture_weight=MagnitudeRatio(0.7), relaxation=-0.3, radial=0.2),
    ),
    _several("incons_hard_mix", lambda: InconsHardMix(stft())),
    _several("mix_incons", lambda: MixIncons(stft())),
    _several("mix_incons_hard_mag", lambda: MixInconsHardMag(stft()), descends=True),
    _several("mag_incons_hard_mix", lambda: MagInconsHardMix(stft(), consistency_weight=0.3)),
    _several("em", lambda: EM(noise=1e-3), descends=True),
    _several("em_nested", lambda: NestedEM(Dictionaries(dictionary=spectra()), start=Estimated(), block=7)),
    _several("wiener_refinement", lambda: WienerRefinement()),
    _several("misi_bregman", lambda: BregmanMISI(stft(), fit=Left(Beta(1.5)), step=0.4)),
    _several("consistent_wiener", lambda: ConsistentWiener(stft())),
    _several("consistent_anisotropic_wiener", lambda: ConsistentWiener(stft(), prior=Anisotropic(0.7))),
    _several("misi_from_sinusoids", lambda: MISI(stft(), start=SinusoidalPhase(n_fft=N_FFT, hop=HOP))),
)

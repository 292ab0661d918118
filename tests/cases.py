"""The one table of algorithms: what the common tests, the benchmarks and the documentation go through.

To add an algorithm, add a line: a function of the size `s` that makes it, so that tests can have it tiny and benchmarks
large. The data are those of `problems`.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from dsp_sep import Accelerated, BestSoFar, Momentum
from dsp_sep.masking import RobustPCA
from dsp_sep.nmf import (
    ADMM,
    HALS,
    NMF,
    AcceleratedMU,
    Activations,
    Beta,
    Blocked,
    ComplexISNMF,
    ComplexNMF,
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
    Stretched,
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
    DeepGriffinLim,
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
from dsp_sep.pytree import hyper, node
from dsp_sep.spatial import (
    EM,
    WPE,
    Demixing,
    Dictionaries,
    Estimated,
    FastICA,
    FastMNMF2,
    IndependentLowRank,
    NestedEM,
    WienerRefinement,
)
from tests.problems import (
    TINY,
    Size,
    channels,
    complex_spectrogram,
    dictionary,
    magnitudes,
    one_channel,
    separation,
    spectra,
    spectrogram,
    stft,
)

FREQUENCIES, FRAMES, COMPONENTS = TINY.frequencies, TINY.frames, TINY.components
SAMPLES, N_FFT, HOP = TINY.samples, TINY.n_fft, TINY.hop
SOURCES, CHANNELS = TINY.sources, TINY.channels


@dataclasses.dataclass(frozen=True)
class Case:
    """An algorithm with data to run it on.

    Attributes:
        name: what the case is called.
        build: makes the algorithm for a size, in the default precision.
        data: `data(batch, size)` makes its data with these batch axes.
        draws: whether the start is drawn, so that a driver needs a key.
        descends: whether theory proves that the objective never rises.
        scales: a part of the output that is `c` times as large for data `c` times as large; `None` where a penalty
            has a scale of its own.
        computed: endings of the names of leaves of which an iteration computes something that all iterations share
            while the leaf is shared: XLA fuses that otherwise where each layer has its own, so the last bit may differ.
    """

    name: str
    build: Callable[[Size], Any]
    data: Callable[..., Any]
    draws: bool = False
    descends: bool = False
    scales: Callable[[Any], Any] | None = lambda output: output
    computed: tuple[str, ...] = ("window",)

    def algorithm(self, size: Size = TINY) -> Any:
        """The algorithm."""
        return self.build(size)

    def key(self, seed: int = 0) -> jax.Array | None:
        """The key for a driver."""
        return jax.random.key(seed) if self.draws else None


def _product(factors: Factors) -> jax.Array:
    return reconstruct(*factors)


def _nmf(s: Size, **options: Any) -> NMF:
    return NMF(components=s.components, **options)


def _activations(s: Size, **options: Any) -> Activations:
    return Activations(dictionary=dictionary(s), **options)


def _combs(s: Size, bands: int = 2) -> np.ndarray:
    fundamentals = np.asarray([700.0, 900.0, 1300.0])
    return harmonic_combs(fundamentals, s.rate, 2 * s.frequencies - 2, bands=bands) + 0.01


def _voice(s: Size) -> SourceFilter:
    shapes = smooth_shapes(s.frequencies, 3)
    return SourceFilter(combs=_combs(s, 1)[:, 0], shapes_of_filters=shapes, filters=2, components=s.components // 2)


def _complex_isnmf(s: Size) -> ComplexISNMF:
    advance = np.linspace(0, 3, s.frequencies)[:, None]
    return ComplexISNMF(components=(s.components // 2, s.components // 2 + 1), advance=advance, concentration=2.0)


def _fast(s: Size, momentum: float) -> Momentum:
    return Momentum(GriffinLim(stft(s), start=ZeroPhase()), momentum)


def _misi(s: Size, weight: Any, kind: Any = MISI) -> Any:
    return kind(stft(s), mixture_weight=weight)


@node
class Mixing:
    """What stands for a network: a matrix from the features of a bin to what it gives."""

    weights: jax.Array = hyper()

    def __call__(self, features: jax.Array) -> jax.Array:
        return jnp.einsum("...i,ij->...j", features, self.weights)


def _mixing() -> np.ndarray:
    return 0.1 * np.random.default_rng(8).standard_normal((6, 2))


def _falling(sources: int) -> np.ndarray:
    """Weights of the sources, each less than the one before, that sum to one: `(sources, 1, 1, 1)`."""
    weights = np.arange(sources + 2, 2, -1.0)
    return (weights / weights.sum()).reshape(-1, 1, 1, 1)


_drawn = functools.partial(Case, data=spectrogram, draws=True, scales=_product)
_modelled = functools.partial(Case, data=spectrogram, draws=True, scales=lambda output: output["activations"])
_known = functools.partial(Case, data=spectrogram)
_one = functools.partial(Case, data=magnitudes)
_several = functools.partial(Case, data=separation)
_channels = functools.partial(Case, data=channels)

CASES = (
    _drawn("nmf_euclidean", lambda s: _nmf(s, divergence=Euclidean()), descends=True),
    _drawn("nmf_kullback_leibler", lambda s: _nmf(s, divergence=KullbackLeibler()), descends=True),
    _drawn("nmf_itakura_saito", lambda s: _nmf(s, divergence=ItakuraSaito()), descends=True),
    _drawn("nmf_beta_half", lambda s: _nmf(s, divergence=Beta(0.5)), descends=True),
    _drawn(
        "nmf_heuristic", lambda s: _nmf(s, divergence=Beta(0.5), rule=Heuristic(), order=("activations", "dictionary"))
    ),
    _drawn("nmf_sparse", lambda s: _nmf(s, activations_penalties=(Sparsity(0.1),)), descends=True, scales=None),
    _drawn(
        "nmf_penalized",
        lambda s: _nmf(
            s,
            dictionary_penalties=(MinimumVolume(0.1, delta=0.1),),
            activations_penalties=(Smoothness(0.1), Sparsity(0.1)),
        ),
        descends=True,
        scales=None,
    ),
    _drawn("nmf_restarts", lambda s: Restarts(_nmf(s), 3), descends=True),
    _drawn("sparse_nmf", lambda s: SparseNMF(components=s.components, sparsity=0.1), scales=None),
    _drawn(
        "semi_supervised",
        lambda s: SemiSupervised(dictionary=dictionary(s), components=s.components // 2),
        descends=True,
    ),
    _drawn("hals", lambda s: HALS(components=s.components, repeats=2, sparsity=0.1), descends=True, scales=None),
    _drawn("accelerated_mu", lambda s: AcceleratedMU(components=s.components, repeats=2), descends=True),
    _drawn(
        "admm",
        lambda s: ADMM(components=s.components, divergence=ItakuraSaito(), penalty=10.0),
        computed=("penalty",),
    ),
    _drawn(
        "nmf_blocked",
        lambda s: Blocked(_nmf(s, order=("activations", "dictionary")), size=s.frames // 3),
        descends=True,
    ),
    _modelled("harmonic", lambda s: Structured(Harmonic(_combs(s))), descends=True),
    _modelled("source_filter", lambda s: Structured(_voice(s), divergence=ItakuraSaito()), descends=True),
    _modelled("convolutive", lambda s: Structured(Convolutive(components=s.components // 2, length=3)), descends=True),
    Case(
        "complex_nmf",
        lambda s: ComplexNMF(components=s.components - 1, sparsity=0.1),
        complex_spectrogram,
        draws=True,
        descends=True,
        scales=None,
    ),
    Case(
        "complex_isnmf",
        _complex_isnmf,
        one_channel,
        draws=True,
        descends=True,
        scales=lambda output: output.sources,
        computed=("advance", "concentration", "coupling"),
    ),
    _known("activations", lambda s: _activations(s), descends=True),
    _known(
        "activations_sparse",
        lambda s: _activations(s, divergence=Beta(1.5), rule=Stretched(0.9), penalties=(Sparsity(0.1),)),
        descends=True,
        scales=None,
    ),
    _known("robust_pca", lambda s: RobustPCA()),
    _one("griffin_lim", lambda s: GriffinLim(stft(s)), draws=True, descends=True),
    _one("griffin_lim_fast", lambda s: _fast(s, 0.99)),
    _one("griffin_lim_best", lambda s: BestSoFar(_fast(s, 1.3)), descends=True),
    _one("griffin_lim_accelerated", lambda s: Accelerated(GriffinLim(stft(s), start=ZeroPhase()))),
    _one(
        "griffin_lim_consistency_first", lambda s: ConsistencyFirstGriffinLim(stft(s), start=ZeroPhase()), descends=True
    ),
    _one("griffin_lim_admm", lambda s: ADMMGriffinLim(stft(s), start=ZeroPhase())),
    _one("raar", lambda s: RAAR(stft(s), start=ZeroPhase())),
    _one("difference_map", lambda s: DifferenceMap(stft(s), start=ZeroPhase(), beta=0.8)),
    _one(
        "bregman_quadratic",
        lambda s: BregmanGriffinLim(stft(s), start=ZeroPhase(), step=0.8, exponent=1.0),
        descends=True,
    ),
    _one(
        "bregman_left",
        lambda s: BregmanGriffinLim(stft(s), start=ZeroPhase(), fit=Left(KullbackLeibler()), exponent=2.0, step=0.1),
    ),
    _one("bregman_admm", lambda s: BregmanADMM(stft(s), start=ZeroPhase(), fit=Right(KullbackLeibler()), rho=0.5)),
    _one("deep_griffin_lim", lambda s: DeepGriffinLim(stft(s), start=ZeroPhase(), network=Mixing(weights=_mixing()))),
    _one("griffin_lim_from_spsi", lambda s: GriffinLim(stft(s), start=SPSI(n_fft=s.n_fft, hop=s.hop))),
    _one("griffin_lim_from_pghi", lambda s: GriffinLim(stft(s), start=PGHI(n_fft=s.n_fft, hop=s.hop))),
    _several("misi", lambda s: _misi(s, Uniform()), descends=True),
    _several("misi_ratio", lambda s: _misi(s, MagnitudeRatio(1.0))),
    _several("misi_momentum", lambda s: Momentum(_misi(s, Uniform()), 0.5)),
    _several("misi_mixture_first", lambda s: _misi(s, Uniform(), MixtureFirstMISI), descends=True),
    _several("misi_mixture_first_ratio", lambda s: _misi(s, MagnitudeRatio(2.0), MixtureFirstMISI)),
    _several(
        "misi_mixture_first_given",
        lambda s: _misi(s, GivenWeights(_falling(s.sources)), MixtureFirstMISI),
    ),
    _several(
        "misi_relaxed",
        lambda s: RelaxedMISI(
            stft(s), mixture_weight=MagnitudeRatio(0.7), overshoot=0.3, relaxation=-0.3, radial=0.2, gain=0.9
        ),
    ),
    _several("incons_hard_mix", lambda s: InconsHardMix(stft(s))),
    _several("mix_incons", lambda s: MixIncons(stft(s))),
    _several("mix_incons_hard_mag", lambda s: MixInconsHardMag(stft(s)), descends=True),
    _several("mag_incons_hard_mix", lambda s: MagInconsHardMix(stft(s), consistency_weight=0.3)),
    _several("em", lambda s: EM(noise=1e-3), descends=True),
    _several(
        "em_nested", lambda s: NestedEM(Dictionaries(dictionary=spectra(s)), start=Estimated(), block=s.frames // 3)
    ),
    _channels("aux_iva", lambda s: Demixing()),  # likelihoods, which have no zero, are looked at in tests/spatial
    _channels("ilrma", lambda s: Demixing(IndependentLowRank(components=2), rule="iss"), draws=True),
    _channels("fast_mnmf", lambda s: FastMNMF2(components=2), draws=True),
    _channels("fast_ica", lambda s: FastICA()),
    _channels("wpe", lambda s: WPE(taps=1, delay=1)),
    _several("wiener_refinement", lambda s: WienerRefinement()),
    _several("misi_bregman", lambda s: BregmanMISI(stft(s), fit=Left(Beta(1.5)), step=0.4)),
    _several("consistent_wiener", lambda s: ConsistentWiener(stft(s))),
    _several("consistent_anisotropic_wiener", lambda s: ConsistentWiener(stft(s), prior=Anisotropic(0.7))),
    _several("misi_from_sinusoids", lambda s: MISI(stft(s), start=SinusoidalPhase(n_fft=s.n_fft, hop=s.hop))),
)

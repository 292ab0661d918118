"""Spatial models: what several microphones, or the two channels of a song, say about who is where.

Which one when:

- Magnitudes of each source are at hand, from a network, from dictionaries, from another separator, and the mixture has
  two channels or more: `EM` refines them. It assumes the local Gaussian model, in which each source has a power that
  changes and a spatial covariance that does not (a source that stays in its place, in any room; more sources than
  channels are welcome). `LowRank` or `Dictionaries` add knowledge of the spectra, `Learned` a network: the hybrid.
  `faith` and `isotropy` keep powers near the magnitudes and covariances regular: then there is one fixed point nearby,
  and `Implicit` gives its gradient.
- `NestedEM` with `Learned`: the algorithm of Nugraha, Liutkus and Vincent (2016), a network inside EM.
- `WienerRefinement` is what norbert and Open-Unmix do: cheaper than `EM` and rougher; the one to compare with.
- Nothing is known of the sources and there are as many microphones as talkers: `Demixing`, blind. `Laplace` (AuxIVA) is
  robust, `IndependentLowRank` (ILRMA) better where it converges, `HeavyTailed` in between, `LearnedSources` a network.
  It assumes rooms whose reverberation is not much longer than the window, and no noise to speak of.
- The same where the room is more reverberant, or the sources are not as many as the microphones: `FastMNMF2`, blind,
  with covariances of full rank; it needs a good start, such as the matrices of `Demixing`.
- `FastICA`: blind, each frequency by itself, in a few iterations; the order of the sources is found afterwards.
- One wanted source in noise, and a mask for it: the filters `mvdr` (no distortion), `distortion_wiener` (less noise,
  some distortion) and `gev` (the best ratio), of covariances that `covariances` takes from the mask; `beamform` applies
  them.
- Reverberation of a talker: `WPE`, also before any of the above.

The first three take `(mixture, magnitudes)`, the blind ones the mixture, and all give images. The pure functions they
are made of are here too; the model and the shapes are explained in `dsp_sep.spatial.gaussian`.
"""

from .beamformers import beamform, covariances, distortion_wiener, gev, mvdr
from .demixing import align, demix, project_back, whiten
from .dereverberation import WPE
from .determined import Demixing
from .em import EM, Model, NestedEM
from .fast_ica import FastICA, Logarithm, SquareRoot
from .fast_mnmf import FastMNMF2
from .gaussian import (
    local_gaussian,
    mixture_covariance,
    negative_log_likelihood,
    normalize_power,
    posterior_mean,
    posterior_power,
    wiener_gain,
)
from .independence import Gauss, HeavyTailed, IndependentLowRank, Laplace, LearnedSources, SourceModel
from .spectral import Dictionaries, Free, Learned, LowRank, SpectralModel
from .starts import Estimated, GivenCovariances, Isotropic, LogitMask, MixturePhase, Residual, Softmask
from .wiener import WienerRefinement

__all__ = [
    "EM",
    "WPE",
    "Demixing",
    "Dictionaries",
    "Estimated",
    "FastICA",
    "FastMNMF2",
    "Free",
    "Gauss",
    "GivenCovariances",
    "HeavyTailed",
    "IndependentLowRank",
    "Isotropic",
    "Laplace",
    "Learned",
    "LearnedSources",
    "Logarithm",
    "LogitMask",
    "LowRank",
    "MixturePhase",
    "Model",
    "NestedEM",
    "Residual",
    "Softmask",
    "SourceModel",
    "SpectralModel",
    "SquareRoot",
    "WienerRefinement",
    "align",
    "beamform",
    "covariances",
    "demix",
    "gev",
    "local_gaussian",
    "mixture_covariance",
    "mvdr",
    "negative_log_likelihood",
    "normalize_power",
    "posterior_mean",
    "posterior_power",
    "project_back",
    "whiten",
    "distortion_wiener",
    "wiener_gain",
]

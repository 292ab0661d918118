"""Phase recovery: waveforms that have given magnitudes, and sources that have them and sum to the mixture.

Everything here alternates between three projections: onto spectrograms that are the STFT of a signal (`consistent`),
that have given magnitudes (`project_magnitude`), and that sum to the mixture (`project_mixture`).

Which one when:

- One source, magnitudes alone: `GriffinLim`; `Momentum(GriffinLim(stft), 0.99)` is the fast Griffin-Lim algorithm and
  almost always the better one.
- Several sources of a known mixture: `MISI`, whose answer sums to the mixture. It gains much where the magnitudes are
  close to the true ones; where they are a mask times the mixture, the mixture's phase is hard to beat with fixed
  hyperparameters, and training through the layers is what helps.
- `MixtureFirstMISI` ends with the magnitudes in place of the mixture. With equal weights both go through the same
  iterates, cut at another place.
- `RelaxedMISI`, in a `Momentum`, is MISI with the constants that are worth learning: unfold it and train it.
- `InconsHardMix`, `MixIncons`, `MixInconsHardMag`, `MagInconsHardMix` hold or weigh the same three wishes otherwise,
  with a consistency weight to tune or train; `MixIncons` asks nothing of the magnitudes, which serves where they are
  poor.
"""

from .bregman import BregmanADMM, BregmanGriffinLim, BregmanMISI, Left, Right
from .constraints import InconsHardMix, MagInconsHardMix, MixIncons, MixInconsHardMag
from .deep import DeepGriffinLim
from .griffin_lim import ConsistencyFirstGriffinLim, GriffinLim
from .heap import PGHI
from .misi import MISI, MixtureFirstMISI
from .online import RTISILA, OnlineMISI
from .projections import consistent, project_magnitude, project_mixture
from .reflections import RAAR, ADMMGriffinLim, DifferenceMap
from .relaxed import RelaxedMISI, share_error
from .sinusoids import SPSI, SinusoidalPhase
from .starts import Given, MixturePhase, MixtureShare, RandomPhase, ZeroPhase
from .weights import GivenWeights, MagnitudeRatio, Uniform
from .wiener import Anisotropic, Circular, ConsistentWiener

__all__ = [
    "DeepGriffinLim",
    "OnlineMISI",
    "RTISILA",
    "PGHI",
    "SPSI",
    "SinusoidalPhase",
    "Anisotropic",
    "Circular",
    "ConsistentWiener",
    "BregmanADMM",
    "BregmanGriffinLim",
    "BregmanMISI",
    "Left",
    "Right",
    "ADMMGriffinLim",
    "ConsistencyFirstGriffinLim",
    "DifferenceMap",
    "RAAR",
    "MISI",
    "InconsHardMix",
    "MagInconsHardMix",
    "MixIncons",
    "MixInconsHardMag",
    "Given",
    "GivenWeights",
    "GriffinLim",
    "MagnitudeRatio",
    "MixtureFirstMISI",
    "MixturePhase",
    "MixtureShare",
    "RandomPhase",
    "RelaxedMISI",
    "Uniform",
    "ZeroPhase",
    "consistent",
    "project_magnitude",
    "project_mixture",
    "share_error",
]

"""Phase recovery: waveforms that have given magnitudes, and sources that have them and sum to the mixture.

Everything here is made of three projections: onto spectrograms that are the STFT of a signal (`consistent`), that have
given magnitudes (`project_magnitude`), and that sum to the mixture (`project_mixture`). Cost is counted in consistency
projections, an inverse STFT and an STFT of every source, for one iteration: what else there is, is element by element.

One source, magnitudes alone:

| algorithm | assumes | when | cost |
|---|---|---|---|
| `GriffinLim` | nothing else | it descends for certain; the slowest | 1 |
| `Momentum(GriffinLim(stft), 0.99)` | | the fast algorithm: what to try first | 1 |
| `Accelerated(GriffinLim(stft))` | | as the paper has it: three constants to tune or train | 1 |
| `ConsistencyFirstGriffinLim` | | inside `Momentum` for the other order, else as `GriffinLim` | 1 |
| `ADMMGriffinLim`, `RAAR` | magnitudes nearly consistent | many iterations, in `BestSoFar`: it need not descend | 1 |
| `DifferenceMap` | the same | the general form of these | 2 |
| `BregmanGriffinLim` | a divergence, a step | magnitudes that err by a known law; powers | 1 |
| `BregmanADMM` | a divergence | the same without a gradient step, for any order | 1, and 16 Newton steps a bin |
| `DeepGriffinLim` | data to train on | few iterations, one kind of sound | 1, and the network |
| `RTISILA` | a stream | real time; `look_ahead` frames late | `iterations` of a window of `look_ahead + 1` frames |

Several sources of a known mixture:

| algorithm | assumes | when | cost |
|---|---|---|---|
| `MISI` | magnitudes close to the true ones | the standard; its answer sums to the mixture | 1 |
| `MixtureFirstMISI` | the same | the answer has the magnitudes; with equal weights the same iterates | 1 |
| `RelaxedMISI` in a `Momentum` | data to train on | unfolded: the constants that are worth learning | 1 |
| `BregmanMISI` | a divergence, a step | magnitudes that err: a step below 1 trusts them less | 1 |
| `InconsHardMix` | a good start | one iteration, nothing to tune | 1 |
| `MixIncons` | a good start | poor magnitudes, which enter by the start alone | 1 |
| `MixInconsHardMag` | magnitudes close to the true ones | it has the magnitudes, nearly sums to the mixture | 1 |
| `MagInconsHardMix` | a consistency weight | between `MISI` and `InconsHardMix` | 1 |
| `ConsistentWiener` | variances | masks that are to be made consistent: convex, no start needed | 1 |
| the same with `prior=Anisotropic(κ)` | and rough phases (`start`) | phases from a model: `SinusoidalPhase` | 1 |
| `OnlineMISI` | a stream | real time; `look_ahead` frames late | `iterations` of a window of `look_ahead + 1` frames |

Where magnitudes are a mask times the mixture, the mixture's phase is hard to beat with fixed hyperparameters, and
training through the layers is what helps.

| start | assumes | when |
|---|---|---|
| `MixturePhase`, `MixtureShare` | a mixture | several sources |
| `RandomPhase`, `ZeroPhase` | nothing | one source; several tries, or none |
| `Given` | a spectrogram | a warm start |
| `SinusoidalPhase` | steady tones, a first frame from the mixture | slowly moving sources without attacks |
| `SPSI` | tones, magnitudes alone | cheap, one pass |
| `PGHI` | a window like a Gaussian, much overlap | magnitudes alone; a heap in Python: not for training loops |
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

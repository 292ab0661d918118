"""The protocol every algorithm follows, and everything that is done with one.

- An algorithm (`Algorithm`) is a pytree whose leaves are its hyperparameters; `update` is one iteration, one layer.
- `run` does a fixed number of iterations, or the layers of an `Unfolded`; `run_until` stops by a rule.
- `unfold` gives chosen hyperparameters a layer axis.
- How a run is differentiated is an object: `Plain`, `Checkpointed`, `Truncated`, `OneStep`; for the fixed point that
  `run_until` comes to, `Implicit` (with `Neumann` or `GMRES`).
- Wrappers are algorithms too: `Momentum`, `Accelerated`, `BestSoFar`.
- Shapes are checked always, values (NaN, negative magnitudes) under `checkify` alone; see `run`.
- `Stream` is the shape of whatever works on chunks as they come; `blocks` goes over an axis that does not fit.
"""

from .blocks import blocks
from .checks import check_finite, check_nonnegative
from .drivers import run, run_until
from .gradients import Checkpointed, OneStep, Plain, Truncated
from .implicit import GMRES, Implicit, Neumann
from .protocol import Algorithm, NoFixedPointError, Result, Status
from .stopping import RelativeChange
from .stream import Stream, pour
from .unfolding import Unfolded, unfold
from .wrappers import Accelerated, BestSoFar, Momentum

__all__ = [
    "Accelerated",
    "GMRES",
    "Algorithm",
    "BestSoFar",
    "Checkpointed",
    "Implicit",
    "Momentum",
    "Neumann",
    "NoFixedPointError",
    "OneStep",
    "Plain",
    "RelativeChange",
    "Result",
    "Status",
    "Stream",
    "Truncated",
    "Unfolded",
    "blocks",
    "check_finite",
    "check_nonnegative",
    "pour",
    "run",
    "run_until",
    "unfold",
]

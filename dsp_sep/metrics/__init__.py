"""How good a separation is: measures in decibels, higher is better, functions of (reference, estimate).

- `si_sdr`: scale-invariant, each channel on its own. For training losses and mono; blind to a wrong gain.
- `sdr`: plain, channels pooled; a wrong gain or a wrong panning counts. For images of sources in a mix.
- `chunk_sdr`, `median_sdr`: `sdr` by chunks of a second, and the median over them: the figure of the MUSDB18 campaigns.
  The median hides the worst passages; look at the chunks too.

All take any batch axes before the last ones and work under `jit`, `vmap` and `grad`. None searches for the best order
of the sources.
"""

from .sdr import chunk_sdr, median_sdr, sdr
from .si_sdr import si_sdr

__all__ = ["chunk_sdr", "median_sdr", "sdr", "si_sdr"]

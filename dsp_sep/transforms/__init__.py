"""The short-time Fourier transform, its inverse, and both for a signal that comes in chunks.

`STFT` is a pytree: its window is a leaf that can be trained, all else is static. Its methods are compiled; they work
under every transformation of JAX, with any batch axes before the last ones, and on sharded arrays: sharded batch axes
need no communication at all, sharded frames only where they are added up or cut.

Which one when: `STFT` for a signal that fits in memory and for all that iterates; `AnalysisStream` and
`SynthesisStream` for one that does not fit or has not ended yet. `windows` are by name, or arrays (every sample a
number to learn), or `windows.Hann(length)` with its length to be learned.
"""

from . import windows
from .stft import STFT
from .streaming import AnalysisStream, SynthesisStream

__all__ = ["STFT", "AnalysisStream", "SynthesisStream", "windows"]

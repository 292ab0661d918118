"""The short-time Fourier transform and its inverse.

`STFT` is a pytree: its window is a leaf that can be trained, all else is static. Its methods are compiled, work under
every transformation of JAX and on any batch axes before the last ones.
"""

from .stft import STFT

__all__ = ["STFT"]

"""How finely a separator looks at a sound, chosen from its sample rate."""

import math

from ..transforms import STFT


def stft_for(rate: int) -> STFT:
    """A transform with frames of 33 to 66 ms, the usual choice for music: 2048 samples at 44.1 and 48 kHz.

    Args:
        rate: samples per second (Hz).

    Returns:
        An `STFT` whose length is a power of two, at least 64, and whose hop is a quarter of it.
    """
    n_fft = max(64, 2 ** round(math.log2(2048 * rate / 44100)))
    return STFT(n_fft=n_fft, hop=n_fft // 4)

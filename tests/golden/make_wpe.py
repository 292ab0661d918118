"""Dereverberation by nara_wpe, stored in wpe.npz. Mixtures are (channels, frequency, frames)."""

import numpy as np
from archive import save
from nara_wpe.wpe import wpe

TAPS, DELAY, ITERATIONS = 3, 2, 3


def main():
    rng = np.random.default_rng(0)
    dry = rng.standard_normal((4, 60)) * rng.gamma(0.5, 1, 60) + 1j * rng.standard_normal((4, 60))
    taps = rng.standard_normal((12, 2, 4)) + 1j * rng.standard_normal((12, 2, 4))
    decay = 0.6 ** np.arange(12)[:, None, None] * taps
    x = sum(decay[k][..., None] * np.pad(dry, ((0, 0), (k, 0)))[None, :, :60] for k in range(12))
    y = wpe(x.transpose(1, 0, 2).copy(), taps=TAPS, delay=DELAY, iterations=ITERATIONS).transpose(1, 0, 2)
    case = {"name": "nara_wpe", "taps": TAPS, "delay": DELAY, "iterations": ITERATIONS}
    save("wpe", {"mixture": x, "nara_wpe/mixture": y}, [case], ["nara_wpe"])


if __name__ == "__main__":
    main()

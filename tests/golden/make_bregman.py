"""MISI with Bregman divergences (Magron, Vial, Oberlin and Févotte, 2021) by the authors' own code: bregman.npz.

    git clone https://github.com/magronp/bregmisi
    python tests/golden/make_bregman.py bregmisi

The data are those of misi.npz. The transform is librosa's, in place of the authors' wrapper of it.
"""

import sys
import types

import librosa
import numpy as np
from archive import FOLDER, save

N_FFT, HOP = 48, 16
PROBLEMS = {"right": ((2.0, 1), (1.0, 2), (2.0, 2)), "left": ((2.0, 1), (1.0, 1), (0.0, 2), (0.5, 2))}
STEP = 0.01
ITERATIONS = 4


def transform():
    """What the authors' module imports: transforms of arrays whose last axis is that of the sources."""
    module = types.ModuleType("helpers.stft")
    options = {"n_fft": N_FFT, "hop_length": HOP, "window": "hann"}
    module.my_stft = lambda x, **_: np.stack([librosa.stft(np.ascontiguousarray(s), **options) for s in x.T], -1)
    module.my_istft = lambda S, **_: np.stack([librosa.istft(s, **options) for s in np.moveaxis(S, -1, 0)], -1)
    return module


def main(folder):
    sys.path.insert(0, folder)
    sys.modules["helpers.stft"] = transform()
    from helpers.algos import bregmisi

    with np.load(FOLDER / "misi.npz") as file:
        unit = np.sqrt(np.mean(file["magnitudes"] ** 2))  # that of steps in the library
        X, A = file["mixture"][0] / unit, np.moveaxis(file["magnitudes"][:, 0], 0, -1) / unit
    arrays, cases = {"mixture": X[None], "magnitudes": np.moveaxis(A, -1, 0)[:, None]}, []
    for side, problems in PROBLEMS.items():
        for beta, d in problems:
            name = f"{side}/beta_{beta}/d_{d}"
            estimates, _ = bregmisi(
                X, A**d, N_FFT, HOP, beta=beta, d=d, grad_step=STEP, direc=side, max_iter=ITERATIONS
            )
            arrays[f"{name}/waveforms"] = estimates.T[:, None]
            cases.append({"name": name, "side": side, "beta": beta, "d": d, "step": STEP, "iterations": ITERATIONS})
    save("bregman", arrays, cases, ["librosa"])


if __name__ == "__main__":
    main(sys.argv[1])

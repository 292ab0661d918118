"""The algorithms of Magron and Virtanen (2023) by the authors' own code, stored in constraints.npz.

    git clone https://github.com/magronp/spectrogram-inversion
    python tests/golden/make_constraints.py spectrogram-inversion/helpers

The data are those of misi.npz. The author's code takes librosa's transform, whose signals have `(frames - 1) · hop`
samples where it is not told, and equal mixture weights or those of the magnitudes, by algorithm.
"""

import sys

import numpy as np
from archive import FOLDER, save

ITERATIONS = (1, 8)
NAMES = {
    "InconsHardMix": "Incons_hardMix",
    "MixIncons": "Mix+Incons",
    "MixInconsHardMag": "Mix+Incons_hardMag",
    "MagInconsHardMix": "Mag+Incons_hardMix",
}
SIGMA = 0.4


def main(folder):
    sys.path.insert(0, folder)
    from algos import spectrogram_inversion_update

    with np.load(FOLDER / "misi.npz") as file:
        X, A = file["mixture"][0], file["magnitudes"][:, 0]
    arrays, cases = {}, []
    for name, theirs in NAMES.items():
        for iterations in ITERATIONS[: 1 if name == "InconsHardMix" else None]:
            weights = A / A.sum(axis=0) if name.startswith("Mix") else None
            S = A * X / np.abs(X)
            for _ in range(iterations):
                S, _, weights = spectrogram_inversion_update(
                    X, S, A, theirs, SIGMA, weights, win_length=48, hop_length=16
                )
            arrays[f"{name}/iterations_{iterations}/sources"] = S[:, None]
            cases.append({"name": f"{name}/iterations_{iterations}", "iterations": iterations, "sigma": SIGMA})
    save("constraints", arrays, cases, ["librosa"])


if __name__ == "__main__":
    main(sys.argv[1])

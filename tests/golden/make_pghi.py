"""Phase gradient heap integration by pghipy, stored in pghi.npz (data of griffin_lim.npz)."""

import numpy as np
import pghipy
from archive import FOLDER, save

SPREADS = (0.25645, 0.1)


def main():
    with np.load(FOLDER / "griffin_lim.npz") as file:
        magnitude = file["librosa/magnitude"].copy()
    edge = np.ones(magnitude.shape, bool)
    edge[1:-1, 1:-1] = False
    magnitude[edge] = 1e-7 * magnitude.max()  # differences at the edges are taken in several ways
    arrays, cases = {"magnitude": magnitude}, []
    for spread in SPREADS:
        phase = pghipy.pghi(magnitude.T.copy(), win_length=128, hop_length=32, gamma=spread * 128**2, tol=1e-6)
        arrays[f"spread_{spread}/phase"] = phase.T
        cases.append({"name": f"spread_{spread}", "spread": spread})
    save("pghi", arrays, cases, ["pghipy", "numba"])


if __name__ == "__main__":
    main()

"""The accelerated Griffin-Lim algorithm by diffsptk, stored in accelerated.npz (data of griffin_lim.npz)."""

import diffsptk
import numpy as np
import torch
from archive import FOLDER, save

CONSTANTS = ((0.99, 0.99, 1.1), (0.3, 1.2, 0.8), (0.99, 0.0, 1.0))
ITERATIONS = (1, 3, 12)


def main():
    with np.load(FOLDER / "griffin_lim.npz") as file:
        magnitude, signal = file["librosa/magnitude"], file["signal"]
    power = torch.from_numpy(magnitude.T.copy() ** 2)
    arrays, cases = {}, []
    for alpha, beta, gamma in CONSTANTS:
        for iterations in ITERATIONS:
            griffin = diffsptk.GriffinLim(
                128,
                32,
                128,
                window="hanning",
                norm="none",
                symmetric=False,
                n_iter=iterations,
                alpha=alpha,
                beta=beta,
                gamma=gamma,
                init_phase="zeros",
                dtype=torch.float64,
            )
            name = f"alpha_{alpha}/beta_{beta}/gamma_{gamma}/iterations_{iterations}"
            arrays[f"{name}/waveform"] = griffin(power, out_length=len(signal)).numpy()
            constants = {"alpha": alpha, "beta": beta, "gamma": gamma}
            cases.append({"name": name, "iterations": iterations, "constants": constants, "length": len(signal)})
    save("accelerated", arrays, cases, ["diffsptk", "torch"])


if __name__ == "__main__":
    main()

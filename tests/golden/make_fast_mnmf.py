"""FastMNMF2 by pyroomacoustics, stored in fast_mnmf.npz, with the mixtures of determined_spatial.npz.

The peer sees them `LOUD` times as large, so that the 1e-10 which it adds to powers do not count; what is stored is in
the units of the mixtures.
"""

import inspect

import numpy as np
from archive import FOLDER, save
from pyroomacoustics.bss import fastmnmf2

COMPONENTS, ITERATIONS = 2, 6
LOUD = 100.0
MOMENTS = """            tmp1_NFT = np.einsum("nm, ftm -> nft", g_NM, Qx_power_FTM / (Y_FTM**2))
            tmp2_NFT = np.einsum("nm, ftm -> nft", g_NM, 1 / Y_FTM)
"""
MODEL = """            lambda_NFT = W_NFK @ H_NKT + eps
            Y_FTM = np.einsum("nft, nm -> ftm", lambda_NFT, g_NM) + eps
"""


def in_turn():
    """The peer's function with what it means by `accelerate=False`: the model is renewed before it is looked at."""
    source = inspect.getsource(fastmnmf2)
    assert source.count(MOMENTS + MODEL) == 1
    names = {"np": np}
    exec(source.replace(MOMENTS + MODEL, MODEL + MOMENTS), names)
    return names["fastmnmf2"]


def main():
    with np.load(FOLDER / "determined_spatial.npz") as file:
        mixtures = {channels: file[f"mixture/{channels}"] for channels in (2, 3)}
    arrays, cases = {f"mixture/{channels}": x for channels, x in mixtures.items()}, []
    for channels, sources, order in ((2, 2, "together"), (3, 2, "together"), (3, 3, "in turn"), (2, 3, "in turn")):
        x = mixtures[channels]
        name = f"{order.replace(' ', '_')}/{channels}/{sources}"
        np.random.seed(0)
        arrays[f"{name}/activations"] = np.random.rand(sources, COMPONENTS, x.shape[2])
        arrays[f"{name}/dictionary"] = np.random.rand(sources, x.shape[1], COMPONENTS) / LOUD**2
        np.random.seed(0)
        options = {"n_src": sources, "n_iter": ITERATIONS, "n_components": COMPONENTS, "mic_index": "all"}
        separate = fastmnmf2 if order == "together" else in_turn()
        images = separate(LOUD * x.transpose(2, 1, 0), accelerate=order == "together", **options)
        arrays[f"{name}/images"] = images.transpose(3, 0, 2, 1) / LOUD
        cases.append({"name": name, "channels": channels, "sources": sources, "order": order, "iterations": ITERATIONS})
    save("fast_mnmf", arrays, cases, ["pyroomacoustics"])


if __name__ == "__main__":
    main()

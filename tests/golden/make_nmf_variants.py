"""Variants of NMF, and starts from the SVD, by scikit-learn and torchnmf, stored in nmf_variants.npz.

V is (frequency, frames), W (frequency, components), H (components, frames); NMFD's W (length, frequency,
components).
"""

import warnings

import numpy as np
import torch
import torchnmf
from archive import save
from make_nmf import COMPONENTS, FRAMES, FREQUENCIES, spectrogram_like
from sklearn.decomposition import _nmf, non_negative_factorization

ITERATIONS, LENGTH, RIDGE = 20, 4, 3.0


def sklearn(V, W, H, solver, iterations, ridge=0.0):
    """scikit-learn multiplies `alpha_H` by the rows of V."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        W, H, _ = non_negative_factorization(
            V, W=W.copy(), H=H.copy(), n_components=COMPONENTS, init="custom", solver=solver, beta_loss=2, tol=0,
            max_iter=iterations, alpha_W=0.0, alpha_H=ridge / V.shape[0], l1_ratio=0.0,
        )  # fmt: skip
    return W, H


def nmfd(V, W, H, beta):
    """torchnmf's H ends `length - 1` frames before V; it adds 1.2e-7 in numerator and denominator."""
    model = torchnmf.nmf.NMFD(
        W=torch.from_numpy(np.moveaxis(W, 0, -1).copy()), H=torch.from_numpy(H[None, :, : FRAMES - LENGTH + 1].copy())
    )
    model.fit(torch.from_numpy(V[None]), beta=beta, tol=-np.inf, max_iter=ITERATIONS)
    H = np.zeros_like(H)
    H[:, : FRAMES - LENGTH + 1] = model.H.detach().numpy()[0]
    return np.moveaxis(model.W.detach().numpy(), -1, 0), H


def exact_svd(V, components, random_state=None):
    """In place of the randomised one of scikit-learn, which is right to three digits on this spectrogram."""
    U, s, Vt = np.linalg.svd(V, full_matrices=False)
    return U[:, :components], s[:components], Vt[:components]


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(1)
    V = spectrogram_like(rng)
    W, H = rng.uniform(0.2, 1.2, (FREQUENCIES, COMPONENTS)), rng.uniform(0.2, 1.2, (COMPONENTS, FRAMES))
    patches = rng.uniform(0.2, 1.2, (LENGTH, FREQUENCIES, COMPONENTS))
    arrays = {"V": V, "W": W, "H": H, "patches": patches}
    arrays["ridge/W"], arrays["ridge/H"] = sklearn(V, W, H, "mu", ITERATIONS, RIDGE)
    for iterations in (1, 500):
        factors = sklearn(V, W, H, "cd", iterations)
        arrays[f"descent_{iterations}/W"], arrays[f"descent_{iterations}/H"] = factors
    for beta in (0, 1, 2):
        arrays[f"nmfd_{beta}/W"], arrays[f"nmfd_{beta}/H"] = nmfd(V, patches, H, beta)
    _nmf._randomized_svd = exact_svd
    for init in ("nndsvd", "nndsvda"):
        arrays[f"{init}/W"], arrays[f"{init}/H"] = _nmf._initialize_nmf(V, COMPONENTS, init=init, random_state=0)
    cases = [{"iterations": ITERATIONS, "ridge": RIDGE, "length": LENGTH}]
    save("nmf_variants", arrays, cases, ["scikit-learn", "torch", "torchnmf"])


if __name__ == "__main__":
    main()

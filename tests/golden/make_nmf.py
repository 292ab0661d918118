"""NMF by scikit-learn, torchnmf and the equations of Févotte and Idier (2011), stored in nmf.npz.

Everywhere V is (frequency, frames), W (frequency, components) and H (components, frames).
"""

import numpy as np
import torch
import torchnmf
from archive import save
from sklearn.decomposition import non_negative_factorization
from sklearn.decomposition._nmf import EPSILON, _beta_divergence, _multiplicative_update_h

FREQUENCIES, FRAMES, COMPONENTS = 40, 60, 5
BETAS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0)
HEURISTIC_BETAS = (0.0, 0.5, 3.0)
SPARSE_BETAS = (0.0, 1.0, 2.0)
ACTIVATION_BETAS = (1.0, 2.0)
ITERATIONS = (1, 50)
SPARSITY = 2.0


def spectrogram_like(rng):
    """A positive matrix near rank five: peaked atoms, decaying activations, multiplicative noise."""
    frequency = np.arange(FREQUENCIES)[:, None]
    centers = rng.uniform(0, FREQUENCIES, (3, COMPONENTS))
    atoms = sum(np.exp(-0.5 * ((frequency - center) / 1.5) ** 2) for center in centers) + 0.05
    onsets = rng.uniform(0, FRAMES, (COMPONENTS, 3))
    since = np.arange(FRAMES) - onsets[..., None]
    activations = np.where(since > 0, np.exp(-np.abs(since) / 10.0), 0.0).sum(axis=1) + 0.05
    return atoms @ activations * rng.gamma(4.0, 0.25, (FREQUENCIES, FRAMES))


def sklearn_nmf(V, W, H, beta, iterations, sparsity=0.0):
    """W, then H from the new W, with the MM exponent; `sparsity` is the L1 weight on H.

    scikit-learn multiplies `alpha_H` by the rows of V.
    """
    W, H, _ = non_negative_factorization(
        V,
        W=W.copy(),
        H=H.copy(),
        n_components=COMPONENTS,
        init="custom",
        solver="mu",
        beta_loss=beta,
        tol=0,
        max_iter=iterations,
        alpha_W=0.0,
        alpha_H=sparsity / V.shape[0],
        l1_ratio=1.0,
    )
    return W, H


def sklearn_activations(V, W, H, beta, iterations, sparsity):
    """H alone, by the step that `non_negative_factorization` takes; its penalty is not scaled.

    The public way, `update_H=False` on the transposed matrices, is not usable for beta = 1 with an L1 penalty:
    it adds the penalty once more at every iteration, to a sum of H that it keeps (scikit-learn 1.9.1).
    """
    for _ in range(iterations):
        H = _multiplicative_update_h(V, W, H.copy(), beta, sparsity, 0.0, gamma=1.0)
    return H


def torchnmf_nmf(V, W, H, beta, iterations):
    """As scikit-learn, with 1.2e-7 (float32's epsilon) added inside; it factors V^T = H^T W^T."""
    model = torchnmf.nmf.NMF(W=torch.from_numpy(W), H=torch.from_numpy(H.T))
    model.fit(torch.from_numpy(V.T), beta=beta, tol=-np.inf, max_iter=iterations)
    return model.W.detach().numpy(), model.H.detach().numpy().T


def equations_nmf(V, W, H, beta, iterations):
    """H, then W from the new H, with the heuristic exponent 1: the updates of Févotte and Idier written out."""
    for _ in range(iterations):
        Y = W @ H
        H = H * (W.T @ (V * Y ** (beta - 2))) / (W.T @ Y ** (beta - 1))
        Y = W @ H
        W = W * ((V * Y ** (beta - 2)) @ H.T) / (Y ** (beta - 1) @ H.T)
    return W, H


def check_floors_unused(V, W, H):
    """Refuse a result that scikit-learn's own floors may have touched."""
    if min(W.min(), H.min()) < 1e-12 or (W @ H).min() < 10 * EPSILON or V.min() < 10 * EPSILON:
        raise ValueError("a factor is so small that scikit-learn's floors may have touched it")


def main():
    torch.set_default_dtype(torch.float64)
    rng = np.random.default_rng(0)
    V = spectrogram_like(rng)
    W0, H0 = rng.uniform(0.2, 1.2, (FREQUENCIES, COMPONENTS)), rng.uniform(0.2, 1.2, (COMPONENTS, FRAMES))
    arrays = {"V": V, "W": W0, "H": H0}
    cases = []

    def keep(family, W, H, beta, iterations, sparsity=0.0):
        name = f"{family}/beta_{beta}/iterations_{iterations}"
        check_floors_unused(V, W, H)
        arrays[f"{name}/W"], arrays[f"{name}/H"] = W, H
        arrays[f"{name}/divergence"] = np.float64(_beta_divergence(V, W, H, beta))
        cases.append({"name": name, "family": family, "beta": beta, "iterations": iterations, "sparsity": sparsity})

    for iterations in ITERATIONS:
        for beta in BETAS:
            keep("sklearn", *sklearn_nmf(V, W0, H0, beta, iterations), beta, iterations)
            keep("torchnmf", *torchnmf_nmf(V, W0, H0, beta, iterations), beta, iterations)
        for beta in SPARSE_BETAS:
            W, H = sklearn_nmf(V, W0, H0, beta, iterations, SPARSITY)
            keep("sklearn_sparse", W, H, beta, iterations, SPARSITY)
        for beta in HEURISTIC_BETAS:
            keep("equations_heuristic", *equations_nmf(V, W0, H0, beta, iterations), beta, iterations)
        for beta in ACTIVATION_BETAS:
            for family, sparsity in (("sklearn_activations", 0.0), ("sklearn_activations_sparse", SPARSITY)):
                H = sklearn_activations(V, W0, H0, beta, iterations, sparsity)
                keep(family, W0, H, beta, iterations, sparsity)
    save("nmf", arrays, cases, ["scikit-learn", "torch", "torchnmf"])


if __name__ == "__main__":
    main()

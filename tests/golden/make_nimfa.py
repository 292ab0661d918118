"""NMF by nimfa from the data and the start of nmf.npz, H before W, stored in nimfa.npz."""

import numpy as np
from archive import FOLDER, save

np.mat = np.asmatrix  # nimfa is older than numpy 2, which has only the second of these names
import nimfa  # noqa: E402

ITERATIONS = 50
RULES = {1.0: ("divergence", "div"), 2.0: ("euclidean", "fro")}
SMALLEST = 1e-12


def factorize(V, W, H, beta):
    """nimfa lifts factors to 2.2e-16; that and an early end are refused here."""
    update, objective = RULES[beta]
    fit = nimfa.Nmf(
        V, W=W.copy(), H=H.copy(), rank=W.shape[1], update=update, objective=objective, max_iter=ITERATIONS,
        min_residuals=None,
    )()  # fmt: skip
    W, H = np.asarray(fit.basis()), np.asarray(fit.coef())
    if fit.n_iter != ITERATIONS or min(W.min(), H.min()) < SMALLEST:
        raise ValueError(f"nimfa stopped after {fit.n_iter} iterations, or a factor is below {SMALLEST}")
    return W, H


def main():
    with np.load(FOLDER / "nmf.npz") as data:
        V, W, H = (data[name] for name in "VWH")
    arrays, cases = {}, []
    for beta in RULES:
        name = f"nimfa/beta_{beta}"
        arrays[f"{name}/W"], arrays[f"{name}/H"] = factorize(V, W, H, beta)
        cases.append({"name": name, "family": "nimfa", "beta": beta, "iterations": ITERATIONS, "sparsity": 0.0})
    save("nimfa", arrays, cases, ["nimfa"])


if __name__ == "__main__":
    main()

"""scikit-learn's multiplicative updates, and its coordinate descent, the same steps as HALS."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.decomposition import non_negative_factorization
from sklearn.exceptions import ConvergenceWarning

from ..workloads.nmf import Factorization


def nmf(problem: Factorization) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    return _factorize(problem, solver="mu", beta_loss=problem.beta)


def coordinate_descent(problem: Factorization) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    return _factorize(problem, solver="cd")


def _factorize(problem: Factorization, **options: Any) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    def call() -> tuple[np.ndarray, np.ndarray]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # all iterations are wanted
            W, H, _ = non_negative_factorization(
                problem.V,
                W=problem.W.copy(),
                H=problem.H.copy(),
                n_components=problem.W.shape[1],
                init="custom",
                tol=0,
                max_iter=problem.steps,
                **options,
            )
        return W, H

    return call

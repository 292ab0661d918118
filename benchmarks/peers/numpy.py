"""The equations written out in numpy, whose matrix products use all cores."""

from collections.abc import Callable

import numpy as np

from ..workloads.nmf import Factorization


def nmf(problem: Factorization) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    V = problem.V
    update = {0: _itakura_saito, 0.5: _half, 1: _kullback_leibler, 2: _euclidean}[problem.beta]

    def call() -> tuple[np.ndarray, np.ndarray]:
        W, H = problem.W, problem.H
        for _ in range(problem.steps):
            W, H = update(V, W, H)
        return W, H

    return call


def nmf_batch(problem: Factorization) -> Callable[[], tuple[np.ndarray, ...]]:
    calls = [nmf(one) for one in problem.each()]
    return lambda: tuple(map(np.stack, zip(*(call() for call in calls), strict=True)))


def _euclidean(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    W = W * (V @ H.T) / (W @ (H @ H.T))
    return W, H * (W.T @ V) / ((W.T @ W) @ H)


def _kullback_leibler(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    W = W * ((V / (W @ H)) @ H.T) / H.sum(axis=1)
    return W, H * (W.T @ (V / (W @ H))) / W.sum(axis=0)[:, None]


def _itakura_saito(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inverse = 1 / (W @ H)
    W = W * np.sqrt(((V * inverse * inverse) @ H.T) / (inverse @ H.T))
    inverse = 1 / (W @ H)
    return W, H * np.sqrt((W.T @ (V * inverse * inverse)) / (W.T @ inverse))


def _half(V: np.ndarray, W: np.ndarray, H: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """β = 1/2: the powers of `Y` are square roots."""
    Y = W @ H
    root = 1 / np.sqrt(Y)
    W = W * (((V / Y * root) @ H.T) / (root @ H.T)) ** np.float32(2 / 3)
    Y = W @ H
    root = 1 / np.sqrt(Y)
    return W, H * ((W.T @ (V / Y * root)) / (W.T @ root)) ** np.float32(2 / 3)

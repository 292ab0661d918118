"""Training that has gone wrong, said by step and leaf."""

from collections.abc import Sequence

import numpy as np

WINDOW = 20
"""Steps whose losses are compared, at the beginning and at the end."""


class TrainingError(ArithmeticError):
    """Training that makes no sense to go on with; the message names the step and the leaf."""


class NotFiniteError(TrainingError):
    """A loss or a gradient that is not finite."""


class DivergedError(TrainingError):
    """A loss that grows."""


def check_finite(step: int, value: float, norms: np.ndarray, names: Sequence[str]) -> None:
    """Raises `NotFiniteError` for a loss or the norm of a gradient that is not finite."""
    bad = [name for name, norm in zip(names, norms, strict=True) if not np.isfinite(norm)]
    if np.isfinite(value) and not bad:
        return
    culprit = "the loss" if not np.isfinite(value) else f"the gradient of {', '.join(bad)}"
    raise NotFiniteError(f"step {step}: {culprit} is not finite; try a smaller learning rate")


def check_falling(step: int, losses: Sequence[float], norms: np.ndarray, names: Sequence[str]) -> None:
    """Raises `DivergedError` where the last losses are, on average, far above all of the first.

    That is above their largest by more than three times their range.
    """
    if len(losses) < 2 * WINDOW:
        return
    first, last = np.asarray(losses[:WINDOW]), float(np.mean(losses[-WINDOW:]))
    most = float(first.max() + 3 * np.ptp(first) + 1e-3 * abs(first.max()))
    if last > most:
        raise DivergedError(
            f"step {step}: the loss diverges ({last:.4g} on average over {WINDOW} steps, {first.max():.4g} at most at "
            f"first); the largest gradient is that of {names[int(np.argmax(norms))]}; try a smaller learning rate"
        )

"""The training loop: any optax transformation, checkpoints to go on from, validation, a record of it all."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np
import optax
from jax.sharding import Mesh

from .checkpoints import Checkpoints
from .record import History, Manifest
from .step import Loss, Progress, advance, everywhere, here, leaf_names, shared_out
from .watch import check_falling, check_finite

Batches = Iterable[Any] | Callable[[int], Iterator[Any]]
"""One batch for each step; or a function of the step to begin with, which need not go through those before."""


class Fit(NamedTuple):
    """What training came to.

    Attributes:
        params: the parameters after the last step.
        losses: the loss before each step, `(steps,)`, those before an interruption included.
        best: the parameters with the best score; those after the last step without a validation.
        scores: (steps done, score) of each validation.
    """

    params: Any
    losses: np.ndarray
    best: Any
    scores: list[tuple[int, float]]


@dataclass(frozen=True)
class Validation:
    """What decides which parameters are best, and when to stop.

    Attributes:
        score: `params -> number`, the higher the better, such as the SDR of songs that nothing is learned from.
        every: steps between two validations.
        patience: validations without a better score after which training stops; `None` goes on to the end.
    """

    score: Callable[[Any], float]
    every: int = 100
    patience: int | None = None


def fit(
    loss: Loss,
    params: Any,
    batches: Batches,
    optimizer: optax.GradientTransformation,
    *,
    accumulate: int = 1,
    devices: Sequence[jax.Device] | None = None,
    validation: Validation | None = None,
    folder: str | Path | None = None,
    every: int = 100,
    about: Mapping[str, Any] | None = None,
    on_step: Callable[[int, float], None] | None = None,
) -> Fit:
    """Take a step of the optimiser on each batch.

    With a folder, a run that was interrupted at any moment, by any means, goes on from its last checkpoint, and on a
    CPU comes to the same numbers bit for bit. The folder then has `checkpoints` (the last state, the best parameters in
    it), `history.jsonl` and `manifest.json`. On several devices, and in several processes, the result is that of one,
    to rounding.

    Args:
        loss: `(params, batch) -> number`, to be small; compiled once for each shape of a batch.
        params: what is learned, such as `unconstrain(algorithm, train=...)` gave.
        batches: what to learn on, one for each step. In several processes each gives its own part of a batch.
        optimizer: any optax transformation.
        accumulate: the batch is gone through in so many parts, in the memory of one. The loss must be a mean over the
            first axis of the batch, which this number divides.
        devices: those to share the first axis of a batch among; by default all is on one.
        validation: what decides which parameters are best, and when to stop.
        folder: of the run, for its checkpoints and records.
        every: steps between two checkpoints.
        about: what the manifest is to say besides, such as seed, settings and the digest of the data.
        on_step: called after each step with its number, from 0, and the loss before it.

    Raises:
        NotFiniteError: for a loss or a gradient that is not finite; nothing is updated by it.
        DivergedError: for a loss that grows.
        CheckpointError: for a checkpoint that cannot be written, or is of something else.
        ValueError: for no batches.
    """
    folder = None if folder is None else Path(folder)
    mesh = None if devices is None else Mesh(np.asarray(devices), ("batch",))
    now = Progress(np.asarray(0), params, optimizer.init(params), params, np.asarray(-np.inf), np.asarray(0))
    checkpoints = None if folder is None else Checkpoints(folder)
    if checkpoints:
        now = checkpoints.restore(now) or now
    history, manifest = History(folder, int(now.step)), Manifest(folder, about or {})
    now = now._replace(params=everywhere(now.params, mesh), optimizer=everywhere(now.optimizer, mesh))
    names = leaf_names(params)

    def keep() -> None:
        if checkpoints:
            checkpoints.save(int(now.step), now)
            manifest.write(steps=int(now.step), best_score=float(now.score))

    try:
        for batch in _from(batches, int(now.step)):
            if validation and validation.patience is not None and now.waited >= validation.patience:
                break
            step = int(now.step)
            value, norms, moved, state = advance(
                loss, optimizer, accumulate, mesh, now.params, now.optimizer, shared_out(batch, mesh)
            )
            check_finite(step, float(value), np.asarray(norms), names)
            now = now._replace(step=np.asarray(step + 1), params=moved, optimizer=state)
            history.add(step=step, loss=float(value))
            check_falling(step, history.losses, np.asarray(norms), names)
            if validation and (step + 1) % validation.every == 0:
                now = _validate(validation, now, history)
            if (step + 1) % every == 0:
                keep()
            if on_step:
                on_step(step, float(value))
        if not now.step:
            raise ValueError("fit: batches is empty")
        keep()
    finally:
        history.close()
        if checkpoints:
            checkpoints.close()
    last = here(now.params)
    return Fit(last, np.asarray(history.losses), now.best if history.scores else last, history.scores)


def _from(batches: Batches, step: int) -> Iterable[Any]:
    return batches(step) if callable(batches) else islice(batches, step, None)


def _validate(validation: Validation, now: Progress, history: History) -> Progress:
    params = here(now.params)
    score = float(validation.score(params))
    history.add(after=int(now.step), score=score)
    if score > now.score:
        return now._replace(best=params, score=np.asarray(score), waited=np.asarray(0))
    return now._replace(waited=now.waited + np.asarray(1))

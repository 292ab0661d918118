"""Checkpoints by orbax: written beside, then renamed, so that there is always a whole one."""

import os
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class CheckpointError(ValueError):
    """A checkpoint that cannot be written, or is of something else; the message names the folder."""


class Checkpoints:
    """The last state of a run, in `folder/checkpoints`. Process 0 writes; all may read.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path):
        import orbax.checkpoint as ocp  # half a second that only training waits for

        self.folder, self._ocp = folder / "checkpoints", ocp
        process = jax.process_index()
        alone = ocp.options.MultiprocessingOptions(
            primary_host=process, active_processes={process}, barrier_sync_key_prefix=f"process{process}"
        )
        options = ocp.CheckpointManagerOptions(
            max_to_keep=1,
            enable_async_checkpointing=False,
            cleanup_tmp_directories=process == 0,
            create=False,
            read_only=process != 0,
            multiprocessing_options=alone,
        )
        if process == 0:
            self.folder.mkdir(parents=True, exist_ok=True)
        self._manager = ocp.CheckpointManager(os.path.abspath(self.folder), options=options)

    def save(self, step: int, state: Any) -> None:
        """Write a tree of arrays; the one before goes when it is there.

        Raises:
            CheckpointError: if it cannot be written; the one before is whole.
        """
        if jax.process_index() != 0 or self._manager.latest_step() == step:
            return
        arrays = {f"{index:04d}": np.asarray(leaf) for index, leaf in enumerate(jax.tree.leaves(state))}
        try:
            self._manager.save(step, args=self._ocp.args.StandardSave(arrays))
        except Exception as error:  # orbax and tensorstore have exceptions of many kinds
            before = self._manager.latest_step()
            kept = "none was written before" if before is None else f"the one of step {before} is whole"
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise CheckpointError(
                f"{self.folder}: the checkpoint of step {step} cannot be written, is the disk full? {kept} ({reason})"
            ) from error

    def restore(self, like: Any) -> Any | None:
        """The tree that was saved last, of the structure of `like`; `None` where nothing was saved.

        Raises:
            CheckpointError: for a checkpoint of another structure, or one that cannot be read.
        """
        step = self._manager.latest_step()
        if step is None:
            return None
        leaves, structure = jax.tree.flatten(like)
        try:
            found = self._manager.restore(step, args=self._ocp.args.StandardRestore())
        except Exception as error:
            raise CheckpointError(f"{self.folder}: the checkpoint of step {step} cannot be read ({error})") from error
        arrays = [np.asarray(found[name]) for name in sorted(found)]
        if [(a.shape, a.dtype) for a in arrays] != [(np.shape(b), np.asarray(b).dtype) for b in leaves]:
            raise CheckpointError(f"{self.folder} is of another model or optimiser: choose another folder")
        kinds = zip(arrays, leaves, strict=True)
        return jax.tree.unflatten(structure, [jnp.asarray(a) if isinstance(b, jax.Array) else a for a, b in kinds])

    def close(self) -> None:
        """Be done with the folder."""
        self._manager.close()

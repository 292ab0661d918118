"""An unfolded algorithm as a part of a flax model."""

from collections.abc import Sequence
from typing import Any

import jax
from flax import nnx
from jax import Array

from ..iterate import Checkpointed, Unfolded, run
from ..iterate.gradients import Gradient
from ..pytree import Free, constrain, unconstrain


class Start(nnx.Variable):
    """A number of the algorithm as it was before training: saved with the model, moved by no optimiser."""


class UnfoldedLayer(nnx.Module):
    """The layers of an `Unfolded` as a module: data in, the algorithm's answer out.

    The trained hyperparameters are `nnx.Param`s, free numbers that are zero at the values training starts from, so that
    any step of an optimiser leaves them in their domains. All other numbers are saved with the model, but stay.

    Args:
        unfolded: what `dsp_sep.unfold` gave.
        train: dotted names, with globs, of the leaves to train.
        gradient: how the run is differentiated.
    """

    def __init__(self, unfolded: Unfolded, train: Sequence[str], *, gradient: Gradient = Checkpointed()):
        self.gradient = gradient
        self.start = nnx.data(jax.tree.map(Start, unfolded))
        self.free = nnx.data({name: nnx.Param(u) for name, u in unconstrain(unfolded, train).values.items()})

    @property
    def unfolded(self) -> Unfolded:
        """The algorithm as trained so far."""
        start = jax.tree.map(lambda number: number[...], self.start, is_leaf=lambda node: isinstance(node, Start))
        return constrain(Free({name: u[...] for name, u in self.free.items()}), start)

    def __call__(self, data: Any, *, key: Array | None = None) -> Any:
        return run(self.unfolded, data, key=key, gradient=self.gradient).output

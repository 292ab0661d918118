"""A flax network as a field of an algorithm: call-pure, its parameters ordinary leaves.

A raw `nnx.Module` fails inside a scan under `grad` as soon as it has state (batch normalisation in training, dropout,
any recurrent cell), and its counters and statistics would be trained. Here the module is taken apart once, and put
together afresh in each call.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from .decorator import hyper, node, static
from .domains import FIXED, REAL


class _ByValue:
    """Counters and keys of a module as a constant of the program, compared by what they hold."""

    def __init__(self, state: Any):
        self.state = state
        keyless = (
            jax.random.key_data(leaf) if jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key) else leaf
            for leaf in jax.tree.leaves(state)
        )
        self._content = tuple((np.asarray(leaf).tobytes(), leaf.shape, str(leaf.dtype)) for leaf in keyless)

    def __hash__(self) -> int:
        return hash(self._content)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByValue) and self._content == other._content

    def __repr__(self) -> str:
        return f"<{len(self._content)} counters and keys>"


@node
class Network:
    """A flax module as a pure function; made by `network`.

    The parameters are leaves (they keep their own precision in a driver), the other numbers of the module, such as
    running statistics, are leaves that no optimiser moves; so a checkpoint of the algorithm holds the whole model.
    """

    params: Any = hyper(domain=REAL, cast=False)
    statistics: Any = hyper(domain=FIXED, cast=False)
    graph: Any = static()
    counters: _ByValue = static()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """The module's output in evaluation mode; nothing is written."""
        module = nnx.merge(self.graph, self.params, self.statistics, self.counters.state, copy=True)
        return module(*args, **kwargs)


def network(module: nnx.Module) -> Network:
    """Take a flax module apart for use inside an algorithm; the module itself stays as it is.

    It is put in evaluation mode (no dropout, running statistics): every iteration of an algorithm must be the same
    map. Parameters shared between parts of the module stay shared.
    """
    module = nnx.clone(module)
    module.eval()
    graph, *states = nnx.split(module, nnx.Param, _is_number, ...)
    params, statistics, counters = (nnx.to_pure_dict(state) for state in states)
    return Network(params=params, statistics=statistics, graph=graph, counters=_ByValue(counters))


def _is_number(path: tuple, variable: Any) -> bool:
    return jnp.issubdtype(variable.get_value().dtype, jnp.inexact)

"""How a run is differentiated, as objects.

Each serves `jax.grad` and `jax.jvp` in `run`. The memory a reverse pass needs, in states of the algorithm, is stated
for `n` iterations; a loop that is only run forward needs one state with any of them. For fixed points there is also
`Implicit`.
"""

import abc
import dataclasses
from collections.abc import Callable
from typing import Any

import jax
from jax import lax

Body = Callable[[Any, Any, Any], tuple[Any, Any]]
"""`(state, input of the step, constants) -> (state, output of the step)`; it closes over no traced array."""


class Gradient(abc.ABC):
    """A way to differentiate a loop."""

    @abc.abstractmethod
    def scan(self, body: Body, state: Any, inputs: Any, length: int, constants: Any) -> tuple[Any, Any]:
        """`lax.scan` of `body` over the first axis of `inputs`, with derivatives of this kind."""


@dataclasses.dataclass(frozen=True)
class Plain(Gradient):
    """Through every iteration, all intermediate arrays kept: the most memory, seldom the fastest."""

    def scan(self, body: Body, state: Any, inputs: Any, length: int, constants: Any) -> tuple[Any, Any]:
        return lax.scan(lambda state, x: body(state, x, constants), state, inputs, length=length)


@dataclasses.dataclass(frozen=True)
class Checkpointed(Gradient):
    """Through every iteration, with what is inside an iteration computed again in the reverse pass.

    With `every = 1` the state of each iteration is kept: `n` states. With `every = m` only each `m`-th is, and `m`
    more while a stretch is gone through again: `n/m + m` states for one more forward pass (`m = √n` is the least).
    On a CPU `every = 1` is about as fast as `Plain`, often faster, in a fraction of the memory.
    """

    every: int = 1

    def __post_init__(self) -> None:
        if self.every < 1:
            raise ValueError(f"Checkpointed: every must be at least 1, got {self.every}")

    def scan(self, body: Body, state: Any, inputs: Any, length: int, constants: Any) -> tuple[Any, Any]:
        step = jax.checkpoint(body, prevent_cse=False)
        if self.every == 1 or length <= self.every:
            return Plain().scan(step, state, inputs, length, constants)

        def stretch(state, inputs, constants):
            return Plain().scan(step, state, inputs, self.every, constants)

        whole = length - length % self.every
        folded, rest = _split(inputs, whole)
        folded = jax.tree.map(lambda x: x.reshape(-1, self.every, *x.shape[1:]), folded)
        outer = jax.checkpoint(stretch, prevent_cse=False)
        state, outputs = Plain().scan(outer, state, folded, whole // self.every, constants)
        outputs = jax.tree.map(lambda y: y.reshape(-1, *y.shape[2:]), outputs)
        if whole == length:
            return state, outputs
        state, last = Plain().scan(step, state, rest, length - whole, constants)
        return state, _join(outputs, last)


@dataclasses.dataclass(frozen=True)
class Truncated(Gradient):
    """Through the last iterations only, the state before them taken as a constant: `last` states, and a bias.

    In `run` they are the last of its iterations, in `run_until` so many more after the stopping rule held. For an
    iteration that contracts by the factor `r` near its fixed point the error is of the order of `r ** last`.
    """

    last: int

    def __post_init__(self) -> None:
        if self.last < 1:
            raise ValueError(f"Truncated: last must be at least 1, got {self.last}")

    def scan(self, body: Body, state: Any, inputs: Any, length: int, constants: Any) -> tuple[Any, Any]:
        burn = max(length - self.last, 0)
        first, last = _split(inputs, burn)
        frozen = lax.stop_gradient((state, first, constants))
        state, before = Plain().scan(body, *frozen[:2], burn, frozen[2]) if burn else (state, None)
        state, after = Checkpointed().scan(body, state, last, length - burn, constants)
        return state, _join(before, after) if burn else after

    def after(self, solve: Callable[[Any, Any], Any], state: Any, constants: Any, probe: Any) -> Any:
        """The state `last` iterations after `solve(state, constants)`, differentiated through these."""
        state, steps, status = lax.stop_gradient(solve(*lax.stop_gradient((state, constants))))
        state, _ = Checkpointed().scan(_update, state, None, self.last, constants)
        return state, steps + self.last, status, None


def OneStep() -> Truncated:
    """Through the last iteration alone (Bolte, Pauwels and Vaiter, 2023): the cheapest, for fast contractions."""
    return Truncated(1)


def _update(state: Any, _: None, constants: Any) -> tuple[Any, None]:
    algorithm, data = constants
    return algorithm.update(state, data), None


def _split(tree: Any, index: int) -> tuple[Any, Any]:
    return jax.tree.map(lambda x: x[:index], tree), jax.tree.map(lambda x: x[index:], tree)


def _join(first: Any, second: Any) -> Any:
    return jax.tree.map(lambda a, b: lax.concatenate([a, b], 0), first, second)

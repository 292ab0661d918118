"""Times of finished work: tracing, compilation and the first run apart, then steady runs in turns."""

import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from .cost import Cost, count
from .workload import Contestant, Program

FEWEST, MOST = 3, 30
"""Samples of each contestant, however short or long the budget."""
PAUSE = 0.03
"""Seconds before each contestant's turn: threads of the one before it, which wait in a busy loop, fall asleep."""
SHORT = 0.25
"""A contestant that takes less is called once more before each timed call, to find caches and threads awake."""


class Ready(NamedTuple):
    """A contestant that can run.

    Attributes:
        call: does the work once and returns when it is finished.
        output: of the first run, if there was one.
        seconds: what came before the steady state: "tracing", "lowering", "compiling" (programs only), "first".
        compiled: the compiled program (programs only).
        cost: what it must do (programs only).
    """

    call: Callable[[], Any]
    output: Any
    seconds: dict[str, float]
    compiled: Any = None
    cost: Cost | None = None


def get_ready(contestant: Contestant, *, run: bool = True) -> Ready:
    """Compile what is to be compiled, and run it for the first time unless told otherwise."""
    seconds: dict[str, float] = {}

    def timed(name: str, function: Callable[..., Any], *arguments: Any) -> Any:
        start = time.perf_counter()
        value = function(*arguments)
        seconds[name] = time.perf_counter() - start
        return value

    if not isinstance(contestant, Program):
        return Ready(contestant, timed("first", contestant) if run else None, seconds)
    arguments = jax.block_until_ready(jax.device_put(contestant.arguments))
    traced = timed("tracing", jax.jit(contestant.function).trace, *arguments)
    lowered = timed("lowering", traced.lower)
    compiled = timed("compiling", lowered.compile)

    def call() -> Any:
        return jax.block_until_ready(compiled(*arguments))

    return Ready(call, timed("first", call) if run else None, seconds, compiled, count(traced.jaxpr))


def affordable_rounds(ready: Mapping[str, Ready], budget: float) -> int:
    """How many rounds fit a budget in seconds, going by the first runs (which are slower, if anything)."""
    firsts = [one.seconds["first"] for one in ready.values()]
    round_seconds = sum(first * (1 if first > SHORT else 2) + PAUSE for first in firsts)
    return int(np.clip(budget / round_seconds, FEWEST, MOST)) if ready else 0


def interleave(
    calls: Mapping[str, Callable[[], Any]],
    rounds: int,
    *,
    seed: int = 0,
    tick: Callable[[str, int], None] = lambda name, round: None,
    samples: dict[str, list[float]] | None = None,
) -> dict[str, list[float]]:
    """Call each once a round, in another order each round, so that whatever else the machine does meets all alike.

    Args:
        calls: what to time; each returns when its work is finished.
        rounds: how many samples of each.
        seed: of the random order.
        tick: told before each sample whose it is, and of which round.
        samples: lists to put the seconds in, for those who want to watch.

    Returns:
        Seconds, `rounds` of them for each name, in the order of the rounds.
    """
    rng = np.random.default_rng(seed)
    samples = {name: [] for name in calls} if samples is None else samples
    for _ in range(rounds):
        for name in rng.permutation(list(calls)).tolist():
            tick(name, len(samples[name]) + 1)
            time.sleep(PAUSE)
            if not samples[name] or samples[name][-1] < SHORT:
                calls[name]()
            start = time.perf_counter()
            calls[name]()
            samples[name].append(time.perf_counter() - start)
    return samples

"""What a workload is."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .sizes import Size


class Program(NamedTuple):
    """A function of pytrees of JAX arrays, yet to be compiled, and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


Contestant = Program | Callable[[], Any]
"""Something to be timed: a program of JAX, or a call that returns when its work is done."""


class Quality(NamedTuple):
    """How well the work was done, as one number: equal numbers say equal work.

    Attributes:
        name: what the number is.
        of: a function of the problem and a contestant's output (as numpy arrays).
    """

    name: str
    of: Callable[[Any, Any], float]


@dataclasses.dataclass(frozen=True)
class Workload:
    """Something to be done, and all who do it.

    Attributes:
        name: what it is called on the command line.
        what: the work in a line.
        problem: the numpy arrays and the numbers that all contestants are given.
        ours: the contestants of dsp_sep; the first is the one that others are compared with.
        floors: the part of the work that no implementation can do without, on its own, as programs of JAX.
        peers: the files in `peers/` that can do it.
        operation: the name of their function that does all of this work.
        bare: the name of their function, where they have it, that does the part of the floor.
        quality: what is compared besides time.
        iterations: how many there are in one call, if times are to be given for one iteration.
        peak_memory: whether the memory of whole processes is measured too; each contestant needs one of its own.
        budget: seconds that its steady runs may take, if a few of each contestant are done by then.
    """

    name: str
    what: str
    problem: Callable[[Size], Any]
    ours: Mapping[str, Callable[[Any], Contestant]]
    floors: Mapping[str, Callable[[Any], Program]]
    peers: tuple[str, ...]
    operation: str
    quality: Quality
    bare: str = ""
    iterations: Callable[[Size], int] = lambda size: 1
    peak_memory: bool = False
    budget: float = 10.0

    @property
    def group(self) -> str:
        """What comes before the slash of its name: "kernel", "case", or "peers" for those without one."""
        before, slash, _ = self.name.partition("/")
        return before if slash else "peers"


def is_gradient(workload: Workload, contestant: str) -> bool:
    """Whether something is differentiated, which the names say."""
    return "gradient" in workload.name or contestant.startswith("gradient")

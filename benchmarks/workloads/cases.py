"""Every algorithm of the table of cases, as it is and differentiated by each of the gradient objects."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

import dsp_sep as ds
from dsp_sep.iterate.gradients import Gradient
from tests.cases import CASES, Case

from ..sizes import Size
from ..workload import Program, Quality, Workload

GRADIENTS = {
    "gradient, Checkpointed": ds.Checkpointed(),
    "gradient, Plain": ds.Plain(),
    "gradient, Truncated(2)": ds.Truncated(2),
    "gradient, OneStep": ds.OneStep(),
}


class Instance(NamedTuple):
    """A case of some size: the algorithm, its data, a key if it draws, and the number of iterations."""

    algorithm: Any
    data: Any
    key: jax.Array | None
    steps: int


def instance(size: Size, *, case: Case) -> Instance:
    return Instance(case.algorithm(size.case), case.data(size.batch_axes, size.case), case.key(), size.case_steps)


def forward(problem: Instance) -> Program:
    def output(algorithm: Any, data: Any, key: jax.Array | None) -> Any:
        return ds.run(algorithm, data, problem.steps, key=key).output

    return Program(output, (problem.algorithm, problem.data, problem.key))


def differentiated(problem: Instance, *, gradient: Gradient) -> Program:
    """The gradient of the sum of squares of the output, by all hyperparameters and all data."""

    def loss(operands: tuple[Any, Any], key: jax.Array | None) -> jax.Array:
        algorithm, data = operands
        output = ds.run(algorithm, data, problem.steps, key=key, gradient=gradient).output
        return sum((jnp.sum(ds.numerics.square_magnitude(leaf)) for leaf in jax.tree.leaves(output)), jnp.zeros(()))

    return Program(jax.grad(loss), ((problem.algorithm, problem.data), problem.key))


def norm(problem: Instance, output: Any) -> float:
    """Of all that came out."""
    return float(np.sqrt(sum(np.sum(np.abs(leaf.astype(complex)) ** 2) for leaf in jax.tree.leaves(output))))


def _what(case: Case) -> str:
    """The algorithm by name, with those that it wraps."""
    algorithm, names = case.algorithm(), []
    while algorithm is not None:
        names.append(type(algorithm).__name__)
        algorithm = next((v for v in vars(algorithm).values() if isinstance(v, ds.iterate.Algorithm)), None)
    return f"{' of '.join(names)}, one iteration"


def _workload(case: Case) -> Workload:
    contestants: dict[str, Callable[[Any], Program]] = {"dsp_sep": forward}
    contestants |= {name: partial(differentiated, gradient=gradient) for name, gradient in GRADIENTS.items()}
    return Workload(
        name=f"case/{case.name}",
        what=_what(case),
        problem=partial(instance, case=case),
        ours=contestants,
        floors={},
        peers=(),
        operation="",
        quality=Quality("norm", norm),
        iterations=lambda size: size.case_steps,
        budget=1.0,
    )


WORKLOADS = [_workload(case) for case in CASES]

"""The drivers: an algorithm, its data and a number of iterations or a rule to stop by, in; a `Result` out."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import real_dtype
from ..pytree import cast, combine
from .gradients import Checkpointed, Gradient, Truncated
from .implicit import Implicit
from .loop import finite, integer, loop
from .protocol import Result, Status
from .stopping import RelativeChange
from .unfolding import Unfolded, unfold

Record = Callable[[Any, Any, Any], Any]


def run(
    algorithm: Any,
    data: Any,
    steps: int | None = None,
    *,
    key: Array | None = None,
    state: Any = None,
    gradient: Gradient = Checkpointed(),
    record: Record | None = None,
    every: int = 1,
) -> Result:
    """Do a fixed number of iterations of an algorithm, or go once through the layers of an `Unfolded`.

    The whole run is compiled once for each algorithm class, shape and number of steps; other values of the
    hyperparameters do not compile again.

    Values of the data are looked at only under `checkify`, which costs a pass over them and a wait for the answer::

        error, result = checkify.checkify(lambda data: run(algorithm, data, 50))(data)
        error.throw()  # NMF: the spectrogram must not be negative, got -1.0

    Args:
        algorithm: an algorithm or an `Unfolded`; its numbers are cast to the precision of the data.
        data: what the algorithm works on; see its documentation. Any leading batch axes.
        steps: the number of iterations; none for an `Unfolded`, whose depth it is.
        key: a random key, for an algorithm whose start is drawn.
        state: the state to start from, in place of the algorithm's own start (`Result.state` of an earlier run).
        gradient: how the run is differentiated.
        record: a function of (algorithm of the layer, state after it, data), such as `NMF.objective`, whose values
            make up `Result.trace`. A function written in place traces again at every call.
        every: the trace holds the record after each `every`-th iteration.

    Raises:
        ValueError: for shapes that do not fit, a missing key, or a number of steps that is missing or out of place.
        TypeError: for `Implicit`, which needs a fixed point.
    """
    if isinstance(algorithm, Unfolded):
        if steps is not None:
            raise ValueError(f"steps is the depth of an Unfolded ({algorithm.depth}) and is not given, got {steps}")
        unfolded = algorithm
    elif steps is None or steps < 1:
        raise ValueError(f"steps must be at least 1 for a plain algorithm, got {steps}")
    else:
        unfolded = unfold(algorithm, steps)
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")
    if not isinstance(gradient, Gradient):
        raise TypeError(f"run goes through its iterations, so {type(gradient).__name__} cannot serve; see run_until")
    data, unfolded, state = _enter(data, unfolded, state)
    return _run(unfolded, data, key, state, gradient=gradient, record=record, every=every)


@partial(jax.jit, static_argnames=("gradient", "record", "every"))
def _run(unfolded, data, key, state, *, gradient, record, every) -> Result:
    data = unfolded.prepare(data)
    if state is None:
        state = unfolded[0].init(data, key=key)

    def step(state, inputs, constants):
        index, own = inputs
        shared, data = constants
        layer = combine(own, shared)
        state = layer.update(state, data)
        if record is None:
            return state, None
        if every == 1:
            return state, record(layer, state, data)
        shapes = jax.eval_shape(record, layer, state, data)
        empty = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
        due = index % every == every - 1
        return state, lax.cond(due, lambda: record(layer, state, data), lambda: empty)

    inputs = (jnp.arange(unfolded.depth), unfolded.layers)
    state, trace = gradient.scan(step, state, inputs, unfolded.depth, (unfolded.shared, data))
    trace = jax.tree.map(lambda values: values[every - 1 :: every], trace)
    output = unfolded[-1].readout(state, data)
    status = jnp.where(finite(state), integer(Status.RAN_OUT), integer(Status.NOT_FINITE))
    return Result(output, state, integer(unfolded.depth), status, trace, None)


def run_until(
    algorithm: Any,
    data: Any,
    stop: RelativeChange,
    *,
    max_steps: int | Array,
    key: Array | None = None,
    state: Any = None,
    gradient: Truncated | Implicit | None = None,
    probe: Array | float = 0.0,
) -> Result:
    """Iterate until a stopping rule holds, a number of steps is reached, or the state is not finite any more.

    Args:
        algorithm: a plain algorithm; its numbers are cast to the precision of the data.
        data: what the algorithm works on; see its documentation.
        stop: the rule. Under `vmap` each item stops for itself.
        max_steps: the most iterations to do (rounded up to a multiple of `stop.every`); another number does not compile
            again, and it may be traced.
        key: a random key, for an algorithm whose start is drawn.
        state: the state to start from, in place of the algorithm's own start.
        gradient: `Implicit()`, `Truncated(last)` or `OneStep()`, which add their iterations (`Implicit` one) to the
            count. Without one, the result cannot be differentiated.
        probe: a number that does nothing, but that the derivative with respect to it is, with `Implicit`, how far the
            adjoint equation was from solved, `‖v + Jᵀ u - u‖ / ‖v‖`:
            `jax.grad(lambda algorithm, probe: loss(run_until(..., probe=probe)), argnums=(0, 1))(algorithm, 0.0)`.

    Raises:
        TypeError: for an `Unfolded`, for a gradient object of another kind, and when a run without one is
            differentiated.
    """
    if isinstance(algorithm, Unfolded):
        raise TypeError("run_until takes a plain algorithm, got an Unfolded: its layers are gone through by run")
    if not (gradient is None or hasattr(gradient, "after")):
        raise TypeError(
            f"run_until does not know how many iterations there will be, so {type(gradient).__name__} cannot serve; "
            f"choose gradient=OneStep() or gradient=Truncated(last), or gradient=Implicit() at a fixed point"
        )
    if not isinstance(max_steps, jax.core.Tracer) and max_steps < 1:
        raise ValueError(f"max_steps must be at least 1, got {max_steps}")
    data, algorithm, state = _enter(data, algorithm, state)
    probe = jnp.asarray(probe, real_dtype(data))
    return _run_until(algorithm, data, key, state, probe, integer(max_steps), stop=stop, gradient=gradient)


@partial(jax.jit, static_argnames=("stop", "gradient"))
def _run_until(algorithm, data, key, state, probe, max_steps, *, stop, gradient) -> Result:
    data = algorithm.prepare(data)
    if state is None:
        state = algorithm.init(data, key=key)

    def solve(state, constants):
        return loop(constants[0], state, constants[1], stop, max_steps)

    if gradient is None:
        state, steps, status = _undifferentiated(solve)(state, (algorithm, data))
        distance = None
    else:
        state, steps, status, distance = gradient.after(solve, state, (algorithm, data), probe)
    status = jnp.where(finite(state), status, integer(Status.NOT_FINITE))
    return Result(algorithm.readout(state, data), state, steps, status, None, distance)


def _undifferentiated(function):
    guarded = jax.custom_jvp(function)

    @guarded.defjvp
    def _(primals, tangents):
        raise TypeError(
            "run_until was differentiated without a choice of how: give it gradient=OneStep(), "
            "gradient=Truncated(last) or gradient=Implicit(), or use run with a fixed number of steps"
        )

    return guarded


def _enter(data: Any, algorithm: Any, state: Any) -> tuple[Any, Any, Any]:
    """Arrays for the data, and the algorithm and the state in the precision of it."""
    data = jax.tree.map(jnp.asarray, data)
    dtype = real_dtype(data)
    return data, cast(algorithm, dtype), cast(jax.tree.map(jnp.asarray, state), dtype)

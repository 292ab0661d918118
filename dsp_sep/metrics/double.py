"""Double precision inside a program that computes in single precision.

The normal equations of BSS Eval have condition numbers of 1e11 on ordinary music, which no trick carries in float32.
`jax.enable_x64` alone does not help there: what JAX does later with a function traced under it (batching it, taking its
derivative) happens outside. Here the function is one primitive, and each of its rules traces with 64-bit types again.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import ClosedJaxpr, Primitive, jaxpr_as_fun
from jax.interpreters import ad, batching, mlir


def in_double(function: Callable[..., Sequence[Array]], *operands: Array) -> list[Array]:
    """`function(*operands)`, traced with 64-bit types enabled whatever the program around it does.

    The function casts what it takes to float64 where it needs it, and what it returns to the dtype of the operands. It
    works under `jit`, `vmap`, forward and reverse derivatives of any order; reverse mode computes the function again.

    Args:
        function: of floating-point arrays, returns several.
        operands: what it is called with.
    """
    return _value.bind(*operands, body=_trace(function, operands))


def _trace(function: Callable[..., Sequence[Array]], operands: Sequence[Array]) -> ClosedJaxpr:
    with jax.enable_x64(True):
        return jax.make_jaxpr(function)(*operands)


def _evaluate(*operands: Array, body: ClosedJaxpr) -> list[Array]:
    return jaxpr_as_fun(body)(*operands)


def _derivative(*operands: Array, body: ClosedJaxpr) -> list[Array]:
    """The directional derivative; the second half of the operands is the direction."""
    half = len(operands) // 2
    return jax.jvp(jaxpr_as_fun(body), operands[:half], operands[half:])[1]


def _pullback(*operands: Array, body: ClosedJaxpr) -> Sequence[Array]:
    """The cotangents of the arguments; the operands are they, and then the cotangents of the results."""
    count = len(body.in_avals)
    return jax.vjp(jaxpr_as_fun(body), *operands[:count])[1](list(operands[count:]))


def _primitive(name: str, function: Callable[..., Any]) -> Primitive:
    """A primitive that is `function(*operands, body)` under 64-bit types."""
    primitive = Primitive(name)
    primitive.multiple_results = True

    def run(*operands: Array, body: ClosedJaxpr) -> list[Array]:
        with jax.enable_x64(True):
            return list(function(*operands, body=body))

    def shapes(*operands: Any, body: ClosedJaxpr) -> Sequence[Any]:
        del operands
        return body.out_avals

    def lower(ctx: Any, *operands: Any, body: ClosedJaxpr) -> Any:
        with jax.enable_x64(True):
            return mlir.lower_fun(run, multiple_results=True)(ctx, *operands, body=body)

    def differentiate(primals: Sequence[Array], tangents: Sequence[Any], *, body: ClosedJaxpr) -> tuple[list, list]:
        again = _trace(partial(function, body=body), primals)
        directions = [ad.instantiate_zeros(tangent) for tangent in tangents]
        return primitive.bind(*primals, body=body), _direction.bind(*primals, *directions, body=again)

    primitive.def_impl(run)
    primitive.def_abstract_eval(shapes)
    mlir.register_lowering(primitive, lower)
    ad.primitive_jvps[primitive] = differentiate
    return primitive


_value = _primitive("in_double", _evaluate)
_direction = _primitive("in_double_direction", _derivative)


def _batch_value(operands: Sequence[Array], axes: Sequence[Any], *, body: ClosedJaxpr) -> tuple[list, list]:
    batched = jax.vmap(jaxpr_as_fun(body), in_axes=tuple(axes))
    results = in_double(batched, *operands)
    return results, [0] * len(results)


def _batch_direction(operands: Sequence[Array], axes: Sequence[Any], *, body: ClosedJaxpr) -> tuple[list, list]:
    size = next(operand.shape[axis] for operand, axis in zip(operands, axes, strict=True) if axis is not None)
    full = [
        jnp.broadcast_to(operand, (size, *operand.shape)) if axis is None else jnp.moveaxis(operand, axis, 0)
        for operand, axis in zip(operands, axes, strict=True)
    ]
    results = _direction.bind(*full, body=_trace(jax.vmap(jaxpr_as_fun(body)), full[: len(full) // 2]))
    return results, [0] * len(results)


def _transpose_direction(cotangents: Sequence[Any], *operands: Any, body: ClosedJaxpr) -> list[Any]:
    primals = operands[: len(operands) // 2]
    full = [ad.instantiate_zeros(cotangent) for cotangent in cotangents]
    return [None] * len(primals) + in_double(partial(_pullback, body=body), *primals, *full)


batching.primitive_batchers[_value] = _batch_value
batching.primitive_batchers[_direction] = _batch_direction
ad.primitive_transposes[_direction] = _transpose_direction

"""Linear functions with a transpose that is written by hand.

JAX transposes a gather into a scatter, and a real FFT into a complex one of twice the work. `jax.custom_vjp` would
mend that for reverse mode and lose forward mode; `jax.custom_derivatives.linear_call` has both and loses `vmap`.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.core import Primitive, jaxpr_as_fun
from jax.interpreters import ad, batching, mlir

Linear = Callable[..., Array]


def transposes(first: Linear, second: Linear) -> tuple[Linear, Linear]:
    """Two linear functions that JAX takes for each other's transpose, under every transformation.

    Args:
        first: a function of one array, with any leading axes, and of static keyword arguments.
        second: its transpose, with the same keyword arguments.
    """
    return partial(_bind, first, second), partial(_bind, second, first)


def _bind(function: Linear, transpose: Linear, operand: Array, **static: Any) -> Array:
    body = jax.make_jaxpr(partial(function, **static))(operand)
    return _linear_p.bind(operand, body=body, again=partial(_bind, function, transpose, **static),
                          transpose=partial(_bind, transpose, function, **static))


def _batch(operands: tuple, axes: tuple, *, again: Linear, **_: Any) -> tuple[Array, int]:
    return again(jnp.moveaxis(operands[0], axes[0], 0)), 0


def _run(operand, *, body, **_):
    return jaxpr_as_fun(body)(operand)[0]


_linear_p = Primitive("linear")
_linear_p.def_impl(_run)
_linear_p.def_abstract_eval(lambda operand, *, body, **_: body.out_avals[0])
mlir.register_lowering(_linear_p, mlir.lower_fun(_run, multiple_results=False))
ad.deflinear2(_linear_p, lambda cotangent, _, *, transpose, **rest: [transpose(cotangent)])
batching.primitive_batchers[_linear_p] = _batch

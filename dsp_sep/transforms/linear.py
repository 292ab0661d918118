"""Linear functions whose transpose is written by hand.

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
    here, back = partial(_bind, function, transpose, **static), partial(_bind, transpose, function, **static)
    return _linear.bind(operand, body=body, function=here, transpose=back)


def _run(operand: Array, *, body: Any, **_: Any) -> Array:
    return jaxpr_as_fun(body)(operand)[0]


def _batch(operands: tuple, axes: tuple, *, function: Linear, **_: Any) -> tuple[Array, int]:
    return function(jnp.moveaxis(operands[0], axes[0], 0)), 0


_linear = Primitive("linear")
_linear.def_impl(_run)
_linear.def_abstract_eval(lambda operand, *, body, **_: body.out_avals[0])
mlir.register_lowering(_linear, mlir.lower_fun(_run, multiple_results=False))
ad.deflinear2(_linear, lambda cotangent, _, *, transpose, **__: [transpose(cotangent)])
batching.primitive_batchers[_linear] = _batch

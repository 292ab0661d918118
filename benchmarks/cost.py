"""What a program must do, counted by formulas from the steps it is made of.

The compiled program's own analysis is kept beside it and not relied upon: it counts the body of a loop once, however
often it runs, and a real FFT as three times the work. Here loops count as often as they run (those whose end is
decided by their values: once), and every step by the formula for its kind.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np


class Cost(NamedTuple):
    """Floating-point operations of real numbers, and bytes.

    Attributes:
        products: of matrix products and factorisations of matrices.
        transforms: of Fourier transforms, `5 n log2(n)` for a complex one of n points and half of that for a real one.
        others: of all else, one for each real number that is computed, reordering not counted.
        bytes: that must pass through memory, if all that one iteration computes for itself could stay in the cache:
            arguments and results once, and of loops what each iteration reads and what it hands on.
    """

    products: float = 0.0
    transforms: float = 0.0
    others: float = 0.0
    bytes: float = 0.0

    @property
    def operations(self) -> float:
        return self.products + self.transforms + self.others


def count(jaxpr: Any) -> Cost:
    """The cost of a traced program (a `ClosedJaxpr`)."""
    return Cost(*map(float, _operations(jaxpr.jaxpr)), _bytes(jaxpr.jaxpr))


def _operations(jaxpr: Any) -> np.ndarray:
    total = np.zeros(3)
    for step in jaxpr.eqns:
        inner = [_operations(body) for body in _bodies(step)]
        if step.primitive.name == "cond":
            total += max(inner, key=sum)
        elif inner:
            total += step.params.get("length", 1) * sum(inner)
        elif step.outvars:
            total += _step(step)
    return total


def _bytes(jaxpr: Any) -> float:
    return max(_crossing(jaxpr), _bytes_of_loops(jaxpr))


def _bytes_of_loops(jaxpr: Any) -> float:
    total = 0.0
    for step in jaxpr.eqns:
        loop = step.primitive.name in ("scan", "while")
        inner = [_bytes(body) if loop else _bytes_of_loops(body) for body in _bodies(step)]
        total += max(inner, default=0.0) if step.primitive.name == "cond" else step.params.get("length", 1) * sum(inner)
    return total


def _crossing(jaxpr: Any) -> float:
    """Bytes of all that goes in, and of what comes out that did not go in."""
    inside = sum(_read(jaxpr, v) for v in (*jaxpr.constvars, *jaxpr.invars))
    made = {step.outvars[0]: step for step in jaxpr.eqns if step.primitive.name == "dynamic_update_slice"}
    outside = [v for v in jaxpr.outvars if not hasattr(v, "val") and v not in set(jaxpr.invars)]
    return inside + sum(_held(made[v].invars[1] if v in made else v) for v in outside)


def _read(jaxpr: Any, variable: Any) -> float:
    """Bytes that are read of a variable; where pieces are cut from it or put into its place, those of the pieces."""
    total = 0.0
    for step in jaxpr.eqns:
        for place, operand in enumerate(step.invars):
            if operand is not variable:
                continue
            inner = [_read(body, v) for body, v in _inside(step, place)]
            if place == 0 and step.primitive.name == "dynamic_slice":
                total += _held(step.outvars[0])
            elif place or step.primitive.name != "dynamic_update_slice":
                total += max(inner, default=_held(variable))
    return min(total, _held(variable))


def _inside(step: Any, place: int) -> Iterator[tuple[Any, Any]]:
    """The programs inside a step that is no loop, and their variable for an operand."""
    for body in () if step.primitive.name in ("scan", "while", "custom_linear_solve") else _bodies(step):
        own = place - len(step.invars) + len(body.invars)
        if own >= 0:
            yield body, body.invars[own]


def _held(variable: Any) -> float:
    """Bytes of a variable."""
    return float(_size(variable) * _item(variable))


def _bodies(step: Any) -> Iterator[Any]:
    if step.primitive.name == "custom_linear_solve":  # the rest of it is for derivatives
        yield step.params["jaxprs"].solve.jaxpr
        return
    for value in step.params.values():
        for one in value if isinstance(value, (tuple, list)) else (value,):
            body = getattr(one, "jaxpr", one)
            if hasattr(body, "eqns"):
                yield body


MOVING = frozenset(
    "broadcast_in_dim reshape transpose slice dynamic_slice dynamic_update_slice gather scatter pad concatenate "
    "squeeze stack unstack split rev iota copy convert_element_type bitcast_convert_type real imag complex "
    "optimization_barrier stop_gradient pure_callback random_seed random_wrap random_unwrap device_put".split()
)
"""Steps that compute nothing."""
FACTORIZATIONS = {
    "cholesky": 1 / 3,
    "lu": 2 / 3,
    "geqrf": 4 / 3,
    "householder_product": 4 / 3,
    "eigh": 9.0,
    "svd": 22.0,
}
"""Operations over the product of the sides and the shorter one (Golub and Van Loan: with vectors, square matrices)."""


def _step(step: Any) -> tuple[float, float, float]:
    name, out = step.primitive.name, step.outvars[0]
    first = step.invars[0] if step.invars else out
    numbers = 4 if jnp.issubdtype(_dtype(first), jnp.complexfloating) else 1
    if name == "dot_general":
        (contracted, _), _ = step.params["dimension_numbers"]
        return 2.0 * numbers * _size(out) * math.prod(first.aval.shape[axis] for axis in contracted), 0, 0
    if name == "conv_general_dilated":
        kernel = step.invars[1].aval.shape
        channels = step.params["dimension_numbers"].rhs_spec[0]
        return 2.0 * numbers * _size(out) * math.prod(kernel) / kernel[channels], 0, 0
    if name in FACTORIZATIONS:
        *batch, rows, columns = first.aval.shape
        least = min(rows, columns)
        return numbers * FACTORIZATIONS[name] * math.prod(batch) * rows * columns * least, 0, 0
    if name == "triangular_solve":
        return float(numbers * first.aval.shape[-1] * _size(out)), 0, 0
    if name == "fft":
        return 0, _transforms(step), 0
    if name in MOVING:
        return 0, 0, 0
    if name.startswith(("reduce_", "arg", "cum")) or name == "sort":
        return 0, 0, float(_reals(first) * _size(first))
    both = 3 if name in ("mul", "div", "integer_pow") else 1  # of two complex numbers
    complex_ = jnp.issubdtype(_dtype(out), jnp.complexfloating)
    return 0, 0, float(_reals(out) * _size(out) * (both if complex_ else 1))


def _transforms(step: Any) -> float:
    lengths = step.params["fft_lengths"]
    points = math.prod(lengths)
    shape = step.invars[0].aval.shape
    rows = math.prod(shape[: len(shape) - len(lengths)])
    real = step.params["fft_type"].name in ("RFFT", "IRFFT")
    return rows * (2.5 if real else 5.0) * points * math.log2(max(points, 2))


def _size(variable: Any) -> int:
    return math.prod(getattr(variable.aval, "shape", ()))


def _dtype(variable: Any) -> Any:
    return getattr(variable.aval, "dtype", jnp.dtype("float32"))


def _item(variable: Any) -> int:
    return getattr(_dtype(variable), "itemsize", 8)


def _reals(variable: Any) -> int:
    return 2 if jnp.issubdtype(_dtype(variable), jnp.complexfloating) else 1

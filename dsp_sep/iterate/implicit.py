"""The gradient of a fixed point by the implicit function theorem.

Where `R(z, θ) = 0` is the residual of an algorithm, `g = z + R` leaves its solution `z*` in place, and

    dz* = ∂g/∂z dz* + ∂g/∂θ dθ,

which forward mode solves at `z*` alone. Its transpose, the reverse pass, turns a cotangent `v` of `z*` into
`u = v + (∂g/∂z)ᵀ u` and `(∂g/∂θ)ᵀ u`, the cotangent of `θ` (Blondel et al., 2022, "Efficient and modular implicit
differentiation"; Bai, Kolter and Koltun, 2019).
A complex number counts as the pair of its parts: a map with magnitudes in it is not linear in any other sense.
"""

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.scipy.sparse.linalg import gmres

from ..numerics import divide
from .loop import loop
from .stopping import RelativeChange, norm

Leaves = list[Array]
"""The inexact leaves of a tree."""


class Solver(Protocol):
    """Solves `u = v + A u`, where `A` is `Jᵀ` in reverse mode, `J` in forward mode."""

    def __call__(self, linear: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        """`u`, for the function `u -> A u`."""


@dataclasses.dataclass(frozen=True)
class Neumann:
    """The iteration `u ← v + A u`, which converges as fast as the algorithm does near its fixed point.

    Attributes:
        tolerance: it stops once `‖v + A u - u‖ ≤ tolerance · ‖u‖`; about `1e-6` is what single precision allows.
        max_steps: the most iterations.
    """

    tolerance: float = 1e-6
    max_steps: int = 1000

    def __call__(self, linear: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        stop = RelativeChange(self.tolerance)
        return loop(_Affine(linear), v, v, stop, self.max_steps)[0]


@dataclasses.dataclass(frozen=True)
class GMRES:
    """Restarted GMRES (Saad and Schultz, 1986): for slow algorithms, and residuals whose iteration diverges.

    Attributes:
        tolerance: it stops once the residual is so small, relative to `‖v‖`.
        restart: products with `A` between restarts; so many states are kept.
        max_restarts: the most restarts.
    """

    tolerance: float = 1e-6
    restart: int = 20
    max_restarts: int = 50

    def __call__(self, linear: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        def product(pairs: Leaves) -> Leaves:
            return _minus(pairs, _to_pairs(linear(_from_pairs(pairs, v))))

        limits = {"tol": self.tolerance, "restart": self.restart, "maxiter": self.max_restarts}
        return _from_pairs(gmres(product, _to_pairs(v), solve_method="incremental", **limits)[0], v)


@dataclasses.dataclass(frozen=True)
class Implicit:
    """By the implicit function theorem, at the fixed point itself, for `run_until`.

    Its memory is that of one iteration, however many were done. It serves forward and reverse mode and second
    derivatives, under `jit`, `vmap` and sharding.

    Right where the iteration has converged to a fixed point that is isolated: algorithms without one (Griffin-Lim,
    MISI) refuse. Where only some directions are free (NMF without zeros)
    a loss that does not depend on them still has the right gradient.

    The error is of the order of `Result.distance`, how far the last state is from the fixed point, times the condition
    of the problem; how far the adjoint was from solved is the gradient with respect to `probe` (see `run_until`).

    Attributes:
        solver: of the linear equation, `Neumann(...)` or `GMRES(...)`.
    """

    solver: Solver = Neumann()

    def after(self, solve: Callable[[Any, Any], Any], state: Any, constants: Any, probe: Any) -> Any:
        """The fixed point that `solve(state, constants)` comes near, differentiated at the fixed point."""
        state, steps, status = lax.stop_gradient(solve(*lax.stop_gradient((state, constants))))
        state = lax.stop_gradient(_step(state, constants))
        algorithm, data = lax.stop_gradient(constants)
        distance = _relative(_inexact(algorithm.residual(state, data)), _inexact(state))
        return _solution(self.solver, state, constants, probe), steps + 1, status, lax.stop_gradient(distance)


@partial(jax.custom_jvp, nondiff_argnums=(0,))
def _solution(solver: Solver, state: Any, constants: Any, probe: Array) -> Any:
    return state


@_solution.defjvp
def _tangent(solver: Solver, primals: Any, tangents: Any) -> tuple[Any, Any]:
    state, constants, probe = primals
    solution = _solution(solver, state, constants, probe)  # so that a second derivative knows what it depends on

    def step(z: Leaves, parameters: Leaves) -> Leaves:
        return _inexact(_step(_replace(solution, z), _replace(constants, parameters)))

    z, parameters = _inexact(solution), _inexact(constants)
    _, by_parameters = jax.jvp(partial(step, z), (parameters,), (_inexact(tangents[1]),))
    _, by_state = jax.linearize(lambda z: step(z, parameters), z)
    dz = _solve(solver, by_state, by_parameters, tangents[2])
    return solution, _tangent_of(solution, dz)


def _solve(solver: Solver, by_state: Callable[[Leaves], Leaves], right: Leaves, probe: Array) -> Leaves:
    """`dz = J dz + right`, and its transpose.

    The tangent of the probe is an unknown beside `dz`, alone in its equation and without effect. Its cotangent is
    therefore what the solution of the transposed equation puts there: how far that is from solved.
    """

    def product(unknown: tuple[Leaves, Array]) -> tuple[Leaves, Array]:
        dz, along = unknown
        return _minus(dz, by_state(dz)), along

    def solved(product: Callable[[Any], Any], given: tuple[Leaves, Array]) -> tuple[Leaves, Array]:
        v, along = given
        left = lambda u: product((u, along))[0]  # noqa: E731 - (I - J) u, or its transpose
        u = solver(lambda u: _minus(u, left(u)), v)
        return u, _relative(_minus(v, left(u)), v).astype(along.dtype)

    return _tied(lax.custom_linear_solve(product, _tied((right, probe)), solved, solved))[0]


def _tied(tree: Any) -> Any:
    """The same numbers, all of which depend on tangents where one does, as the transpose of a linear solve needs it."""
    nothing = sum(jnp.sum(0 * leaf.real) for leaf in jax.tree.leaves(tree))
    return jax.tree.map(lambda leaf: leaf + jnp.asarray(nothing, leaf.dtype), tree)


def _step(state: Any, constants: Any) -> Any:
    algorithm, data = constants
    return jax.tree.map(lambda z, change: z + change, state, algorithm.residual(state, data))


class _Affine:
    """`u ← v + A u` as an algorithm; its data are `v`."""

    def __init__(self, linear: Callable[[Leaves], Leaves]):
        self.linear = linear

    def update(self, state: Leaves, data: Leaves) -> Leaves:
        return [v + moved for v, moved in zip(data, self.linear(state), strict=True)]


def _minus(a: Leaves, b: Leaves) -> Leaves:
    return [x - y for x, y in zip(a, b, strict=True)]


def _relative(part: Leaves, whole: Leaves) -> Array:
    return divide(norm(part), norm(whole))


def _is_inexact(leaf: Any) -> bool:
    return jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)


def _inexact(tree: Any) -> Leaves:
    return [leaf for leaf in jax.tree.leaves(tree) if leaf.dtype != jax.dtypes.float0 and _is_inexact(leaf)]


def _replace(tree: Any, inexact: Leaves) -> Any:
    """The tree with other inexact leaves."""
    values = iter(inexact)
    return jax.tree.map(lambda leaf: next(values) if _is_inexact(leaf) else leaf, tree)


def _tangent_of(tree: Any, inexact: Leaves) -> Any:
    """A tangent of the tree, nothing for what is not inexact."""
    values = iter(inexact)
    return jax.tree.map(
        lambda leaf: next(values) if _is_inexact(leaf) else np.zeros(leaf.shape, jax.dtypes.float0), tree
    )


def _to_pairs(leaves: Leaves) -> Leaves:
    return [jnp.stack([x.real, x.imag]) if jnp.iscomplexobj(x) else x for x in leaves]


def _from_pairs(pairs: Leaves, like: Leaves) -> Leaves:
    return [lax.complex(p[0], p[1]) if jnp.iscomplexobj(x) else p for p, x in zip(pairs, like, strict=True)]

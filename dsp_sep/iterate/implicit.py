"""The gradient of a fixed point by the implicit function theorem.

Where `R(z, θ) = 0` is the residual of an algorithm, `g = z + R` leaves its solution `z*` in place, and

    dz* = ∂g/∂z dz* + ∂g/∂θ dθ.

The reverse pass turns a cotangent `v` of `z*` into `u = v + (∂g/∂z)ᵀ u`, solved at `z*` alone, and `(∂g/∂θ)ᵀ u`, the
cotangent of `θ` (Blondel et al., 2022, "Efficient and modular implicit differentiation"; Bai, Kolter and Koltun, 2019).
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
    """Solves `u = v + Jᵀ u`."""

    def __call__(self, transposed: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        """`u`, for the function `u -> Jᵀ u`."""


@dataclasses.dataclass(frozen=True)
class Neumann:
    """The iteration `u ← v + Jᵀ u`, which converges as fast as the algorithm does near its fixed point.

    Attributes:
        tolerance: it stops once `‖v + Jᵀ u - u‖ ≤ tolerance · ‖u‖`; about `1e-6` is what single precision allows.
        max_steps: the most iterations.
    """

    tolerance: float = 1e-6
    max_steps: int = 1000

    def __call__(self, transposed: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        stop = RelativeChange(self.tolerance)
        return loop(_Adjoint(transposed), v, v, stop, self.max_steps)[0]


@dataclasses.dataclass(frozen=True)
class GMRES:
    """Restarted GMRES (Saad and Schultz, 1986): for slow algorithms, and residuals whose iteration diverges.

    Attributes:
        tolerance: it stops once the residual is so small, relative to `‖v‖`.
        restart: products with `Jᵀ` between restarts; so many states are kept.
        max_restarts: the most restarts.
    """

    tolerance: float = 1e-6
    restart: int = 20
    max_restarts: int = 50

    def __call__(self, transposed: Callable[[Leaves], Leaves], v: Leaves) -> Leaves:
        def product(pairs: Leaves) -> Leaves:
            moved = transposed(_from_pairs(pairs, v))
            return [x - y for x, y in zip(pairs, _to_pairs(moved), strict=True)]

        limits = {"tol": self.tolerance, "restart": self.restart, "maxiter": self.max_restarts}
        return _from_pairs(gmres(product, _to_pairs(v), solve_method="incremental", **limits)[0], v)


@dataclasses.dataclass(frozen=True)
class Implicit:
    """By the implicit function theorem, at the fixed point itself, for `run_until`.

    Its memory is that of one iteration, however many were done. It serves `jax.grad` once, under `jit`, `vmap` and
    sharding; not `jax.jvp`, nor second derivatives: what `probe` tells depends on the cotangent, so that the rule is of
    reverse mode alone. `Truncated` serves both modes.

    Right where the iteration has converged to a fixed point that is isolated: algorithms without one (Griffin-Lim,
    MISI) refuse. Where only some directions are free (NMF without zeros)
    a loss that does not depend on them still has the right gradient.

    The error is of the order of `Result.distance`, how far the last state is from the fixed point, times the condition
    of the problem; how far the adjoint was from solved is the gradient with respect to `probe` (see `run_until`).

    Attributes:
        solver: of the adjoint equation, `Neumann(...)` or `GMRES(...)`.
    """

    solver: Solver = Neumann()

    def after(self, solve: Callable[[Any, Any], Any], state: Any, constants: Any, probe: Any) -> Any:
        """The fixed point that `solve(state, constants)` comes near, differentiated at the fixed point."""
        state, steps, status = lax.stop_gradient(solve(*lax.stop_gradient((state, constants))))
        state = lax.stop_gradient(_step(state, constants))
        algorithm, data = lax.stop_gradient(constants)
        distance = _relative(_inexact(algorithm.residual(state, data)), _inexact(state))
        return _solution(self.solver, state, constants, probe), steps + 1, status, lax.stop_gradient(distance)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _solution(solver: Solver, state: Any, constants: Any, probe: Array) -> Any:
    return state


def _forward(solver: Solver, state: Any, constants: Any, probe: Array) -> tuple[Any, Any]:
    return state, (state, constants, probe)


def _backward(solver: Solver, kept: Any, cotangent: Any) -> tuple[Any, Any, Array]:
    state, constants, probe = kept
    v = _inexact(cotangent)
    found, error = _pull_back(state, constants, v, solver=solver)
    return None, _cotangent_of(constants, found), error.astype(probe.dtype)


_solution.defvjp(_forward, _backward)


@partial(jax.jit, static_argnames="solver")
def _pull_back(state: Any, constants: Any, v: Leaves, *, solver: Solver) -> tuple[Leaves, Array]:
    """The cotangents of the constants, and how far the solution of the adjoint equation was from converged."""

    def step(z: Leaves, parameters: Leaves) -> Leaves:
        return _inexact(_step(_replace(state, z), _replace(constants, parameters)))

    z, parameters = _inexact(state), _inexact(constants)
    _, by_state = jax.vjp(lambda z: step(z, parameters), z)
    u = solver(lambda u: by_state(u)[0], v)
    _, by_both = jax.vjp(step, z, parameters)
    moved, found = by_both(u)
    return found, _relative([a + b - c for a, b, c in zip(v, moved, u, strict=True)], v)


def _step(state: Any, constants: Any) -> Any:
    algorithm, data = constants
    return jax.tree.map(lambda z, change: z + change, state, algorithm.residual(state, data))


class _Adjoint:
    """`u ← v + Jᵀ u` as an algorithm; its data are `v`."""

    def __init__(self, transposed: Callable[[Leaves], Leaves]):
        self.transposed = transposed

    def update(self, state: Leaves, data: Leaves) -> Leaves:
        return [v + moved for v, moved in zip(data, self.transposed(state), strict=True)]


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


def _cotangent_of(tree: Any, inexact: Leaves) -> Any:
    """A cotangent of the tree, nothing for what is not inexact."""
    values = iter(inexact)
    return jax.tree.map(
        lambda leaf: next(values) if _is_inexact(leaf) else np.zeros(leaf.shape, jax.dtypes.float0), tree
    )


def _to_pairs(leaves: Leaves) -> Leaves:
    return [jnp.stack([x.real, x.imag]) if jnp.iscomplexobj(x) else x for x in leaves]


def _from_pairs(pairs: Leaves, like: Leaves) -> Leaves:
    return [lax.complex(p[0], p[1]) if jnp.iscomplexobj(x) else p for p, x in zip(pairs, like, strict=True)]

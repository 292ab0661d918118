"""Algorithms made of algorithms."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import scale
from ..pytree import Number, domains, hyper, node, static
from .protocol import Algorithm, NoFixedPointError


class MomentumState(NamedTuple):
    """The extrapolated state, the last plain one, and 0 before the first step, 1 after it."""

    extrapolated: Any
    plain: Any
    moving: Array


@node
class Momentum(Algorithm):
    """Extrapolation along the last step: `t_n = F(c_{n-1})`, `c_n = t_n + α (t_n - t_{n-1})`, and `c_1 = t_1`.

    `F` is one iteration of the wrapped algorithm. `Momentum(GriffinLim(stft), 0.99)` is the fast Griffin-Lim algorithm
    (Perraudin, Balazs and Søndergaard, 2013, where `t_0 = F(c_0)`), which is also what librosa and torchaudio call
    momentum. For states that must stay nonnegative, such as those of NMF, it is not meant.

    Attributes:
        algorithm: the wrapped algorithm.
        momentum: `α`, any real number, shape `()`; 0 is the plain iteration.
    """

    algorithm: Any = hyper(kw_only=False)
    momentum: Number = hyper(kw_only=False, domain=domains.REAL)

    def prepare(self, data: Any) -> Any:
        return self.algorithm.prepare(data)

    def init(self, data: Any, *, key: Array | None = None) -> MomentumState:
        state = self.algorithm.init(data, key=key)
        return MomentumState(state, state, jnp.zeros((), self.momentum.dtype))

    def update(self, state: MomentumState, data: Any) -> MomentumState:
        plain = self.algorithm.update(state.extrapolated, data)
        extrapolated = _beyond(plain, state.plain, self.momentum * state.moving)
        return MomentumState(extrapolated, plain, jnp.ones_like(state.moving))

    def readout(self, state: MomentumState, data: Any) -> Any:
        return self.algorithm.readout(state.extrapolated, data)

    def objective(self, state: MomentumState, data: Any) -> Array:
        return self.algorithm.objective(state.extrapolated, data)

    def residual(self, state: MomentumState, data: Any) -> MomentumState:
        """That of the plain iteration: the fixed points are the same, and momentum is none of their business."""
        change = self.algorithm.residual(state.extrapolated, data)
        return MomentumState(change, _lag(state.extrapolated, change, state.plain), 1 - state.moving)


class AcceleratedState(NamedTuple):
    """The extrapolated state, the anchor of averages, the last average, and 0 before the first step, 1 after it."""

    extrapolated: Any
    anchor: Any
    average: Any
    moving: Array


@node
class Accelerated(Algorithm):
    """Extrapolation and averaging (Nenov, Nguyen, Balazs and Boţ, "Faster than fast", 2023).

    `t_n = (1 - γ) d_{n-1} + γ F(c_{n-1})`, `c_n = t_n + α (t_n - t_{n-1})`, `d_n = t_n + β (t_n - t_{n-1})`, and
    `t_1 = c_1 = d_1 = F(c_0)`, where `F` is one iteration of the wrapped algorithm. `Accelerated(GriffinLim(stft))` is
    the accelerated Griffin-Lim algorithm, with the constants that diffsptk has; with `γ = 1` it is `Momentum` of `α`.

    Attributes:
        algorithm: the wrapped algorithm.
        alpha, beta, gamma: `α`, `β`, `γ`, real numbers, shape `()`.
    """

    algorithm: Any = hyper(kw_only=False)
    alpha: Number = hyper(default=0.99, domain=domains.REAL)
    beta: Number = hyper(default=0.99, domain=domains.REAL)
    gamma: Number = hyper(default=1.1, domain=domains.REAL)

    def prepare(self, data: Any) -> Any:
        return self.algorithm.prepare(data)

    def init(self, data: Any, *, key: Array | None = None) -> AcceleratedState:
        state = self.algorithm.init(data, key=key)
        return AcceleratedState(state, state, state, jnp.zeros((), self.gamma.dtype))

    def update(self, state: AcceleratedState, data: Any) -> AcceleratedState:
        plain = self.algorithm.update(state.extrapolated, data)
        average = _beyond(plain, state.anchor, state.moving * (self.gamma - 1))
        extrapolated = _beyond(average, state.average, state.moving * self.alpha)
        anchor = _beyond(average, state.average, state.moving * self.beta)
        return AcceleratedState(extrapolated, anchor, average, jnp.ones_like(state.moving))

    def readout(self, state: AcceleratedState, data: Any) -> Any:
        return self.algorithm.readout(state.extrapolated, data)

    def objective(self, state: AcceleratedState, data: Any) -> Array:
        return self.algorithm.objective(state.extrapolated, data)

    def residual(self, state: AcceleratedState, data: Any) -> AcceleratedState:
        """That of the plain iteration, whose fixed points are the same."""
        change = self.algorithm.residual(state.extrapolated, data)
        anchor, average = (_lag(state.extrapolated, change, memory) for memory in (state.anchor, state.average))
        return AcceleratedState(change, anchor, average, 1 - state.moving)


def _lag(now: Any, change: Any, memory: Any) -> Any:
    """What a memory of the iterates lacks of the next one, zero at a fixed point: `now + change - memory`."""
    return jax.tree.map(lambda x, dx, before: x + dx - before, now, change, memory)


def _beyond(now: Any, before: Any, gain: Array) -> Any:
    """`now + gain (now - before)`, leaf by leaf."""
    return jax.tree.map(lambda new, old: new + scale(gain, new - old), now, before)


class BestSoFarState(NamedTuple):
    """The current state, the best one, and what the best one reached, `(...)`."""

    current: Any
    best: Any
    value: Array


@node
class BestSoFar(Algorithm):
    """Remember, for each batch item, the state with the lowest objective, and answer with that.

    For iterations that do not descend. It costs one evaluation of the objective an iteration. Arrays of the state with
    fewer axes than the objective are taken to be common to all items; the latest of these are kept.

    Attributes:
        algorithm: the wrapped algorithm.
        of: a function of (algorithm, state, data) to be small, with values of shape `(...)`, the batch axes of the
            state; the algorithm's own objective unless given.
    """

    algorithm: Any = hyper(kw_only=False)
    of: Callable[[Any, Any, Any], Array] | None = static(default=None)

    def prepare(self, data: Any) -> Any:
        return self.algorithm.prepare(data)

    def init(self, data: Any, *, key: Array | None = None) -> BestSoFarState:
        state = self.algorithm.init(data, key=key)
        return BestSoFarState(state, state, self._value(state, data))

    def update(self, state: BestSoFarState, data: Any) -> BestSoFarState:
        current = self.algorithm.update(state.current, data)
        value = self._value(current, data)
        better = value < state.value

        def choose(new: Array, old: Array) -> Array:
            if new.ndim < better.ndim:
                return new
            return jnp.where(better.reshape(better.shape + (1,) * (new.ndim - better.ndim)), new, old)

        best = jax.tree.map(choose, current, state.best)
        return BestSoFarState(current, best, jnp.where(better, value, state.value))

    def readout(self, state: BestSoFarState, data: Any) -> Any:
        return self.algorithm.readout(state.best, data)

    def objective(self, state: BestSoFarState, data: Any) -> Array:
        return state.value

    def residual(self, state: BestSoFarState, data: Any) -> BestSoFarState:
        raise NoFixedPointError("BestSoFar remembers where its iteration was, which is no fixed point of it")

    def _value(self, state: Any, data: Any) -> Array:
        return self.algorithm.objective(state, data) if self.of is None else self.of(self.algorithm, state, data)

"""`run` and `run_until` on an iteration whose answer is known, `x <- x + rate · (target - x)`."""

import dataclasses

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import (
    BestSoFar,
    Checkpointed,
    Momentum,
    OneStep,
    Plain,
    RelativeChange,
    Status,
    Truncated,
    run,
    run_until,
    unfold,
)
from dsp_sep.iterate import Algorithm
from dsp_sep.pytree import domains, hyper, node
from tests.checks import distance


@node
class Approach(Algorithm):
    rate: jax.Array = hyper(default=0.5, domain=domains.REAL, kw_only=False)

    def init(self, data, *, key=None):
        return jnp.zeros_like(data) if key is None else jax.random.normal(key, data.shape, data.dtype)

    def update(self, state, data):
        return state + self.rate * (data - state)

    def objective(self, state, data):
        return jnp.sum((state - data) ** 2, axis=-1)


TARGET = jnp.asarray([1.0, -2.0, 4.0])
OBJECTIVE = Approach.objective


def count(algorithm, state, data):
    return state[..., 0]


# --- run


def test_run_does_so_many_iterations():
    result = run(Approach(), TARGET, 3)
    np.testing.assert_allclose(result.output, TARGET * (1 - 0.5**3))
    assert (int(result.steps), int(result.status), result.trace) == (3, Status.RAN_OUT, None)
    assert result.state is not None


def test_run_goes_on_from_a_state():
    once, twice = run(Approach(), TARGET, 5), run(Approach(), TARGET, 2)
    np.testing.assert_array_equal(run(Approach(), TARGET, 3, state=twice.state).output, once.output)


def test_run_records_each_and_every():
    full = run(Approach(), TARGET, 7, record=OBJECTIVE).trace
    expected = [float(jnp.sum((TARGET * 0.5**k) ** 2)) for k in range(1, 8)]
    np.testing.assert_allclose(full, expected, rtol=1e-6)
    for gradient in (Plain(), Checkpointed(3), Truncated(2)):
        thinned = run(Approach(), TARGET, 7, record=OBJECTIVE, every=3, gradient=gradient).trace
        np.testing.assert_array_equal(thinned, full[2::3])
    pair = run(Approach(), TARGET, 4, record=lambda *args: {"x": count(*args), "rate": args[0].rate}).trace
    assert pair["x"].shape == pair["rate"].shape == (4,)


def test_run_records_under_vmap():
    targets = jnp.stack([TARGET, 2 * TARGET])
    traces = jax.vmap(lambda target: run(Approach(), target, 6, record=OBJECTIVE, every=2).trace)(targets)
    alone = [run(Approach(), target, 6, record=OBJECTIVE, every=2).trace for target in targets]
    np.testing.assert_allclose(traces, jnp.stack(alone), rtol=1e-6)


def test_run_says_what_is_not_finite():
    assert int(run(Approach(3e38), TARGET, 9).status) == Status.NOT_FINITE
    status = jax.vmap(lambda rate: run(Approach(rate), TARGET, 9).status)(jnp.asarray([0.5, 3e38]))
    np.testing.assert_array_equal(status, [Status.RAN_OUT, Status.NOT_FINITE])


def test_run_refuses():
    with pytest.raises(ValueError, match="steps must be at least 1 for a plain algorithm, got None"):
        run(Approach(), TARGET)
    with pytest.raises(ValueError, match="steps must be at least 1 for a plain algorithm, got 0"):
        run(Approach(), TARGET, 0)
    with pytest.raises(ValueError, match=r"steps is the depth of an Unfolded \(2\) and is not given, got 2"):
        run(unfold(Approach(), 2), TARGET, 2)
    with pytest.raises(ValueError, match="every must be at least 1, got 0"):
        run(Approach(), TARGET, 2, every=0)
    with pytest.raises(NotImplementedError, match="Bare has no objective"):
        run(Bare(), TARGET, 1, record=Bare.objective)
    with pytest.raises(ValueError, match="Checkpointed: every must be at least 1, got 0"):
        Checkpointed(0)
    with pytest.raises(ValueError, match="Truncated: last must be at least 1, got 0"):
        Truncated(0)


@node
class Bare(Algorithm):
    def init(self, data, *, key=None):
        return data

    def update(self, state, data):
        return state


def test_residual_is_zero_at_the_solution():
    np.testing.assert_array_equal(Approach().residual(TARGET, TARGET), 0 * TARGET)
    solution = run(Momentum(Approach(1.0), 0.0), TARGET, 2).state
    assert not any(np.any(leaf) for leaf in Momentum(Approach(), 0.9).residual(solution, TARGET))


# --- unfold


def test_layers_have_rates_of_their_own():
    rates = jnp.asarray([0.5, 0.25, 1.0])
    layers = dataclasses.replace(unfold(Approach(), 3, untied=("rate",)), layers=Approach(rates))
    result = run(layers, TARGET, record=lambda layer, state, data: layer.rate)
    np.testing.assert_allclose(result.output, TARGET)
    np.testing.assert_array_equal(result.trace, rates)
    assert len(layers) == 3 and [float(layer.rate) for layer in layers] == [0.5, 0.25, 1.0]
    assert float(layers[-3].rate) == 0.5
    with pytest.raises(IndexError):
        layers[3]


def test_unfold_refuses():
    with pytest.raises(ValueError, match="depth must be at least 1, got 0"):
        unfold(Approach(), 0)
    with pytest.raises(TypeError, match=r"got an Unfolded: unfold `unfolded\[k\]` instead"):
        unfold(unfold(Approach(), 2), 2)
    with pytest.raises(ValueError, match="no leaf is named 'rat'; the nearest are rate"):
        unfold(Approach(), 2, untied=("rat",))


@node
class Hasty(Approach):
    """An algorithm that reads a hyperparameter where there is no layer yet."""

    def prepare(self, data):
        return data * self.rate


def test_a_leaf_read_too_early_is_named():
    run(unfold(Hasty(), 2), TARGET)
    with pytest.raises(TypeError, match=r"rate differs from layer to layer, and is read before the first one"):
        run(unfold(Hasty(), 2, untied=("rate",)), TARGET)


# --- run_until


@pytest.mark.parametrize("of", [None, OBJECTIVE, count], ids=["state", "objective", "entry"])
def test_run_until_stops(of):
    stop = RelativeChange(1e-3, of=of)
    result = run_until(Approach(), TARGET, stop, max_steps=100)
    assert int(result.status) == Status.CONVERGED
    # of the state, the change is 2⁻ᵏ / (1 - 2⁻ᵏ⁺¹); of the objective it is always 3/4 until that is zero
    assert int(result.steps) == 10 if of is not OBJECTIVE else int(result.steps) > 20
    by_hand = run(Approach(), TARGET, int(result.steps))
    np.testing.assert_allclose(result.output, by_hand.output, rtol=1e-6)


def test_run_until_of_an_array_and_every():
    stop = RelativeChange(1e-3, of=lambda algorithm, state, data: {"a": state, "b": state**2}, every=4)
    result = run_until(Approach(), TARGET, stop, max_steps=100)
    assert int(result.steps) % 4 == 0 and int(result.status) == Status.CONVERGED
    short = run_until(Approach(), TARGET, stop, max_steps=3)
    assert (int(short.steps), int(short.status)) == (4, Status.RAN_OUT)


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12, 1e30])
def test_run_until_does_not_see_the_scale(scale):
    result = run_until(Approach(), jnp.float32(scale) * TARGET, RelativeChange(1e-3), max_steps=100)
    assert (int(result.steps), int(result.status)) == (10, Status.CONVERGED)


def test_run_until_stops_for_each_item_under_vmap():
    rates = jnp.asarray([0.5, 0.9, 0.1, 3e38])
    solve = lambda rate: run_until(Approach(rate), TARGET, RelativeChange(1e-3), max_steps=30)  # noqa: E731
    together = jax.vmap(solve)(rates)
    for i, rate in enumerate(rates):
        alone = solve(rate)
        assert (int(together.steps[i]), int(together.status[i])) == (int(alone.steps), int(alone.status))
        np.testing.assert_allclose(together.output[i], alone.output, rtol=1e-6)
    assert set(map(int, together.status)) == set(Status)


def test_run_until_serves_any_number_of_steps_with_one_program(x64):
    @jax.jit
    @chex.assert_max_traces(n=1)
    def solve(most):
        loss = lambda rate: run_until(Approach(rate), TARGET, stop, max_steps=most, gradient=OneStep()).output[0]  # noqa: E731
        return run_until(Approach(), TARGET, stop, max_steps=most).steps, jax.grad(loss)(0.5)

    stop = RelativeChange(1e-3)
    found = [solve(most) for most in (1, 4, 100)]
    assert [int(steps) for steps, _ in found] == [1, 4, 10]
    # the last step moves by `rate · (1 - x)` where `1 - x` is what the steps before it have left
    np.testing.assert_allclose([slope for _, slope in found], [0.5, 0.5**4, 0.5**10])
    together = jax.vmap(lambda most: run_until(Approach(), TARGET, stop, max_steps=most).steps)(
        jnp.asarray([1, 4, 100])
    )
    assert together.tolist() == [1, 4, 10]


def test_run_until_refuses():
    stop = RelativeChange(1e-3)
    with pytest.raises(TypeError, match="run_until takes a plain algorithm, got an Unfolded"):
        run_until(unfold(Approach(), 2), TARGET, stop, max_steps=3)
    for gradient in (Plain(), Checkpointed()):
        with pytest.raises(TypeError, match=r"choose gradient=OneStep\(\) or gradient=Truncated\(last\)"):
            run_until(Approach(), TARGET, stop, max_steps=3, gradient=gradient)
    with pytest.raises(ValueError, match="max_steps must be at least 1, got 0"):
        run_until(Approach(), TARGET, stop, max_steps=0)
    with pytest.raises(ValueError, match="RelativeChange: tolerance must be positive, got 0"):
        RelativeChange(0)
    with pytest.raises(ValueError, match="RelativeChange: every must be at least 1, got 0"):
        RelativeChange(1e-3, every=0)


def solved(gradient):
    return lambda rate, target: jnp.sum(
        run_until(Approach(rate), target, RelativeChange(1e-6), max_steps=100, gradient=gradient).output
    )


@pytest.mark.parametrize("transform", [jax.grad, lambda f: jax.grad(jax.jit(f)), lambda f: jax.jit(jax.grad(f))])
def test_run_until_is_not_differentiated_without_a_choice(transform):
    with pytest.raises(TypeError, match=r"without a choice of how: give it gradient=OneStep\(\)"):
        transform(solved(None))(0.5, TARGET)
    with pytest.raises(TypeError, match="without a choice of how"):
        jax.jvp(solved(None), (0.5, TARGET), (1.0, TARGET))


def test_run_until_beside_something_differentiated():
    def loss(x):
        return x**2 + solved(None)(0.5, TARGET)

    assert jax.grad(loss)(3.0) == 6


@pytest.mark.parametrize(("gradient", "last"), [(OneStep(), 1), (Truncated(20), 20)], ids=["one_step", "truncated"])
def test_run_until_differentiated_through_the_last_steps(gradient, last):
    # the answer is the target whatever the rate; through n steps its derivative is 1 - (1 - rate)ⁿ
    by_target = jax.grad(solved(gradient), argnums=1)(0.5, TARGET)
    np.testing.assert_allclose(by_target, np.full(3, 1 - 0.5**last), rtol=1e-5)
    forward = jax.jvp(lambda target: solved(gradient)(0.5, target), (TARGET,), (jnp.ones(3),))[1]
    np.testing.assert_allclose(forward, 3 * (1 - 0.5**last), rtol=1e-5)
    steps = run_until(Approach(), TARGET, RelativeChange(1e-6), max_steps=100, gradient=gradient).steps
    assert int(steps) == 20 + last


# --- wrappers


def test_momentum_by_hand():
    algorithm = Momentum(Approach(), 0.7)
    plain, extrapolated = np.zeros(3), np.zeros(3)
    for k in range(6):
        new = extrapolated + 0.5 * (np.asarray(TARGET) - extrapolated)
        extrapolated = new + (0.7 * (new - plain) if k else 0)
        plain = new
    np.testing.assert_allclose(run(algorithm, TARGET, 6).output, extrapolated, rtol=1e-6)
    without = run(Momentum(Approach(), 0.0), TARGET, 6).output
    np.testing.assert_allclose(without, run(Approach(), TARGET, 6).output, rtol=1e-6)


def test_momentum_is_trained_from_zero():
    def loss(momentum):
        return jnp.sum((run(Momentum(Approach(0.1), momentum), TARGET, 6).output - TARGET) ** 2)

    assert jax.grad(loss)(0.0) < 0


def test_best_so_far_keeps_the_best_of_each_item():
    targets = jnp.stack([TARGET, -TARGET])
    rates = BestSoFar(Momentum(Approach(1.0), 2.0))  # reaches the target at once, and leaves it again
    wild = BestSoFar(Approach(2.5))  # never comes back: the best is the start
    exact = run(rates, targets, 5)
    np.testing.assert_allclose(exact.output, targets)
    assert exact.state.value.shape == (2,)
    np.testing.assert_array_equal(run(wild, targets, 5).output, 0 * targets)
    trace = run(wild, targets, 5, record=BestSoFar.objective).trace
    assert trace.shape == (5, 2) and np.all(np.diff(trace, axis=0) <= 0)


def test_best_so_far_of_something_else():
    def far(algorithm, state, data):
        return -jnp.sum(state**2, axis=-1)

    result = run(BestSoFar(Approach(), of=far), TARGET, 4)
    assert distance(result.output, run(Approach(), TARGET, 4).output) == 0

"""What holds for every algorithm of the table of cases."""

import jax
import jax.numpy as jnp
import numpy as np

from dsp_sep import run
from dsp_sep.iterate import drivers
from tests.cases import CASES
from tests.checks import distance
from tests.each import each

STEPS = 3  # in all of them, so that one compiled program serves several tests


def moved(tree):
    """Other values, of the same shapes and dtypes."""
    return jax.tree.map(lambda leaf: leaf * np.float32(1.01), tree)


def single(tree):
    """The same numbers in single precision."""
    return jax.tree.map(lambda x: x.astype(np.complex64 if np.iscomplexobj(x) else np.float32), tree)


@each()
def test_compiled_equals_eager(case):
    algorithm, data = case.algorithm(), case.data(())
    compiled = run(algorithm, data, STEPS, key=case.key())
    with jax.disable_jit():
        eager = run(algorithm, data, STEPS, key=case.key())
    assert distance(compiled.output, eager.output) < 1e-5
    assert distance(compiled.state, eager.state) < 1e-5


@each()
def test_other_values_do_not_trace_again(case):
    algorithm, data = case.algorithm(), case.data(())
    run(algorithm, data, STEPS, key=case.key(0))
    before = drivers._run._cache_size()
    run(moved(algorithm), jax.tree.map(lambda x: 2 * x, data), STEPS, key=case.key(1))
    assert drivers._run._cache_size() == before


@each()
def test_precision_is_that_of_the_data(case):
    def dtypes(data):
        shapes = jax.eval_shape(lambda *args: run(args[0], args[1], 1, key=args[2]), case.algorithm(), data, case.key())
        assert not any(leaf.weak_type for leaf in jax.tree.leaves(shapes))
        return {leaf.dtype.name for leaf in jax.tree.leaves((shapes.output, shapes.state))}

    assert dtypes(case.data(())) <= {"float32", "complex64"}
    with jax.enable_x64(True):
        assert dtypes(case.data(())) <= {"float64", "complex128"}
        assert dtypes(single(case.data(()))) <= {"float32", "complex64"}


@each()
def test_vmap_and_batch_axes_equal_a_loop(case):
    algorithm, data = case.algorithm(), jax.tree.map(jnp.asarray, case.data((2,)))
    items = [jax.tree.map(lambda x, i=i: x[i], data) for i in range(2)]
    keys = jax.random.split(jax.random.key(0)) if case.draws else None
    loop = [run(algorithm, items[i], STEPS, key=None if keys is None else keys[i]).output for i in range(2)]
    loop = jax.tree.map(lambda *outputs: jnp.stack(outputs), *loop)

    mapped = jax.jit(jax.vmap(lambda data, key: run(algorithm, data, STEPS, key=key)))(data, keys)
    assert distance(mapped.output, loop) < 1e-4
    assert mapped.status.shape == (2,)

    start = None
    if case.draws:  # a batch is drawn as one array, so the starts are handed in
        starts = [algorithm.init(algorithm.prepare(items[i]), key=keys[i]) for i in range(2)]
        start = jax.tree.map(lambda *states: jnp.stack(states), *starts)
    batched = jax.jit(lambda data, start: run(algorithm, data, STEPS, state=start))(data, start)
    assert distance(batched.output, loop) < 1e-4


@each(lambda case: case.descends)
def test_the_objective_descends(case, x64):
    @jax.jit
    def objectives(algorithm, data):
        return run(algorithm, data, 250, key=case.key(), record=type(algorithm).objective).trace

    def trace(data):
        return np.asarray(objectives(algorithm, data), float)

    algorithm, data = case.algorithm(), case.data(())
    double = trace(data)
    assert np.all(np.diff(double) <= 1e-13 * double[0])
    assert double[-1] < double[0]
    rounded = trace(single(data))
    assert np.all(np.diff(rounded) <= 3e-6 * rounded[:-1])
    if not case.draws:  # other numbers are drawn in another precision
        np.testing.assert_allclose(rounded[0], double[0], rtol=1e-4)


@each(lambda case: case.scales)
def test_the_scale_of_the_data_is_that_of_the_answer(case):
    def answer(c):
        data = jax.tree.map(lambda x: x * np.float32(c), case.data(()))
        return np.asarray(case.scales(run(case.algorithm(), data, STEPS, key=case.key()).output)) / np.float32(c)

    for c in (1e-6, 1e6):
        assert distance(answer(c), answer(1)) < 1e-4


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)

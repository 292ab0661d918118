"""Safe functions: equal to the plain ones away from zero, finite with finite derivatives at zero."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import numerics
from tests.checks import distance, finite

Z = np.random.default_rng(0).standard_normal(8) + 1j * np.random.default_rng(1).standard_normal(8)
X = np.abs(Z)
FUNCTIONS = {
    "magnitude": (numerics.magnitude, jnp.abs, Z),
    "magnitude_real": (numerics.magnitude, jnp.abs, Z.real),
    "phase": (numerics.phase, lambda z: z / jnp.abs(z).astype(z.dtype), Z),
    "phase_real": (numerics.phase, jnp.sign, Z.real),
    "square_magnitude": (numerics.square_magnitude, lambda z: jnp.abs(z) ** 2, Z),
    "scale": (lambda z: numerics.scale(z.real, z), lambda z: z.real.astype(z.dtype) * z, Z),
    "divide": (lambda x: numerics.divide(jnp.sin(x), x), lambda x: jnp.sin(x) / x, X),
    "log": (numerics.log, jnp.log, X),
    "power": (lambda x: numerics.power(x, 0.3), lambda x: x**0.3, X),
}
each = pytest.mark.parametrize(("safe", "plain", "at"), FUNCTIONS.values(), ids=FUNCTIONS.keys())


def total(function):
    def sum_of_parts(z):
        y = function(z)
        return jnp.sum(y.real) + 2 * jnp.sum(y.imag)

    return sum_of_parts


@each
def test_equals_the_plain_function(safe, plain, at, x64):
    at = jnp.asarray(at)
    assert distance(safe(at), plain(at)) < 1e-14
    assert distance(jax.grad(total(safe))(at), jax.grad(total(plain))(at)) < 1e-13
    tangent = jnp.ones_like(at)
    assert distance(jax.jvp(safe, (at,), (tangent,))[1], jax.jvp(plain, (at,), (tangent,))[1]) < 1e-13


@each
@pytest.mark.parametrize("size", [0.0, 1e-45, 1e-30, 1e-19, 1e18])
def test_is_finite_everywhere(safe, plain, at, size):
    at = jnp.asarray(at * size)
    assert at.dtype in (jnp.float32, jnp.complex64)
    assert finite(safe(at))
    assert finite(jax.vmap(jax.grad(total(safe)))(at))
    assert safe(at).dtype in (at.dtype, at.real.dtype)


def test_derivatives_at_zero_are_zero():
    zero = jnp.zeros(3, jnp.complex64)
    np.testing.assert_array_equal(numerics.phase(zero), 1)
    np.testing.assert_array_equal(numerics.magnitude(zero), 0)
    for function in (numerics.phase, numerics.magnitude):
        np.testing.assert_array_equal(jax.grad(total(function))(zero), 0)
    np.testing.assert_array_equal(numerics.divide(jnp.ones(3), jnp.zeros(3)), 0)


def test_second_derivatives(x64):
    hessian = jax.hessian(lambda r: numerics.magnitude(jax.lax.complex(r[0], r[1])))(jnp.asarray([3.0, 4.0]))
    np.testing.assert_allclose(hessian, np.array([[16, -12], [-12, 9]]) / 125, atol=1e-15)


def test_floor_scales_with_the_data_of_each_item():
    V = jnp.asarray(np.random.default_rng(2).random((2, 5, 7)), jnp.float32)
    np.testing.assert_allclose(numerics.floor(1e3 * V), 1e3 * numerics.floor(V), rtol=1e-6)
    assert numerics.floor(V).shape == (2, 1, 1)
    assert numerics.floor(0 * V).min() > 0


@pytest.mark.parametrize("axis", [-3, 0, 1])
@pytest.mark.parametrize("keepdims", [False, True])
def test_sums_and_maxima_over_a_few(axis, keepdims, x64):
    x = jnp.asarray(np.random.default_rng(4).standard_normal((4, 3, 5)))
    for of_few, plain in ((numerics.sum_of_few, jnp.sum), (numerics.max_of_few, jnp.max)):
        value, pull = jax.vjp(partial(of_few, axis=axis, keepdims=keepdims), x)
        expected, expected_pull = jax.vjp(partial(plain, axis=axis, keepdims=keepdims), x)
        assert distance(value, expected) < 1e-15
        assert distance(pull(expected**2), expected_pull(expected**2)) < 1e-15


def test_sums_in_one_pass(x64):
    x = jnp.asarray(np.random.default_rng(5).standard_normal((2, 3, 4, 50)))

    def one_pass(x):
        return numerics.sums([x[0], {"product": x[0] * x[1]}])

    def plain(x):
        return [x[0].sum(-1), {"product": (x[0] * x[1]).sum(-1)}]

    assert distance(one_pass(x), plain(x)) < 1e-14
    assert distance(jax.vmap(one_pass, 1)(x), jax.vmap(plain, 1)(x)) < 1e-14
    for derivative in (jax.jacfwd, jax.jacrev):
        assert distance(derivative(one_pass)(x), derivative(plain)(x)) < 1e-14


def test_sum_and_largest_in_one_pass(x64):
    x = jnp.asarray(np.random.default_rng(6).random((2, 3, 50)))

    def plain(x):
        return x.sum(-1), x.max(-1)

    assert distance(numerics.sum_and_max(x), plain(x)) < 1e-14
    for derivative in (jax.jacfwd, jax.jacrev):
        assert distance(derivative(numerics.sum_and_max)(x), derivative(plain)(x)) < 1e-14
    equal = jax.grad(lambda x: numerics.sum_and_max(x)[1])(jnp.array([0.5, 2.0, 2.0]))
    np.testing.assert_array_equal(equal, [0, 0.5, 0.5])


def test_matmul_is_exact_to_single_precision():
    a, b = np.random.default_rng(3).standard_normal((2, 64, 64)).astype(np.float32)
    exact = a.astype(np.float64) @ b.astype(np.float64)
    assert np.max(np.abs(numerics.matmul(jnp.asarray(a), jnp.asarray(b)) - exact)) < 1e-4


def test_expand_and_real_dtype():
    assert numerics.expand(jnp.zeros((2, 3)), 4).shape == (1, 1, 2, 3)
    assert numerics.expand(jnp.zeros(()), 4).shape == ()
    assert numerics.real_dtype({"a": jnp.zeros(2, jnp.complex64), "b": jnp.arange(2)}) == jnp.float32
    assert numerics.real_dtype(()) == jnp.float32

"""Every domain: its start to the last bit, inside it for any free parameter, gradients that are finite and descend."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.pytree import domains
from tests.checks import finite, identical

RNG = np.random.default_rng(0)
UNITARY = RNG.standard_normal((2, 3, 3)) + 1j * RNG.standard_normal((2, 3, 3))
POSITIVE_DEFINITE = UNITARY @ UNITARY.conj().swapaxes(-1, -2) + 0.1 * np.eye(3)
STARTS = {
    "real": (domains.REAL, RNG.standard_normal((4, 3))),
    "complex": (domains.REAL, RNG.standard_normal((4, 3)) + 1j * RNG.standard_normal((4, 3))),
    "nonnegative": (domains.NONNEGATIVE, np.array([0.0, 1e-9, 0.3, 1.0, 1e6])),
    "positive": (domains.POSITIVE, np.array([1e-9, 0.3, 1.0, 1e6])),
    "unit_interval": (domains.UNIT_INTERVAL, np.array([0.0, 1e-7, 0.1, 0.3, 0.5, 0.999, 1.0])),
    "simplex": (domains.SIMPLEX, np.array([[0.2, 0.5, 0.3], [0.0, 0.9, 0.1], [1.0, 0.0, 0.0]])),
    "unit_norm": (domains.UNIT_NORM, RNG.standard_normal((2, 5, 3))),
    "unit_norm_complex": (domains.UNIT_NORM, RNG.standard_normal((5, 3)) + 1j * RNG.standard_normal((5, 3))),
    "positive_definite": (domains.HERMITIAN_POSITIVE_DEFINITE, POSITIVE_DEFINITE),
    "positive_definite_real": (domains.HERMITIAN_POSITIVE_DEFINITE, POSITIVE_DEFINITE.real),
    "fixed": (domains.FIXED, RNG.standard_normal(3)),
}
each = pytest.mark.parametrize(("domain", "start"), STARTS.values(), ids=STARTS.keys())


@each
def test_starts_where_it_starts(domain, start):
    start = jnp.asarray(start)
    assert domain.contains(np.asarray(start))
    for compiled in (False, True):
        value = (jax.jit(domain.value) if compiled else domain.value)(domain.free(start), start)
        assert value.dtype == start.dtype
        assert identical(value, start)


@each
@pytest.mark.parametrize("size", [1, pytest.param(30, marks=pytest.mark.thorough), 1e4])
def test_stays_inside_with_finite_gradients(domain, start, size):
    start = jnp.asarray(start)
    u = size * jnp.asarray(np.random.default_rng(1).standard_normal(domain.free(start).shape), jnp.float32)
    value = domain.value(u, start)
    assert finite(value)
    assert finite(jax.jit(jax.grad(lambda u: jnp.sum(jnp.abs(domain.value(u, start)))))(u))
    if (
        domain is not domains.HERMITIAN_POSITIVE_DEFINITE or size == 1
    ):  # beyond, its condition number is that of 1 / eps
        assert domain.contains(np.asarray(value))


def test_what_a_simplex_and_unit_norms_keep():
    domain, start = STARTS["simplex"]
    moved = domain.value(jnp.asarray(RNG.standard_normal(start.shape), jnp.float32), jnp.asarray(start))
    np.testing.assert_allclose(moved.sum(-1), start.sum(-1), rtol=1e-6)
    np.testing.assert_array_equal(moved == 0, start == 0)
    domain, start = STARTS["unit_norm_complex"]
    moved = domain.value(jnp.asarray(RNG.standard_normal((*start.shape, 2)), jnp.float32), jnp.asarray(start))
    np.testing.assert_allclose(np.linalg.norm(moved, axis=0), np.linalg.norm(start, axis=0), rtol=1e-6)
    gone = domains.UNIT_NORM.value(jnp.asarray([[-3.0], [-4.0]]), jnp.asarray([[3.0], [4.0]]))
    np.testing.assert_array_equal(gone, [[3.0], [4.0]])


@each
def test_gradients_by_finite_differences(domain, start, x64):
    start = jnp.asarray(start)
    u = jnp.asarray(0.3 * np.random.default_rng(2).standard_normal(domain.free(start).shape))
    weights = np.random.default_rng(3).standard_normal((2, *start.shape))

    def loss(u):
        value = domain.value(u, start)
        return jnp.sum(weights[0] * value.real + weights[1] * value.imag)

    value, gradient = jax.jit(loss), jax.jit(jax.grad(loss))
    for at in (u, jnp.zeros_like(u)):
        direction = jnp.asarray(np.random.default_rng(4).standard_normal(u.shape))
        expected = (value(at + 1e-6 * direction) - value(at - 1e-6 * direction)) / 2e-6
        actual = jnp.sum(gradient(at) * direction)
        np.testing.assert_allclose(actual, expected, rtol=1e-6, atol=1e-9)


def test_gradient_descent_on_complex_numbers_descends():
    target, start = jnp.asarray([1 + 2j, -3j, 2.0]), jnp.asarray([0.5 - 1j, 1 + 1j, 0j])
    u = domains.REAL.free(start)

    def loss(u):
        return jnp.sum(jnp.abs(domains.REAL.value(u, start) - target) ** 2)

    for _ in range(60):
        u = u - 0.1 * jax.grad(loss)(u)
    np.testing.assert_allclose(domains.REAL.value(u, start), target, atol=1e-4)


@pytest.mark.parametrize(
    ("domain", "outside"),
    [
        (domains.NONNEGATIVE, [1.0, -1.0]),
        (domains.NONNEGATIVE, [np.nan]),
        (domains.POSITIVE, [0.0, 1.0]),
        (domains.UNIT_INTERVAL, [1.1]),
        (domains.SIMPLEX, [0.0, 0.0]),
        (domains.SIMPLEX, 1.0),
        (domains.UNIT_NORM, [[1.0, 0.0], [1.0, 0.0]]),
        (domains.HERMITIAN_POSITIVE_DEFINITE, [[1.0, 2.0], [2.0, 1.0]]),
        (domains.HERMITIAN_POSITIVE_DEFINITE, [[1.0, 0.5], [0.0, 1.0]]),
    ],
    ids=str,
)
def test_tells_what_is_outside(domain, outside):
    assert not domain.contains(np.asarray(outside))

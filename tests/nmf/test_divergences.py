"""The divergences by their definition, their derivatives, and their accuracy in single precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.special

from dsp_sep.nmf import Beta, Euclidean, ItakuraSaito, KullbackLeibler, MajorizeMinimize
from tests.checks import distance, finite

BETAS = (-1.0, -1e-9, 0.0, 0.5, 1.0, 1.0 + 1e-7, 1.5, 2.0, 3.0)


def pair(shape=(40, 50)):
    rng = np.random.default_rng(0)
    V = rng.gamma(0.7, 1, shape) + 1e-3
    return V, V * rng.gamma(4, 0.25, shape)


def definition(V, Y, beta):
    """The textbook form, with its limits where that is not defined."""
    if abs(beta) < 1e-6:
        return V / Y - np.log(V / Y) - 1
    if abs(beta - 1) < 1e-6:
        return scipy.special.kl_div(V, Y)
    return (V**beta + (beta - 1) * Y**beta - beta * V * Y ** (beta - 1)) / (beta * (beta - 1))


@pytest.mark.parametrize("beta", BETAS)
def test_beta_divergence(beta, x64):
    V, Y = pair()
    value = Beta(beta).value(jnp.asarray(V), jnp.asarray(Y))
    assert distance(value, definition(V, Y, beta)) < 3e-7 if beta in (-1e-9, 1.0 + 1e-7) else 1e-12
    assert np.all(value > -1e-12)


@pytest.mark.parametrize(("special", "beta"), [(ItakuraSaito(), 0), (KullbackLeibler(), 1), (Euclidean(), 2)])
def test_special_ones_are_beta_divergences(special, beta, x64):
    V, Y = map(jnp.asarray, pair())
    assert distance(special.value(V, Y), Beta(beta).value(V, Y)) < 1e-12
    assert distance(special.derivative(V, Y), Beta(beta).derivative(V, Y)) < 1e-12
    ratio = V / Y
    factor = MajorizeMinimize().factor
    assert distance(factor(ratio, special.degrees), factor(ratio, Beta(beta).degrees)) < 1e-12


@pytest.mark.parametrize("beta", BETAS)
def test_parts_make_up_the_derivative(beta, x64):
    V, Y = map(jnp.asarray, pair())
    negative, positive = Beta(beta).derivative(V, Y)
    gradient = jax.grad(lambda Y: jnp.sum(Beta(beta).value(V, Y)))(Y)
    assert distance(positive - negative, gradient) < 1e-9


@pytest.mark.parametrize("beta", BETAS)
def test_derivative_by_beta(beta, x64):
    V, Y = map(jnp.asarray, pair((4, 5)))

    def total(beta):
        return jnp.sum(Beta(beta).value(V, Y))

    expected = (total(beta + 1e-5) - total(beta - 1e-5)) / 2e-5
    assert jax.grad(total)(jnp.asarray(beta)) == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize(
    "divergence", [*map(Beta, (0.0, 0.5, 1.0, 2.0, 3.0)), Euclidean(), KullbackLeibler(), ItakuraSaito()]
)
def test_single_precision_is_good_enough_to_stop_by(divergence):
    V, Y = (x.astype(np.float32) for x in pair((1025, 1000)))
    value = jax.jit(lambda V, Y: jnp.sum(jnp.sum(divergence.value(V, Y), axis=-1), axis=-1))(V, Y)
    beta = getattr(divergence, "beta", None)
    beta = {Euclidean: 2, KullbackLeibler: 1, ItakuraSaito: 0}.get(type(divergence), beta)
    assert value == pytest.approx(np.sum(definition(V.astype(float), Y.astype(float), float(beta))), rel=2e-6)


@pytest.mark.parametrize("beta", [0.0, 0.5, 1.0, 2.0, 3.0])
def test_model_at_the_floor(beta):
    V, Y = jnp.asarray([1.0, 1e-14, 1.0]), jnp.asarray([1e-14, 1.0, 1.0])
    assert finite(Beta(beta).value(V, Y))
    assert finite(jax.grad(lambda Y: jnp.sum(Beta(beta).value(V, Y)))(Y))

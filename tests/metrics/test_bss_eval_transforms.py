"""BSS Eval under JAX's transformations, at its edges, and what it refuses."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.metrics import bss_eval_images, bss_eval_sources

MEASURES = {
    "windows": partial(bss_eval_images, taps=4, window=300, hop=200),
    "permuted": partial(bss_eval_sources, taps=2, window=300, filters="frame", permute=True),
}


def signals(batch=(), dtype=np.float32):
    random = np.random.default_rng(1)
    reference = random.standard_normal((*batch, 2, 2, 700))
    mixed = reference + 0.4 * reference[..., ::-1, :, :] + 0.2 * random.standard_normal(reference.shape)
    return reference.astype(dtype), mixed.astype(dtype)


TRACED = []


def total(name, reference, estimate):
    TRACED.append(name)
    return sum(jnp.sum(value) for value in MEASURES[name](reference, estimate)[:-1])


VALUE_AND_GRADIENTS = jax.jit(jax.value_and_grad(total, argnums=(1, 2)), static_argnums=0)


@pytest.mark.thorough
@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_batches_equal_one_by_one(measure):
    reference, estimate = signals((2, 1))
    together = measure(reference, estimate)
    for k in range(2):
        for a, b in zip(measure(reference[k, 0], estimate[k, 0]), together, strict=True):
            assert b.shape == (2, 1, *a.shape)
            np.testing.assert_allclose(b[k, 0], a, rtol=1e-5)


def test_vmap_with_one_reference_equals_one_by_one():
    reference, estimate = signals((2,))
    mapped = jax.vmap(MEASURES["windows"], in_axes=(None, 0))(reference[0], estimate)
    for k in range(2):
        for a, b in zip(MEASURES["windows"](reference[0], estimate[k]), mapped, strict=True):
            np.testing.assert_allclose(b[k], a, rtol=1e-5)


def test_dtypes_are_kept():
    found = MEASURES["windows"](*signals())
    assert not found.sdr.weak_type and found.sdr.dtype == jnp.float32 and found.order.dtype == jnp.int32


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "double"), [("windows", False), ("windows", True), ("permuted", True)])
def test_gradients_by_finite_differences(name, double):
    random = np.random.default_rng(2)
    exact, ways = signals(dtype=np.float64), random.standard_normal((2, 2, 2, 700))
    with jax.enable_x64(True):
        above, below = (
            VALUE_AND_GRADIENTS(name, *(signal + step * way for signal, way in zip(exact, ways, strict=True)))[0]
            for step in (1e-5, -1e-5)
        )
        expected = (above - below) / 2e-5
    with jax.enable_x64(double):
        dtype = jnp.float64 if double else jnp.float32
        at, along = ([jnp.asarray(signal, dtype) for signal in pair] for pair in (exact, ways))
        gradients = VALUE_AND_GRADIENTS(name, *at)[1]
        assert all(gradient.dtype == dtype for gradient in gradients)
        backward = sum(jnp.vdot(gradient, way) for gradient, way in zip(gradients, along, strict=True))
        np.testing.assert_allclose(backward, expected, rtol=1e-7 if double else 1e-4)
        if name == "permuted":
            forward = jax.jvp(partial(total, name), tuple(at), tuple(along))[1]
            np.testing.assert_allclose(forward, expected, rtol=1e-7)


def test_gradient_is_finite_where_the_value_is_not():
    reference, estimate = signals()
    silence = np.zeros_like(reference)
    equal = np.broadcast_to(reference[:, :1], reference.shape)
    half = reference * (np.arange(2) == 0)[:, None, None].astype(np.float32)
    VALUE_AND_GRADIENTS("windows", reference, estimate)
    traced = len(TRACED)
    for pair in ((reference, reference), (reference, silence), (silence, estimate), (equal, equal), (half, estimate)):
        gradients = VALUE_AND_GRADIENTS("windows", *pair)[1]
        assert all(np.isfinite(gradient).all() for gradient in gradients)
    assert len(TRACED) == traced


@pytest.mark.thorough
def test_scale():
    reference, estimate = signals()
    measure = partial(bss_eval_sources, taps=4)
    plain = measure(reference, estimate)
    for scale in (1e-6, 1e6):
        scaled = measure(*((scale * signal).astype(np.float32) for signal in (reference, estimate)))
        for a, b in zip(plain[:3], scaled[:3], strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)
    apart = reference * np.array([1, 1e-5], np.float32)[:, None, None]
    np.testing.assert_allclose(measure(apart, estimate).sir, plain.sir, atol=1e-4)


@pytest.mark.parametrize("measure", [bss_eval_images, bss_eval_sources])
def test_refuses_what_cannot_be_meant(measure):
    reference, estimate = signals()
    with pytest.raises(ValueError, match="must have one shape"):
        measure(reference, estimate[:1])
    with pytest.raises(ValueError, match="swapped"):
        measure(reference.swapaxes(1, 2), estimate.swapaxes(1, 2))
    with pytest.raises(ValueError, match="swapped"):
        measure(reference.swapaxes(0, 2), estimate.swapaxes(0, 2))
    with pytest.raises(ValueError, match=r"sources, channels, samples"):
        measure(reference[0], estimate[0])
    with pytest.raises(ValueError, match="floating-point"):
        measure(reference.astype(int), estimate.astype(int))
    with pytest.raises(ValueError, match='"track" or "frame"'):
        measure(reference, estimate, filters="song")
    for option in ("window", "hop", "taps"):
        with pytest.raises(ValueError, match=f"{option}=0"):
            measure(reference, estimate, **{option: 0})

"""Plain and scale-invariant measures against their peers, what they must equal, and their gradients."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.metrics import chunk_sdr, improvement, median_sdr, sd_sdr, sdr, si_sar, si_sdr, si_sir, snr, usdr
from tests.each import marked

from .signals import song

GOLDEN = np.load(Path(__file__).with_name("golden.npz"))
MEASURES = {
    "si_sdr": si_sdr,
    "sd_sdr": sd_sdr,
    "snr": snr,
    "sdr": sdr,
    "usdr": usdr,
    "chunk_sdr": lambda reference, estimate: chunk_sdr(reference, estimate, 100, 0.5),
    "median_sdr": lambda reference, estimate: median_sdr(reference, estimate, 100, 0.5),
}
EACH = pytest.mark.parametrize("measure", marked(MEASURES, always={"si_sdr", "chunk_sdr"}))


def signals(shape=(3, 2, 500), dtype=np.float32, noise=0.3):
    random = np.random.default_rng(1)
    reference = random.standard_normal(shape)
    return reference.astype(dtype), (reference + noise * random.standard_normal(shape)).astype(dtype)


@pytest.mark.parametrize("double", [False, True])
def test_equals_peers(double):
    with jax.enable_x64(double):
        dtype = np.float64 if double else np.float32
        reference, estimate = GOLDEN["reference"].astype(dtype), GOLDEN["estimate"].astype(dtype)
        rate = int(GOLDEN["rate"])
        tolerance = 1e-6 if double else 1e-3
        chunks = chunk_sdr(reference, estimate, rate)
        assert chunks.dtype == dtype and chunks.shape == (3, 3)
        museval = jnp.where(jnp.isnan(chunks).any(axis=0, keepdims=True), jnp.nan, chunks)
        np.testing.assert_allclose(museval, GOLDEN["museval_sdr"], atol=tolerance)
        np.testing.assert_allclose(si_sdr(reference, estimate), GOLDEN["si_sdr"], atol=tolerance)


def test_chunks_are_silent_source_by_source():
    chunks = chunk_sdr(GOLDEN["reference"], GOLDEN["estimate"], int(GOLDEN["rate"]))
    assert np.argwhere(np.isnan(chunks)).tolist() == [[1, 1]]
    medians = median_sdr(GOLDEN["reference"], GOLDEN["estimate"], int(GOLDEN["rate"]))
    np.testing.assert_allclose(medians, np.nanmedian(chunks, axis=-1), rtol=1e-6)
    np.testing.assert_allclose(medians[1], np.mean(chunks[1, ::2]), rtol=1e-6)


def test_a_chunk_is_sdr_of_its_samples():
    reference, estimate = signals((2, 1, 2, 250))
    chunks = chunk_sdr(reference, estimate, 400, 0.25)
    assert chunks.shape == (2, 1, 2)
    np.testing.assert_allclose(chunks[..., 1], sdr(reference[..., 100:200], estimate[..., 100:200]), rtol=1e-6)


@pytest.mark.parametrize("decibels", [0, 20, 40, 60])
def test_float32_of_a_long_signal(decibels):
    """Noise that is orthogonal to the signal and so many decibels below it, in twenty seconds at 44.1 kHz."""
    random = np.random.default_rng(2)
    reference, noise = random.standard_normal((2, 2, 882_000))
    reference += 0.5
    noise -= (noise * reference).sum(-1, keepdims=True) / (reference**2).sum(-1, keepdims=True) * reference
    norms = [np.linalg.norm(signal, axis=-1, keepdims=True) for signal in (reference, noise)]
    estimate = reference + noise * norms[0] / norms[1] * 10 ** (-decibels / 20)
    reference, estimate = reference.astype(np.float32), estimate.astype(np.float32)
    np.testing.assert_allclose(si_sdr(reference, estimate), decibels, atol=0.01)
    np.testing.assert_allclose(si_sdr(reference, 0.37 * estimate), decibels, atol=0.01)
    exact = [signal.astype(np.float64) for signal in (reference, estimate)]
    expected = 10 * np.log10((exact[0] ** 2).sum() / ((exact[0] - exact[1]) ** 2).sum())
    np.testing.assert_allclose(sdr(reference, estimate), expected, atol=0.01)


def test_scale():
    reference, estimate = signals()
    np.testing.assert_allclose(si_sdr(reference, -3 * estimate), si_sdr(reference, estimate), rtol=1e-5)
    np.testing.assert_allclose(si_sdr(1e-4 * reference, estimate), si_sdr(reference, estimate), rtol=1e-5)
    np.testing.assert_allclose(sdr(1e-4 * reference, 1e-4 * estimate), sdr(reference, estimate), rtol=1e-5)
    np.testing.assert_allclose(sdr(reference, 0.5 * reference), 20 * np.log10(2), rtol=1e-6)


def test_edges():
    reference, estimate = signals((2, 2, 300))
    silence = np.zeros_like(reference)
    assert np.all(si_sdr(reference, reference) == np.inf)
    assert np.all(sdr(reference, reference) == np.inf)
    assert np.all(np.isnan(si_sdr(silence, estimate)))
    assert np.all(np.isnan(sdr(silence, estimate)))
    assert np.all(np.isnan(median_sdr(silence, estimate, 100)))
    assert np.all(si_sdr(reference, silence) == -np.inf)
    assert np.all(sd_sdr(reference, silence) == -np.inf)
    assert np.all(snr(reference, silence) == 0)
    assert np.all(np.isnan(snr(silence, estimate))) and np.all(np.isnan(sd_sdr(silence, estimate)))
    assert np.all(usdr(silence, silence) == 0)
    assert np.all(np.isfinite(usdr(reference, reference)) & (usdr(reference, reference) > 90))
    assert np.all(sdr(reference, silence) == 0)
    apart = reference * (np.arange(300) < 100)
    assert np.all(si_sdr(apart, reference - apart) == -np.inf)


@EACH
def test_compiled_equals_eager_and_batches_equal_one_by_one(measure):
    reference, estimate = signals()
    value = measure(reference, estimate)
    assert value.dtype == jnp.float32
    with jax.disable_jit():
        np.testing.assert_allclose(measure(jnp.asarray(reference), jnp.asarray(estimate)), value, rtol=1e-5)
    np.testing.assert_allclose(jax.vmap(measure)(reference, estimate), value, rtol=1e-5)
    np.testing.assert_allclose(measure(reference[None], estimate[None])[0], value, rtol=1e-5)
    np.testing.assert_allclose(measure(reference[1], estimate[1]), value[1], rtol=1e-5)


@EACH
def test_gradient_by_finite_differences(measure, x64):
    reference, estimate = signals((2, 2, 150), np.float64)
    random = np.random.default_rng(3)
    direction = random.standard_normal(estimate.shape)

    @jax.jit
    def along(t):
        return measure(jnp.asarray(reference), jnp.asarray(estimate) + t * jnp.asarray(direction)).sum()

    step = 1e-5
    expected = (along(step) - along(-step)) / (2 * step)
    gradient = jax.jit(jax.grad(lambda e: measure(jnp.asarray(reference), e).sum()))(jnp.asarray(estimate))
    np.testing.assert_allclose(np.vdot(gradient, direction), expected, rtol=1e-7)
    np.testing.assert_allclose(jax.jvp(along, (0.0,), (1.0,))[1], expected, rtol=1e-7)


@pytest.mark.parametrize("measure", [si_sdr, sd_sdr, snr, sdr, usdr])
def test_gradient_is_finite_where_the_value_is_not(measure):
    reference, estimate = signals((1, 2, 150))
    silence = np.zeros_like(reference)
    gradient_of_both = jax.jit(jax.grad(lambda r, e: measure(r, e).sum(), argnums=(0, 1)))
    for pair in ((reference, reference), (reference, silence), (silence, estimate), (silence, silence)):
        gradients = gradient_of_both(*map(jnp.asarray, pair))
        assert all(np.all(np.isfinite(gradient)) for gradient in gradients)


@pytest.mark.parametrize("measure", MEASURES.values(), ids=MEASURES)
def test_refuses_what_cannot_be_meant(measure):
    reference, estimate = signals()
    with pytest.raises(ValueError, match="must have one shape"):
        measure(reference, estimate[:1])
    with pytest.raises(ValueError, match="swapped"):
        measure(reference.swapaxes(1, 2), estimate.swapaxes(1, 2))
    with pytest.raises(ValueError, match="floating-point"):
        measure(reference.astype(np.int32), estimate.astype(np.int32))
    with pytest.raises(ValueError, match="of shape"):
        measure(reference[..., :0], estimate[..., :0])


def test_refuses_missing_channels_and_short_signals():
    reference, estimate = signals()
    with pytest.raises(ValueError, match=r"\(\.\.\., channels, samples\)"):
        sdr(reference[0, 0], estimate[0, 0])
    with pytest.raises(ValueError, match="chunks of 1 to 500 samples"):
        chunk_sdr(reference, estimate, 501)
    with pytest.raises(ValueError, match="chunks of 1 to 500 samples"):
        chunk_sdr(reference, estimate, 0)


@pytest.mark.parametrize("dtype", [np.float32, pytest.param(np.float64, marks=pytest.mark.thorough)])
def test_scale_invariant_parts(dtype):
    """As fast_bss_eval, and as the definition: squares of errors add up."""
    with jax.enable_x64(dtype is np.float64):
        reference, estimate = (jnp.asarray(signal, dtype) for signal in song(2.0))
        found = {"sdr": si_sdr, "sir": si_sir, "sar": si_sar}
        values = {name: measure(reference, estimate) for name, measure in found.items()}
        tolerance = 1e-3 if dtype is np.float32 else 1e-8
        for name in ("sdr", "sir"):
            assert values[name].dtype == dtype
            expected = GOLDEN[f"fast_bss_eval/scale_invariant/{name}"]
            np.testing.assert_allclose(values[name], expected, atol=tolerance)
        errors = {name: 10 ** (-np.asarray(value, np.float64) / 10) for name, value in values.items()}
        np.testing.assert_allclose(errors["sdr"], errors["sir"] + errors["sar"], rtol=tolerance)
        both = np.log10(1 + errors["sir"]) * 10  # fast_bss_eval's SAR has the interference above the line too
        np.testing.assert_allclose(values["sar"] + both, GOLDEN["fast_bss_eval/scale_invariant/sar"], atol=tolerance)


def test_scale_dependence():
    reference, estimate = signals()
    loud, quiet = sd_sdr(reference, 1.5 * estimate), sd_sdr(reference, 0.5 * estimate)
    assert np.all(loud < si_sdr(reference, estimate)) and np.all(quiet < si_sdr(reference, estimate))
    alpha = (reference * estimate).sum(-1) / (reference**2).sum(-1)
    np.testing.assert_allclose(sd_sdr(reference, estimate), snr(reference, estimate) + 20 * np.log10(alpha), rtol=1e-5)
    np.testing.assert_allclose(sdr(reference[:, :1], estimate[:, :1]), snr(reference, estimate)[:, 0], rtol=1e-5)
    np.testing.assert_allclose(usdr(reference, estimate), sdr(reference, estimate), rtol=1e-5)


def test_improvement_over_the_mixture():
    reference, estimate = signals((2, 3, 2, 500))
    mixture = reference.sum(axis=1)
    for measure in (sdr, si_sdr):
        found = improvement(measure, reference, estimate, mixture)
        assert found.shape == measure(reference, estimate).shape
        one = measure(reference[1, 2], estimate[1, 2]) - measure(reference[1, 2], mixture[1])
        np.testing.assert_allclose(found[1, 2], one, rtol=1e-4)
    np.testing.assert_array_equal(improvement(sdr, reference, np.stack([mixture] * 3, axis=1), mixture), 0)
    with pytest.raises(ValueError, match="not a mixture of references"):
        improvement(sdr, reference, estimate, mixture[0])

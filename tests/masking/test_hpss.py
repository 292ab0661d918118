from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads

from dsp_sep.masking.hpss import HPSS, median_filter

GOLDEN = np.load(Path(__file__).with_name("hpss.npz"))


@pytest.mark.parametrize("index", range(len(GOLDEN["lengths"])))
def test_masks_equal_librosa(x64, index):
    frames, bins = map(int, GOLDEN["lengths"][index])
    masks = HPSS(frames=frames, bins=bins)(jnp.asarray(GOLDEN["magnitude"]))
    np.testing.assert_allclose(masks, GOLDEN[f"masks_{index}"], rtol=0, atol=1e-10)


def test_single_precision_is_close_and_sums_to_one():
    masks = HPSS()(jnp.asarray(GOLDEN["magnitude"], jnp.float32))
    assert masks.dtype == jnp.float32
    np.testing.assert_allclose(masks, GOLDEN["masks_0"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(masks.sum(0), 1, rtol=0, atol=3e-7)


@pytest.mark.parametrize("size", [1, 3, 7, 17])
@pytest.mark.parametrize("axis", [0, 1])
def test_median_filter_is_exact(size, axis):
    x = np.random.default_rng(size).normal(size=(6, 150)).round(1).astype(np.float32)  # rounded: with ties
    around = [(size // 2, size // 2) if axis == k else (0, 0) for k in range(2)]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, around, mode="symmetric"), size, axis)
    np.testing.assert_array_equal(median_filter(jnp.asarray(x), size, axis), np.median(windows, axis=-1))


def test_batch_axes_are_a_loop():
    magnitude = jnp.asarray(np.random.default_rng(0).random((2, 2, 1, 20, 40)), jnp.float32)
    mask = HPSS(frames=7, bins=5)
    together = mask(magnitude)
    assert together.shape == (2, 2, 2, 1, 20, 40)
    for i, j in np.ndindex(2, 2):
        np.testing.assert_array_equal(together[i, j], mask(magnitude[i, j]))
    np.testing.assert_array_equal(jax.vmap(mask)(magnitude), together)


def test_scale_of_the_data_does_not_matter():
    magnitude = jnp.asarray(GOLDEN["magnitude"], jnp.float32)
    for scale in (1e-6, 1e6):
        np.testing.assert_allclose(HPSS()(scale * magnitude), HPSS()(magnitude), rtol=0, atol=1e-5)


def test_gradients_are_those_of_finite_differences(x64):
    magnitude = jnp.asarray(np.random.default_rng(0).random((1, 9, 12)) + 0.1)
    check_grads(jax.jit(lambda m, p: HPSS(exponent=p, frames=5, bins=3)(m)[0]), (magnitude, 1.7), 1, eps=1e-6)


def test_median_of_equal_elements_shares_its_gradient():
    gradient = jax.grad(lambda x: median_filter(x, 3)[2])(jnp.ones(5))
    np.testing.assert_allclose(gradient, [0, 1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-6)


def test_gradients_are_finite_on_silence():
    def share(magnitude, exponent):
        return HPSS(exponent=exponent, frames=7, bins=5)(magnitude)[0].sum()

    value, gradients = jax.value_and_grad(share, (0, 1))(jnp.zeros((2, 40, 40)), 2.0)
    assert value == 2 * 40 * 40 / 2
    assert all(np.isfinite(gradient).all() for gradient in gradients)


@pytest.mark.parametrize("size", [0, 2, -3, 3.0])
def test_sizes_that_are_not_odd_are_refused(size):
    with pytest.raises(ValueError, match="bins must be an odd positive integer"):
        HPSS(bins=size)
    with pytest.raises(ValueError, match="size must be an odd positive integer"):
        median_filter(jnp.ones(5), size)


def test_a_spectrogram_without_channels_is_refused():
    with pytest.raises(ValueError, match=r"\(20, 40\).*channels, frequency, frames"):
        HPSS()(jnp.ones((20, 40)))

"""Derivatives of the STFT: transposes written by hand, finite differences, hard places."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT, constrain, names, unconstrain
from dsp_sep.numerics import magnitude, scale
from dsp_sep.transforms import fourier, framing
from dsp_sep.transforms.windows import Hann
from tests.each import marked

SAMPLES = 23


def real(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def complex_(*shape):
    return real(*shape) + 1j * real(*shape, seed=1)


def gather(signal, n_fft, hop):
    return signal[..., np.arange(0, signal.shape[-1] - n_fft + 1, hop)[:, None] + np.arange(n_fft)]


def scatter(frames, hop):
    *batch, count, n_fft = frames.shape
    where = np.arange(count)[:, None] * hop + np.arange(n_fft)
    return jnp.zeros((*batch, where[-1, -1] + 1), frames.dtype).at[..., where].add(frames)


LINEAR = {
    "rfft, even": (lambda x: fourier.rfft(x, n=8), jnp.fft.rfft, real(2, 3, 8)),
    "rfft, odd": (lambda x: fourier.rfft(x, n=7), jnp.fft.rfft, real(2, 3, 7)),
    "irfft, even": (lambda s: fourier.irfft(s, n=8), lambda s: jnp.fft.irfft(s, 8), complex_(2, 3, 5)),
    "irfft, odd": (lambda s: fourier.irfft(s, n=9), lambda s: jnp.fft.irfft(s, 9), complex_(2, 3, 5)),
    "fft": (lambda x: fourier.fft(x, n=6), jnp.fft.fft, complex_(2, 3, 6)),
    "ifft": (lambda x: fourier.ifft(x, n=6), jnp.fft.ifft, complex_(2, 3, 6)),
    "frame": (lambda x: framing.frame(x, 5, 2), lambda x: gather(x, 5, 2), real(2, 3, 14)),
    "overlap_add": (lambda f: framing.overlap_add(f, 2), lambda f: scatter(f, 2), real(2, 3, 4, 5)),
}


@pytest.mark.parametrize("name", LINEAR)
def test_linear_parts_and_their_transposes(name, x64):
    ours, plain, operand = LINEAR[name]
    out = plain(operand)
    cotangent = real(*out.shape, seed=3) + (1j * real(*out.shape, seed=4) if jnp.iscomplexobj(out) else 0)
    (back,) = jax.linear_transpose(plain, operand)(cotangent)
    np.testing.assert_allclose(ours(operand), out, atol=1e-13)
    np.testing.assert_allclose(jax.jvp(ours, (operand,), (operand,))[1], out, atol=1e-13)
    np.testing.assert_allclose(jax.linear_transpose(ours, operand)(cotangent)[0], back, atol=1e-12)
    np.testing.assert_allclose(jax.vmap(ours, in_axes=1, out_axes=1)(operand), out, atol=1e-13)
    mapped = jax.vmap(lambda ct: jax.linear_transpose(ours, operand[:, 0])(ct)[0], in_axes=1, out_axes=1)(cotangent)
    np.testing.assert_allclose(mapped, back, atol=1e-12)
    twice = jax.linear_transpose(lambda ct: jax.linear_transpose(ours, operand)(ct)[0], cotangent)(operand)[0]
    np.testing.assert_allclose(twice, out, atol=1e-12)


@pytest.mark.parametrize("count", marked({str(count): count for count in (1, 2, 3, 4, 9)}, always={"1", "9"}))
@pytest.mark.parametrize("hop", [2, 3, 7])
def test_equal_frames_add_up_as_any(count, hop, x64):
    frame = real(7)
    expected = framing.overlap_add(np.broadcast_to(frame, (count, 7)), hop)
    np.testing.assert_allclose(framing.overlap_add_equal(frame, hop, count), expected, atol=1e-14)


@pytest.mark.parametrize(
    "options",
    marked(
        {
            "plain": {"n_fft": 8, "hop": 3},
            "reflected, odd": {"n_fft": 7, "hop": 2, "padding": "reflect"},
            "all frames": {"n_fft": 8, "hop": 5, "centered": False},
            "unpadded, two-sided": {"n_fft": 8, "hop": 4, "centered": False, "padding": "none", "onesided": False},
        },
        always={"reflected, odd"},
    ),
)
def test_first_and_second_derivatives_by_finite_differences(options, x64):
    window = 1.2 + 0.3 * real(options["n_fft"], seed=5)
    stft = STFT(window=window, **options)
    signal = real(SAMPLES) if stft.onesided else complex_(SAMPLES)
    start = (window, signal, complex_(stft.bins, stft.frames(SAMPLES)))
    direction = jax.tree.map(lambda leaf: leaf[::-1].copy(), start)

    def loss(shift):
        window, signal, gain = jax.tree.map(lambda leaf, way: leaf + shift * way, start, direction)
        stft = STFT(window=window, **options)
        s = gain * stft.consistent(gain * stft.analyze(signal), length=SAMPLES)
        return jnp.sum(magnitude(s)) + jnp.sum(magnitude(stft.synthesize(s, length=SAMPLES)) ** 1.5)

    first, second = jax.jit(jax.grad(loss)), jax.jit(jax.jacfwd(jax.grad(loss)))
    step = 1e-5
    by_differences = (loss(step) - loss(-step)) / (2 * step), (first(step) - first(-step)) / (2 * step)
    np.testing.assert_allclose((first(0.0), second(0.0)), by_differences, rtol=1e-5)
    np.testing.assert_allclose(jax.jvp(loss, (0.0,), (1.0,))[1], first(0.0), rtol=1e-12)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e12])
def test_gradients_are_finite_at_the_edges_of_a_half_overlap(size):
    def loss(window, signal):
        stft = STFT(n_fft=2048, hop=1024, window=window)
        s = stft.analyze(signal)
        return jnp.mean(stft.synthesize(scale(1 / (1 + magnitude(s)), s), length=9001) ** 2)

    window = size * STFT(n_fft=2048, hop=1024).window
    for signal in (real(9001).astype(np.float32), np.zeros(9001, np.float32)):
        for gradient in jax.grad(loss, (0, 1))(window, signal):
            assert np.isfinite(gradient).all()


def test_the_gradient_needs_neither_a_scatter_nor_a_complex_transform():
    stft = STFT(n_fft=16, hop=4)

    def loss(signal):
        return jnp.sum(magnitude(stft.analyze(signal))) + jnp.sum(stft.synthesize(stft.analyze(signal)) ** 2)

    text = jax.jit(jax.grad(loss)).lower(np.ones(SAMPLES, np.float32)).compile().as_text()
    assert "fft_type=RFFT" in text and "fft_type=IRFFT" in text
    assert "fft_type=FFT" not in text and "fft_type=IFFT" not in text and " scatter(" not in text


def test_the_length_of_a_hann_window_is_a_leaf(x64):
    signal = real(40)
    stft = STFT(n_fft=16, hop=4, window=Hann(13.3))
    assert names({"stft": stft}) == ("stft.window.length",) and stft.window_length == 16
    for length, options in ((16, {}), (12, {"window_length": 12})):
        same = STFT(n_fft=16, hop=4, window=Hann(length)).analyze(signal)
        np.testing.assert_allclose(same, STFT(n_fft=16, hop=4, **options).analyze(signal), atol=1e-14)
    np.testing.assert_allclose(stft.synthesize(stft.analyze(signal), length=40), signal, atol=1e-14)
    longer = Hann(24.0)
    np.testing.assert_allclose(longer.samples(16), longer.samples(24)[4:20], atol=1e-14)
    np.testing.assert_allclose(Hann(1e6).samples(16), 1, atol=1e-8)
    with pytest.raises(ValueError, match="there is no inverse with hop = 4"):
        STFT(n_fft=16, hop=4, window=Hann(3.0))
    with pytest.raises(ValueError, match="window_length is 12, but Hann"):
        STFT(n_fft=16, hop=4, window=Hann(16.0), window_length=12)
    with pytest.raises(ValueError, match="length must be positive"):
        Hann(0.0)


@pytest.mark.thorough
def test_the_length_of_a_hann_window_is_learned(x64):
    signal, target = real(40), real(40, seed=1)
    stft = STFT(n_fft=16, hop=4, window=Hann(13.3))

    def loss(u):
        learned = constrain(jax.tree.map(lambda leaf: leaf + u, unconstrain(stft, ("window.length",))), stft)
        masked = scale(1 / (1 + magnitude(learned.analyze(signal))), learned.analyze(signal))
        return jnp.sum((learned.synthesize(masked, length=40) - target) ** 2)

    gradient = jax.jit(jax.grad(loss))
    for u in (0.0, np.log(24 / 13.3)):  # within the frame and beyond, where the window is the middle of a longer one
        slope = gradient(u)
        np.testing.assert_allclose(slope, (loss(u + 1e-6) - loss(u - 1e-6)) / 2e-6, rtol=1e-6)
        assert abs(slope) > 1e-3
    assert np.isfinite(jax.grad(loss)(-5.0)) and np.isfinite(jax.grad(loss)(5.0))

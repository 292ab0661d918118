"""What holds for the STFT whatever its options."""

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT
from dsp_sep.pytree import names
from dsp_sep.transforms import windows
from tests.each import marked

OPTIONS = {
    "plain": {"n_fft": 16, "hop": 4},
    "half overlap": {"n_fft": 16, "hop": 8, "window": "sine"},
    "reflected": {"n_fft": 16, "hop": 5, "padding": "reflect", "window": "hamming"},
    "odd": {"n_fft": 15, "hop": 4, "padding": "reflect"},
    "short window": {"n_fft": 16, "hop": 3, "window_length": 11, "window": "blackman"},
    "two-sided": {"n_fft": 12, "hop": 5, "window": "kaiser", "onesided": False},
    "all frames": {"n_fft": 16, "hop": 4, "centered": False},
    "all frames, odd": {"n_fft": 15, "hop": 7, "centered": False, "window": "hamming"},
    "all frames, apart": {"n_fft": 16, "hop": 16, "centered": False, "window": "rectangular"},
    "unpadded": {"n_fft": 16, "hop": 6, "centered": False, "padding": "none", "window": "hamming"},
    "unpadded, two-sided": {"n_fft": 9, "hop": 4, "centered": False, "padding": "none", "onesided": False},
    "every sample": {"n_fft": 8, "hop": 1, "window": np.random.default_rng(5).uniform(0.5, 1, 8)},
    "one sample": {"n_fft": 1, "hop": 1, "window": "rectangular"},
}
SAMPLES = 37
every_option = pytest.mark.parametrize(
    "options",
    marked(OPTIONS, always={"plain", "reflected", "short window", "all frames, odd", "unpadded, two-sided"}),
)


def real(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def noise(stft, *shape):
    return real(*shape) if stft.onesided else real(*shape) + 1j * real(*shape, seed=1)


def spectrogram(stft, frames, seed=2):
    return real(stft.bins, frames, seed=seed) + 1j * real(stft.bins, frames, seed=seed + 1)


def inner(stft, a, b):
    """The inner product of two spectrograms over all frequencies, those that one side leaves out too."""
    weights = np.full((stft.bins, 1), 2.0 if stft.onesided else 1.0)
    if stft.onesided:
        a, b = np.array(a), np.array(b)
        ends = [0, -1] if stft.n_fft % 2 == 0 else [0]
        weights[ends] = 1
        a[ends], b[ends] = a[ends].real, b[ends].real
    return np.sum(weights * (a.conj() * b).real)


def under_a_window(stft, samples):
    """Which samples are under a window, by putting the windows down one after the other."""
    window, covered = np.asarray(stft.padded_window(np.float64)) > 0, set()
    for frame in range(stft.frames(samples)):
        covered |= set(frame * stft.hop - stft.grid.offset + np.flatnonzero(window))
    return np.array([n in covered for n in range(samples)])


@every_option
@pytest.mark.parametrize("samples", [SAMPLES, pytest.param(48, marks=pytest.mark.thorough)])
def test_round_trip_to_the_last_sample(options, samples, x64):
    stft = STFT(**options)
    signal = noise(stft, samples)
    covered = under_a_window(stft, samples)
    back = stft.synthesize(stft.analyze(signal), length=samples)
    assert back.dtype == signal.dtype
    np.testing.assert_allclose(back, np.where(covered, signal, 0), atol=1e-12)
    assert covered.all() or stft.padding == "none"


def test_a_centred_transform_without_overlap_misses_the_end(x64):
    stft = STFT(n_fft=16, hop=16, window="rectangular")
    signal = noise(stft, 47)
    back = stft.synthesize(stft.analyze(signal), length=47)
    np.testing.assert_allclose(back[:40], signal[:40], atol=1e-12)
    assert not back[40:].any()


def test_round_trip_in_single_precision():
    stft = STFT(n_fft=2048, hop=512)
    signal = real(2, 30_001).astype(np.float32)
    spectra = stft.analyze(signal)
    back = stft.synthesize(spectra, length=30_001)
    assert (spectra.dtype, back.dtype) == (np.complex64, np.float32)
    np.testing.assert_allclose(back, signal, atol=5e-6)


@every_option
def test_analysis_is_its_definition(options, x64):
    stft = STFT(**options)
    signal, grid = noise(stft, SAMPLES), stft.grid
    mode = "reflect" if stft.padding == "reflect" else "constant"
    extended = np.pad(signal, (grid.offset, grid.after(SAMPLES)), mode=mode)
    window = np.asarray(stft.padded_window(np.float64))
    frames = [window * extended[t * stft.hop :][: stft.n_fft] for t in range(stft.frames(SAMPLES))]
    expected = (np.fft.rfft if stft.onesided else np.fft.fft)(np.stack(frames)).T
    np.testing.assert_allclose(stft.analyze(signal), expected, atol=1e-12)
    np.testing.assert_allclose(stft.analyze_frames(signal), expected.T, atol=1e-12)


@every_option
def test_consistency_is_a_projection(options, x64):
    stft = STFT(**options)
    frames = stft.frames(SAMPLES)
    s, other = spectrogram(stft, frames), spectrogram(stft, frames, seed=4)
    g = stft.consistent(s, length=SAMPLES)
    np.testing.assert_allclose(stft.consistent(g, length=SAMPLES), g, atol=1e-12)
    np.testing.assert_allclose(stft.consistent_frames(s.T, length=SAMPLES).T, g, atol=1e-12)
    if stft.padding != "reflect":
        np.testing.assert_allclose(inner(stft, other, g), inner(stft, stft.consistent(other, length=SAMPLES), s))


@every_option
def test_natural_length_has_as_many_frames(options, x64):
    stft = STFT(**options)
    s = spectrogram(stft, 7)
    assert stft.frames(stft.synthesize(s).shape[-1]) == 7
    assert stft.consistent(s).shape == s.shape


@every_option
def test_dual_window_adds_up_to_one(options, x64):
    stft = STFT(**options)
    product = np.asarray(stft.dual * stft.padded_window(np.float64))
    sums = [product[residue :: stft.hop].sum() for residue in range(stft.hop)]
    np.testing.assert_allclose(sums, 1, atol=1e-12)


@pytest.mark.parametrize("name", [name for name in OPTIONS if name.startswith("all frames")])
def test_frame_bounds_are_those_of_the_frame_operator(name, x64):
    stft = STFT(**{**OPTIONS[name], "onesided": False})
    matrix = np.asarray(stft.analyze(np.eye(SAMPLES, dtype=complex))).reshape(SAMPLES, -1)
    eigenvalues = np.linalg.eigvalsh(matrix.conj() @ matrix.T)
    np.testing.assert_allclose([eigenvalues[0], eigenvalues[-1]], stft.frame_bounds, rtol=1e-10)


def test_batch_axes_and_vmap_equal_a_loop(x64):
    stft = STFT(n_fft=16, hop=5, padding="reflect")
    signals = real(2, 3, SAMPLES)
    spectra = stft.analyze(signals)
    loop = np.stack([[stft.analyze(signal) for signal in row] for row in signals])
    np.testing.assert_allclose(spectra, loop, atol=1e-14)
    np.testing.assert_allclose(jax.vmap(stft.analyze, in_axes=1, out_axes=1)(signals), loop, atol=1e-14)
    back = np.stack([[stft.synthesize(s, length=SAMPLES) for s in row] for row in loop])
    np.testing.assert_allclose(stft.synthesize(spectra, length=SAMPLES), back, atol=1e-14)
    mapped = jax.vmap(lambda s: stft.synthesize(s, length=SAMPLES), in_axes=2, out_axes=1)(jnp.moveaxis(spectra, 1, 2))
    np.testing.assert_allclose(mapped, back, atol=1e-14)


def test_vmap_over_transforms(x64):
    sweep = jax.vmap(lambda shape: STFT(n_fft=16, hop=4, window=windows.hann(16) ** shape))(jnp.array([0.5, 1.0]))
    signal = real(SAMPLES)
    s = jax.vmap(lambda stft: stft.analyze(signal))(sweep)
    np.testing.assert_allclose(s[0], STFT(n_fft=16, hop=4, window=windows.hann(16) ** 0.5).analyze(signal), atol=1e-14)
    back = jax.vmap(lambda stft, x: stft.synthesize(x, length=SAMPLES))(sweep, s)
    np.testing.assert_allclose(back, np.stack([signal, signal]), atol=1e-12)


@pytest.mark.thorough
def test_compiled_equals_uncompiled(x64):
    stft = STFT(n_fft=16, hop=5)
    signal = real(SAMPLES)
    s = stft.analyze(signal)
    back = stft.synthesize(s, length=SAMPLES)
    with jax.disable_jit():
        np.testing.assert_allclose(stft.analyze(signal), s, atol=1e-14)
        np.testing.assert_allclose(stft.synthesize(s, length=SAMPLES), back, atol=1e-14)


def test_other_values_do_not_trace_again():
    @jax.jit
    @chex.assert_max_traces(1)
    def round_trip(stft, signal):
        return stft.synthesize(stft.analyze(signal), length=SAMPLES)

    for window in ("hann", "hamming", windows.kaiser(16, 5.0)):
        round_trip(STFT(n_fft=16, hop=4, window=window), jnp.asarray(real(SAMPLES)))


def test_inside_a_scan_with_checkpoints():
    stft, signal = STFT(n_fft=16, hop=4), jnp.asarray(real(SAMPLES), np.float32)

    def loss(signal):
        step = jax.checkpoint(lambda s, _: (stft.consistent(s, length=SAMPLES), None))
        return jnp.sum(
            stft.synthesize(jax.lax.scan(step, stft.analyze(signal), None, length=3)[0], length=SAMPLES) ** 2
        )

    np.testing.assert_allclose(jax.grad(loss)(signal), 2 * signal, atol=1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_data_decide_the_precision(dtype, x64):
    stft = STFT(n_fft=16, hop=4)
    s = stft.analyze(real(SAMPLES).astype(dtype))
    back = stft.synthesize(s)
    assert s.dtype == np.result_type(dtype, np.complex64) and back.dtype == dtype
    assert not s.weak_type and not back.weak_type


def test_whole_numbers_are_a_signal():
    stft, signal = STFT(n_fft=16, hop=4), np.arange(SAMPLES, dtype=np.int16)
    np.testing.assert_array_equal(stft.analyze(signal), stft.analyze(signal.astype(np.float32)))


def test_the_window_is_the_only_leaf():
    stft = STFT(n_fft=np.int64(16), hop=4, window_length=12)
    assert names(stft) == ("window",)
    assert stft.window.shape == (12,) and stft.window_length == 12
    assert STFT(n_fft=16, hop=4, window=np.ones(9)).window_length == 9


def test_frequencies_in_hertz_and_times_in_seconds():
    stft = STFT(n_fft=8, hop=2)
    np.testing.assert_allclose(stft.frequencies(800.0), [0, 100, 200, 300, 400])
    np.testing.assert_allclose(stft.times(3, 100.0), [0, 0.02, 0.04])
    two_sided = STFT(n_fft=8, hop=2, onesided=False, centered=False, padding="none")
    np.testing.assert_allclose(two_sided.frequencies(800.0), [0, 100, 200, 300, -400, -300, -200, -100])
    np.testing.assert_allclose(two_sided.times(2, 100.0), [0.04, 0.06])
    np.testing.assert_allclose(STFT(n_fft=8, hop=2, centered=False).times(1, 100.0), [-0.02])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_fft": 0}, "n_fft must be at least 1, got 0"),
        ({"hop": 0}, "hop must be from 1 to n_fft = 16, got 0"),
        ({"hop": 17}, "hop must be from 1 to n_fft = 16, got 17"),
        ({"hop": 16}, "no inverse with hop = 16"),
        ({"hop": 9, "window_length": 8, "window": "rectangular"}, "no inverse with hop = 9"),
        ({"window": np.zeros(16)}, "no inverse"),
        ({"window": "hanning"}, "one of hann, .* got 'hanning'"),
        ({"window": np.ones(17)}, "1 to n_fft = 16 samples, got 17"),
        ({"window": np.ones(15), "window_length": 16}, "window_length is 16, but the window has 15"),
        ({"window": np.ones((2, 16))}, r"real with one axis, got float32\[2, 16\]"),
        ({"window": np.ones(16) * 1j}, "real with one axis, got complex64"),
        ({"padding": "edge"}, "one of constant, reflect, none, got 'edge'"),
        ({"padding": "none"}, "needs centered=False"),
        ({"padding": "reflect", "centered": False}, "needs centered=True"),
    ],
)
def test_errors_of_construction(options, words):
    with pytest.raises(ValueError, match=words):
        STFT(**({"n_fft": 16, "hop": 4} | options))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda stft: stft.analyze(np.ones(5, np.complex64)), "complex64.* needs onesided=False"),
        (lambda stft: stft.analyze(np.float32(1)), "axes .*samples"),
        (lambda stft: stft.analyze(np.ones((2, 0), np.float32)), "at least 1 samples .* got 0"),
        (lambda stft: STFT(n_fft=16, hop=4, padding="reflect").analyze(np.ones(8)), "at least 9 samples .* got 8"),
        (lambda stft: stft.synthesize(np.ones((9,), np.complex64)), r"axes \(..., frequency, frames\) .* got \[9\]"),
        (lambda stft: stft.synthesize(np.ones((7, 3), np.complex64)), r"with 9 frequencies .* got \[7, 3\]"),
        (lambda stft: stft.synthesize_frames(np.ones((3, 7), np.complex64)), r"frames, frequency\) .* got \[3, 7\]"),
        (lambda stft: stft.synthesize(np.ones((9, 3), np.float32)), "must be complex, got float32"),
        (lambda stft: stft.synthesize(np.ones((9, 3), np.complex64), length=20), "from 1 to 19 samples .* got 20"),
        (lambda stft: stft.consistent(np.ones((9, 3), np.complex64), length=12), "has 4 frames, the spectrogram 3"),
    ],
)
def test_errors_of_use(call, words):
    with pytest.raises(ValueError, match=words):
        call(STFT(n_fft=16, hop=4))


@pytest.mark.parametrize("name", windows.WINDOWS)
def test_windows_are_nonnegative_and_symmetric(name):
    window = windows.WINDOWS[name](9)
    assert (window >= 0).all() and window.max() <= 1
    mirrored = window[::-1] if name in ("sine", "rectangular") else np.roll(window[::-1], 1)
    np.testing.assert_allclose(window, mirrored, atol=1e-15)

"""BSS Eval against museval, mir_eval and fast_bss_eval, against its definition, and where accuracy ends."""

from pathlib import Path

import jax
import numpy as np
import pytest

from dsp_sep.metrics import bss_eval_images, bss_eval_sources
from tests.each import marked

from .signals import RATE, delayed, estimates, noises, song, with_silence

GOLDEN = np.load(Path(__file__).with_name("golden.npz"))
SECOND = {"window": RATE}


def golden(case):
    return {key.rsplit("/", 1)[1]: GOLDEN[key] for key in GOLDEN if key.startswith(case + "/")}


def assert_equals(found, case, tolerance, names=("sdr", "isr", "sir", "sar")):
    expected = golden(case)
    for name in names:
        np.testing.assert_allclose(getattr(found, name), expected[name], rtol=0, atol=tolerance, err_msg=name)


@pytest.mark.parametrize(
    ("silence", "dtype"),
    marked(
        {f"{s}-{dtype.__name__}": (s, dtype) for s in (False, True) for dtype in (np.float32, np.float64)},
        always={"True-float32"},
    ),
)
def test_images_as_museval(dtype, silence):
    signals = with_silence(*song()) if silence else song()
    with jax.enable_x64(dtype is np.float64):
        found = bss_eval_images(*(signal.astype(dtype) for signal in signals), **SECOND)
        assert found.sdr.dtype == dtype and found.sdr.shape == (4, 4)
        assert_equals(found, "museval/silence" if silence else "museval/song", 1e-5 if dtype is np.float32 else 1e-7)
    if silence:
        assert np.isnan(found.sdr).all(axis=0).tolist() == [False, True, True, True]


@pytest.mark.thorough
def test_windows_that_overlap(x64):
    found = bss_eval_images(*song(2.5), window=33075, hop=22050)
    assert_equals(found, "museval/overlap", 1e-7)


@pytest.mark.thorough
def test_filters_and_order_for_each_frame(x64):
    reference, estimate = song(2.0)
    found = bss_eval_images(reference, estimate[np.array([3, 1, 0, 2])], **SECOND, filters="frame", permute=True)
    assert_equals(found, "museval/frame", 1e-7)
    assert found.order.T.tolist() == [[2, 1, 3, 0]] * 2


@pytest.mark.thorough
def test_order_of_images(x64):
    reference, estimate = song(2.0)
    found = bss_eval_images(reference, estimate[np.array([3, 1, 0, 2])], **SECOND, permute=True)
    assert_equals(found, "museval/order", 1e-7)
    assert found.order.tolist() == golden("museval/order")["order"][:, 0].tolist() == [2, 1, 3, 0]


@pytest.mark.thorough
def test_sources_of_two_channels_as_museval(x64):
    found = bss_eval_sources(*song(1.5))
    for name in ("sdr", "sir", "sar"):
        np.testing.assert_allclose(getattr(found, name), golden("museval/sources")[name][:, 0], atol=1e-7)


@pytest.mark.parametrize("peer", ["mir_eval", "fast_bss_eval"])
@pytest.mark.parametrize("case", [pytest.param("noises", marks=pytest.mark.thorough), "song"])
def test_sources_as(peer, case, x64):
    reference, estimate = noises() if case == "noises" else (signal[:, :1] for signal in song(2.0))
    found = bss_eval_sources(reference, estimate, permute=True)
    assert_equals(found, f"{peer}/{case}", 1e-8, ("sdr", "sir", "sar"))
    assert found.order.tolist() == golden(f"{peer}/{case}")["order"].tolist()


@pytest.mark.thorough
def test_equal_channels(x64):
    """The normal equations are singular: the least-squares solution is museval's up to rounding."""
    reference = song()[0]
    reference[1, 1] = reference[1, 0]
    assert_equals(bss_eval_images(reference, song()[1], **SECOND), "museval/copied", 1e-7)
    # the same span is that of one channel of the bass and one that is silent
    alone = reference.copy()
    alone[1, 1] = 0
    same, other = (bss_eval_sources(each, song()[1], **SECOND, filters="track") for each in (reference, alone))
    for name in ("sdr", "sir", "sar"):
        np.testing.assert_allclose(getattr(same, name), getattr(other, name), atol=1e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("kind", ["filtered copy", "low-pass", "sines"])
def test_singular_and_nearly_so(kind, x64):
    """Whatever the references, the estimate is split into parts that are orthogonal on the whole signal."""
    reference = song(1.0)[0]
    if kind == "filtered copy":
        reference[2, 1] = 0.5 * delayed(reference[2, 0], 1) - 0.2 * delayed(reference[2, 0], 4)
    elif kind == "low-pass":
        spectrum = np.fft.rfft(reference)
        reference = np.fft.irfft(spectrum * (np.arange(spectrum.shape[-1]) < 10_000), n=reference.shape[-1])
    else:
        phase = np.arange(8).reshape(4, 2, 1)
        reference = np.sin(2 * np.pi * (110.0 * (1 + phase // 2)) * np.arange(RATE) / RATE + phase)
    found = bss_eval_sources(reference, estimates(reference))
    assert all(np.isfinite(value).all() for value in found[:3])
    sdr, sir, sar = (10 ** (np.asarray(value) / 10) for value in found[:3])
    np.testing.assert_allclose(1 / sdr, 1 / sir + (1 + 1 / sir) / sar, rtol=1e-4)


@pytest.mark.thorough
def test_silent_throughout():
    reference, estimate = (signal.astype(np.float32) for signal in song(0.5))
    for silent in (0, 1):
        signals = [reference.copy(), estimate.copy()]
        signals[silent][2] = 0
        assert all(np.isnan(value).all() for value in bss_eval_images(*signals, taps=16)[:4])


@pytest.mark.thorough
def test_perfect_and_nearly_perfect_estimates():
    """The SDR of float32 is right to 0.01 dB up to 60 dB, all else with it; a perfect estimate has +inf."""
    reference, estimate = (signal.astype(np.float32) for signal in song(1.0))
    error = estimate - reference
    plain = bss_eval_images(reference, estimate)
    for quiet in (20, 40, 60):
        nearly = reference + (error * 10 ** (-quiet / 20)).astype(np.float32)
        exact = (signal.astype(np.float64) for signal in (reference, nearly))
        with jax.enable_x64(True):
            expected = bss_eval_images(*exact)
        found = bss_eval_images(reference, nearly)
        for name in ("sdr", "isr", "sir", "sar"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-4)
        np.testing.assert_allclose(found.sdr, plain.sdr + quiet, atol=0.01)
    perfect = bss_eval_images(reference, reference)
    assert np.all(perfect.sdr == np.inf)
    assert all(np.all(value > 120) for value in perfect[1:4])


@pytest.mark.parametrize("quiet", [0, 60, 100, 140])
def test_where_accuracy_ends(quiet, x64):
    """Artifacts that are orthogonal to all delays of the references, down to 200 dB below them: right to 1e-4 dB."""
    random = np.random.default_rng(3)
    samples, taps = 4000, 8
    reference = np.zeros((2, 1, samples))
    reference[..., :2000] = random.standard_normal((2, 1, 2000))
    artifacts = np.zeros((2, 1, samples))
    artifacts[..., 2100:] = random.standard_normal((2, 1, 1900))
    artifacts *= 10 ** (-quiet / 20)
    found = bss_eval_images(reference, reference + artifacts, taps=taps)
    expected = 10 * np.log10((reference**2).sum((1, 2)) / (artifacts**2).sum((1, 2)))
    np.testing.assert_allclose(found.sar, expected, atol=1e-4)
    np.testing.assert_allclose(found.sdr, expected, atol=1e-4)


def test_long_signals_in_parts_equal_one_part(x64):
    """Many parts of few taps, against the definition: least squares on the matrix of all delays."""
    random = np.random.default_rng(5)
    samples, taps = 40_000, 3  # and a window that is longer: one frame
    reference = random.standard_normal((2, 2, samples))
    estimate = reference + 0.5 * reference[::-1] + 0.1 * random.standard_normal(reference.shape)
    found = bss_eval_images(reference, estimate, taps=taps, window=50_000)
    assert found.sdr.shape == (2, 1)

    def delays(channels):
        padded = np.pad(channels, ((0, 0), (0, taps - 1)))
        return np.stack([np.roll(channel, lag) for channel in padded for lag in range(taps)], axis=-1)

    for k in range(2):
        target, truth = (np.pad(signal[k].T, ((0, taps - 1), (0, 0))) for signal in (estimate, reference))
        own, all_of_them = (
            basis @ np.linalg.lstsq(basis, target, rcond=None)[0]
            for basis in (delays(reference[k]), delays(reference.reshape(4, -1)))
        )
        parts = (
            ("sdr", truth, target - truth),
            ("isr", truth, own - truth),
            ("sir", own, all_of_them - own),
            ("sar", all_of_them, target - all_of_them),
        )
        for name, above, below in parts:
            expected = 10 * np.log10((above**2).sum() / (below**2).sum())
            np.testing.assert_allclose(getattr(found, name)[k], expected, atol=1e-9, err_msg=name)

"""The STFT beside those of torch, librosa and scipy, as stored in golden/stft.npz."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import STFT
from dsp_sep.numerics import square_magnitude

GOLDEN = np.load(Path(__file__).parents[1] / "golden" / "stft.npz")
CASES = {case["name"]: case for case in json.loads(str(GOLDEN["cases"]))}
GRADIENT = CASES.pop("gradient")
SCIPY = [name for name in CASES if name.startswith("scipy")]
OTHERS = [name for name in CASES if not name.startswith("scipy")]

pytestmark = pytest.mark.usefixtures("x64")


def transform(case, **options):
    chosen = {"n_fft": case["n_fft"], "hop": case["hop"], "window": case["window"], "onesided": case["onesided"]}
    chosen |= {"window_length": case["window_length"], "centered": case["center"], "padding": case["padding"] or "none"}
    return STFT(**(chosen | options))


def operand(name):
    gain = GOLDEN[f"{name}/gain_frequency"][:, None] * GOLDEN[f"{name}/gain_frames"]
    return GOLDEN[f"{name}/spectrogram"] * gain


def distance(array, expected):
    assert array.shape == expected.shape
    return np.linalg.norm(array - expected) / np.linalg.norm(expected)


@pytest.mark.parametrize("name", CASES)
def test_window(name):
    assert distance(transform(CASES[name]).window, GOLDEN[f"{name}/window"]) < 1e-14


@pytest.mark.parametrize("name", OTHERS)
def test_analysis(name):
    case = CASES[name]
    signal = GOLDEN[f"signal/{case['signal']}"]
    assert distance(transform(case).analyze(signal), GOLDEN[f"{name}/spectrogram"]) < 1e-13


@pytest.mark.parametrize("name", OTHERS)
def test_synthesis(name):
    inverse = GOLDEN[f"{name}/inverse"]
    assert distance(transform(CASES[name]).synthesize(operand(name), length=inverse.shape[-1]), inverse) < 1e-13


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_with_every_frame_that_touches_the_signal(name):
    stft = transform(CASES[name], centered=False, padding="constant")
    signal, inverse = GOLDEN["signal/real"], GOLDEN[f"{name}/inverse"]
    assert distance(stft.analyze(signal), GOLDEN[f"{name}/spectrogram"]) < 1e-13
    assert distance(stft.synthesize(operand(name), length=inverse.shape[-1]), inverse) < 1e-13
    assert distance(stft.dual, GOLDEN[f"{name}/dual_window"]) < 1e-14


@pytest.mark.parametrize("name", SCIPY)
def test_scipy_with_centred_frames(name):
    stft, signal = transform(CASES[name]), GOLDEN["signal/real"]
    first = -int(GOLDEN[f"{name}/first_frame"])
    frames = slice(first, first + stft.frames(signal.shape[-1]))
    assert distance(stft.analyze(signal), GOLDEN[f"{name}/spectrogram"][..., frames]) < 1e-13


def test_gradients():
    options = {"n_fft": GRADIENT["n_fft"], "hop": GRADIENT["hop"], "padding": GRADIENT["padding"]}
    stored = {key: GOLDEN[f"gradient/{key}"] for key in ("window", "stft_weights", "istft_operand", "istft_weights")}

    def analysis(signal, window):
        return jnp.sum(stored["stft_weights"] * square_magnitude(STFT(window=window, **options).analyze(signal)))

    def synthesis(spectrogram, window):
        signal = STFT(window=window, **options).synthesize(spectrogram, length=stored["istft_weights"].size)
        return jnp.sum(stored["istft_weights"] * signal**2)

    by_signal, by_window = jax.grad(analysis, (0, 1))(GOLDEN["signal/real"][0], stored["window"])
    assert distance(by_signal, GOLDEN["gradient/stft_by_signal"]) < 1e-13
    assert distance(by_window, GOLDEN["gradient/stft_by_window"]) < 1e-13
    by_spectrogram, by_window = jax.grad(synthesis, (0, 1))(stored["istft_operand"], stored["window"])
    assert distance(by_spectrogram.conj(), GOLDEN["gradient/istft_by_operand"]) < 1e-13
    assert distance(by_window, GOLDEN["gradient/istft_by_window"]) < 1e-13

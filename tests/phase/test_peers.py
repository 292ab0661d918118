"""Griffin-Lim beside librosa and torchaudio, MISI beside its equations and asteroid, from stored starts."""

import json
from pathlib import Path

import numpy as np
import pytest

from dsp_sep import STFT, Momentum, run
from dsp_sep.phase import MISI, Given, GivenWeights, GriffinLim, MagnitudeRatio, MixtureFirstMISI, Uniform
from tests.checks import distance

FOLDER = Path(__file__).parents[1] / "golden"


def load(name, keep):
    with np.load(FOLDER / f"{name}.npz") as file:
        arrays = dict(file)
    return arrays, [case for case in json.loads(str(arrays["cases"])) if keep(case)]


GRIFFIN_LIM, GRIFFIN_LIM_CASES = load("griffin_lim", lambda case: case["iterations"] == 16)
SEPARATION, SEPARATION_CASES = load("misi", lambda case: case["iterations"] == 20)


def name(case):
    return case["name"]


def griffin_lim(case, real, dtype):
    peer = case["name"].split("/")[0]
    magnitude = GRIFFIN_LIM[f"{peer}/magnitude"].astype(real)
    phase = GRIFFIN_LIM["librosa/start_phase"] if peer == "librosa" else np.zeros(magnitude.shape)
    stft = STFT(n_fft=case["n_fft"], hop=case["hop"], window=GRIFFIN_LIM["window"], padding=case["padding"])
    start = Given((magnitude * np.exp(1j * phase)).astype(dtype))
    algorithm = Momentum(GriffinLim(stft, start=start, length=case["length"]), case["momentum"])
    spectrogram = run(algorithm, magnitude, case["iterations"]).output
    return spectrogram, stft.synthesize(spectrogram, length=case["length"])


@pytest.mark.parametrize("case", GRIFFIN_LIM_CASES, ids=name)
def test_griffin_lim(case, x64):
    spectrogram, waveform = griffin_lim(case, np.float64, np.complex128)
    assert distance(waveform, GRIFFIN_LIM[f"{case['name']}/waveform"]) < 1e-8
    if f"{case['name']}/spectrogram" in GRIFFIN_LIM:
        assert distance(spectrogram, GRIFFIN_LIM[f"{case['name']}/spectrogram"]) < 1e-8


@pytest.mark.parametrize("case", GRIFFIN_LIM_CASES[::2], ids=name)
def test_griffin_lim_in_single_precision(case):
    _, waveform = griffin_lim(case, np.float32, np.complex64)
    assert waveform.dtype == np.float32
    assert distance(waveform, GRIFFIN_LIM[f"{case['name']}/waveform"]) < 1e-3


def separate(case, real, dtype):
    weights = {
        "uniform": Uniform,
        "magnitude_ratio": MagnitudeRatio,
        "given": lambda: GivenWeights(SEPARATION["given_weights"]),
    }
    kind = {"misi": MISI, "mixture_first_misi": MixtureFirstMISI}[case["algorithm"]]
    stft = STFT(n_fft=case["n_fft"], hop=case["hop"], window=SEPARATION["window"])
    algorithm = kind(stft, mixture_weight=weights[case["weights"]](), length=case["length"])
    data = SEPARATION["mixture"].astype(dtype), SEPARATION["magnitudes"].astype(real)
    sources = run(algorithm, data, case["iterations"]).output
    if case["name"].startswith("asteroid"):
        return stft.synthesize(sources, length=case["length"]), SEPARATION[f"{case['name']}/waveforms"]
    return sources, SEPARATION[f"{case['name']}/sources"]


@pytest.mark.parametrize("case", SEPARATION_CASES, ids=name)
def test_misi(case, x64):
    assert distance(*separate(case, np.float64, np.complex128)) < 1e-8


@pytest.mark.parametrize("case", SEPARATION_CASES[:4], ids=name)
def test_misi_in_single_precision(case):
    actual, expected = separate(case, np.float32, np.complex64)
    assert actual.dtype == np.complex64
    assert distance(actual, expected) < 1e-3

"""The starts that estimate phases: beside a peer and loops in numpy, and on signals whose phases are known.

Batches, hard data and gradients are in the table of cases, where an algorithm begins with each of them.
"""

import itertools
import json
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal

from dsp_sep import STFT
from dsp_sep.numerics import square_magnitude
from dsp_sep.phase import PGHI, SPSI, SinusoidalPhase, ZeroPhase, consistent
from tests.cases import magnitudes
from tests.checks import distance
from tests.each import marked

GOLDEN = dict(np.load(Path(__file__).parents[1] / "golden" / "pghi.npz"))
N_FFT, HOP = 32, 8
SIZES = {"n_fft": N_FFT, "hop": HOP}


def tones(samples=4000, n_fft=256, hop=64, window="hann"):
    """Two steady tones, and a transform to see them with."""
    t = np.arange(samples)
    signal = np.cos(0.4231 * t + 0.3) + 0.5 * np.cos(1.3177 * t + 1)
    return STFT(n_fft=n_fft, hop=hop, window=window), signal


def inconsistency(S, stft, edge=4):
    """The energy of what no signal has, relative to all, away from both ends."""
    error = square_magnitude(S - consistent(S, stft))[..., edge:-edge]
    return float(jnp.sum(error) / jnp.sum(square_magnitude(S[..., edge:-edge])))


def sinusoidal_by_loops(A, first):
    phases = [first]
    for frame in A.T[1:]:
        found = scipy.signal.find_peaks(frame)[0]
        found = [k for k in found if frame[k] >= 0.01 * frame.max()]
        turns = np.arange(len(frame)) / N_FFT
        if found:
            edges = [0, *((a + b) // 2 for a, b in itertools.pairwise(found)), len(frame)]
            for k, low, high in zip(found, edges, edges[1:], strict=False):
                a, b, c = np.log(frame[k - 1 : k + 2])
                turns[low:high] = (k + (a - c) / 2 / (a - 2 * b + c)) / N_FFT
        phases.append(phases[-1] + 2 * np.pi * HOP * turns)
    return A * np.exp(1j * np.array(phases).T)


def test_sinusoidal_phase_by_loops(x64):
    A, rng = magnitudes(), np.random.default_rng(0)
    mixture = rng.standard_normal(A.shape) + 1j * rng.standard_normal(A.shape)
    expected = sinusoidal_by_loops(A, np.angle(mixture[:, 0]))
    assert distance(SinusoidalPhase(**SIZES)(jnp.asarray(A), jnp.asarray(mixture), None), expected) < 1e-9
    expected = sinusoidal_by_loops(A, np.zeros(len(A)))
    assert distance(SinusoidalPhase(**SIZES)(jnp.asarray(A), None, None), expected) < 1e-9


def spsi_by_loops(A):
    phases, before = [], np.zeros(len(A))
    for frame in A.T:
        now = before + HOP * np.arange(len(frame)) / N_FFT
        for k in scipy.signal.find_peaks(frame)[0]:
            a, b, c = frame[k - 1 : k + 2]
            p = (a - c) / 2 / (a - 2 * b + c)
            peak = before[k] + HOP * (k + p) / N_FFT
            side = 1 if p >= 0 else -1
            now[k] = peak
            for direction in (-1, 1):
                j = k + direction
                while 0 <= j < len(frame) and frame[j] < frame[j - direction]:
                    climbing = j + 1 < len(frame) and frame[j + 1] > frame[j]
                    if not (direction == 1 and climbing):  # a valley goes to the peak above it
                        shifted = direction != side or j == k + direction
                        now[j] = before[k] + HOP * (k + p) / N_FFT + 0.5 * shifted
                    j += direction
        phases.append(now)
        before = now
    return A * np.exp(2j * np.pi * np.array(phases).T)


def test_spsi_by_loops(x64):
    A = magnitudes()
    assert distance(SPSI(**SIZES)(jnp.asarray(A), None, None), spsi_by_loops(A)) < 1e-9


@pytest.mark.parametrize("case", json.loads(str(GOLDEN["cases"])), ids=lambda case: case["name"])
def test_pghi_is_that_of_pghipy(case, x64):
    A = GOLDEN["magnitude"]
    expected = A * np.exp(1j * GOLDEN[f"{case['name']}/phase"])
    assert distance(PGHI(n_fft=128, hop=32, spread=case["spread"])(jnp.asarray(A), None, None), expected) < 1e-9


def test_the_gradient_of_the_phase_is_that_of_a_gaussian_window(x64):
    n_fft, hop, spread = 256, 16, 0.1
    n = np.arange(n_fft) - n_fft // 2
    stft = STFT(n_fft=n_fft, hop=hop, window=np.exp(-np.pi * n**2 / (spread * n_fft**2)))
    t = np.arange(3000)
    X = np.asarray(stft.analyze(np.cos(0.3 * t + 1e-4 * t**2)))
    gradient = PGHI(n_fft=n_fft, hop=hop, spread=spread).gradient(jnp.asarray(abs(X)))
    along_time, along_frequency = map(np.asarray, gradient)

    def wrapped(turns):
        return abs(turns - np.round(turns))

    loud = (abs(X) > 1e-2 * abs(X).max())[:-1, 20:-20]
    turns = np.angle(X) / (2 * np.pi)
    steps = wrapped(np.diff(turns, axis=1) - (along_time[:, 1:] + along_time[:, :-1]) / 2)[:-1, 20:-19]
    assert np.max(steps * loud) < 5e-3
    steps = wrapped(np.diff(turns, axis=0) - (along_frequency[1:] + along_frequency[:-1]) / 2)[:, 20:-20]
    assert np.max(steps * loud) < 5e-3


@pytest.mark.parametrize(
    "kind", marked({kind.__name__: kind for kind in (SinusoidalPhase, SPSI, PGHI)}, always={"SPSI"})
)
def test_steady_tones_get_nearly_consistent_phases(kind, x64):
    stft, signal = tones()
    X = stft.analyze(signal)
    A = jnp.abs(X)
    S = kind(n_fft=stft.n_fft, hop=stft.hop)(A, X if kind is SinusoidalPhase else None, None)
    assert distance(jnp.abs(S), A) < 1e-12
    zero = inconsistency(ZeroPhase()(A, None, None), stft)
    assert inconsistency(S, stft) < {SinusoidalPhase: 0.5, SPSI: 0.02, PGHI: 0.02}[kind] * zero

"""Phase recovery frame by frame: beside its equations in numpy, in chunks of any size, and where it is offline."""

import itertools

import numpy as np
import pytest

from dsp_sep import STFT, run
from dsp_sep.iterate import pour
from dsp_sep.phase import RTISILA, GriffinLim, MagnitudeRatio, MixtureFirstMISI, MixturePhase, OnlineMISI, ZeroPhase
from dsp_sep.phase.online import mirrored_envelopes
from tests.cases import magnitudes, separation, stft
from tests.checks import distance
from tests.each import marked

N_FFT, HOP = 32, 8


def cut(array, seed):
    """The frames of an array in chunks of random sizes, of few kinds as each is compiled."""
    sizes = np.random.default_rng(seed).choice((1, 2, 5), array.shape[-1])
    edges = np.minimum([0, *np.cumsum(sizes)], array.shape[-1])
    return [array[..., a:b] for a, b in itertools.pairwise(edges) if a < b]


def separate(stream, mixture, A, seed):
    chunks = zip(cut(mixture, seed), cut(A, seed), strict=True)
    return np.concatenate(list(pour(stream, chunks, stream.init(A.shape[:-2], A.dtype))), axis=-1)


def invert(stream, A, seed):
    return np.concatenate(list(pour(stream, cut(A, seed), stream.init(A.shape[:-2], A.dtype))), axis=-1)


def by_equations(A, first, project, iterations, look_ahead, of_newest=None):
    """All frames open one after the other, in the time domain, with the window and its normalised dual.

    The newest frame has windows of its own at the first iteration and at later ones, or that of the others.
    """
    window = np.hanning(N_FFT + 1)[:-1]
    dual = window / np.tile(np.sum((window**2).reshape(-1, HOP), axis=0), N_FFT // HOP)
    frames = A.shape[-1]
    S = np.zeros(A.shape, complex)

    def signal(last):
        x = np.zeros((*A.shape[:-2], (frames - 1) * HOP + N_FFT))
        for t in range(last + 1):
            x[..., t * HOP : t * HOP + N_FFT] += dual * np.fft.irfft(S[..., t])
        return x

    for newest in range(frames):
        S[..., newest] = first(newest)
        for iteration in range(iterations):
            x = signal(newest)
            for t in range(max(0, newest - look_ahead), newest + 1):
                own = of_newest[min(iteration, 1)] if t == newest and of_newest else window
                S[..., t] = project(np.fft.rfft(own * x[..., t * HOP : t * HOP + N_FFT]), t)
    return S


@pytest.mark.parametrize("look_ahead", marked({"0": 0, "1": 1, "3": 3}, always={"3"}))
def test_online_misi_by_its_equations(look_ahead, x64):
    mixture, A = separation()

    def project(S, t):
        S = S + (mixture[..., t] - S.sum(0)) / len(S)
        return A[..., t] * S / abs(S)

    expected = by_equations(A, lambda t: A[..., t] * np.exp(1j * np.angle(mixture[..., t])), project, 3, look_ahead)
    stream = OnlineMISI(stft(), iterations=3, look_ahead=look_ahead)
    assert stream.latency == look_ahead * HOP
    assert distance(separate(stream, mixture, A, 0), expected) < 1e-9


def test_rtisi_la_by_its_equations(x64):
    A = magnitudes()

    def project(S, t):
        size = abs(S)
        return A[..., t] * np.where(size > 0, S / np.where(size > 0, size, 1), 1)

    share = np.hanning(N_FFT + 1)[:-1] ** 2 / 1.5
    left, empty = np.zeros(N_FFT), np.zeros(N_FFT)
    for k in range(HOP, N_FFT, HOP):
        left[: N_FFT - k] += share[k:]  # what older frames leave in the newest one's place
        empty[k:] += share[: N_FFT - k]
    windows = empty, empty + share
    both = mirrored_envelopes(stft(), np.float64)
    for ours, theirs, weights in zip(both, windows, (left, left + share), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-12)
        np.testing.assert_allclose((weights * theirs)[1:], (weights * theirs)[:0:-1], atol=1e-12)
    expected = by_equations(A, lambda t: 0, project, 4, 2, windows)
    assert distance(invert(RTISILA(stft(), iterations=4, look_ahead=2), A, 0), expected) < 1e-9


def test_chunks_may_have_any_size():
    mixture, A = (array.astype(kind) for array, kind in zip(separation(), (np.complex64, np.float32), strict=True))
    stream = OnlineMISI(stft(), mixture_weight=MagnitudeRatio(1.0), look_ahead=2)
    whole, rest = stream.push(stream.init(A.shape[:-2]), (mixture, A))
    assert rest.shape[-1] == A.shape[-1] - 2
    expected = np.concatenate([rest, stream.flush(whole)], axis=-1)
    assert expected.dtype == np.complex64
    for seed in range(2):
        assert distance(separate(stream, mixture, A, seed), expected) < 1e-5


@pytest.mark.thorough
def test_without_overlap_it_is_offline(x64):
    transform = STFT(n_fft=16, hop=16, window="rectangular", centered=False)
    sources = np.random.default_rng(0).standard_normal((3, 2, 96))
    spectra = np.asarray(transform.analyze(sources))
    mixture, A = spectra.sum(0), abs(spectra) * np.exp(0.3 * np.random.default_rng(1).standard_normal(spectra.shape))
    for iterations in (1, 4):
        offline = run(MixtureFirstMISI(transform, start=MixturePhase()), (mixture, A), iterations).output
        assert (
            distance(separate(OnlineMISI(transform, iterations=iterations, look_ahead=0), mixture, A, 0), offline)
            < 1e-10
        )
    alone = run(GriffinLim(transform, start=ZeroPhase()), A, 2).output
    assert distance(invert(RTISILA(transform, iterations=2, look_ahead=0), A, 0), alone) < 1e-10


def test_without_iterations_it_is_the_start(x64):
    mixture, A = separation()
    stream = OnlineMISI(stft(), iterations=0, look_ahead=3)
    assert distance(separate(stream, mixture, A, 1), A * np.exp(1j * np.angle(mixture))) < 1e-12


def test_looking_ahead_helps():
    rng = np.random.default_rng(0)
    spectra = np.asarray(stft().analyze(rng.standard_normal((3, 1, 400)).astype(np.float32)))
    mixture, A = spectra.sum(0), abs(spectra)

    def error(iterations, look_ahead):
        stream = OnlineMISI(stft(), iterations=iterations, look_ahead=look_ahead)
        return distance(np.concatenate(list(pour(stream, [(mixture, A)], stream.init(A.shape[:-2]))), axis=-1), spectra)

    assert error(5, 3) < error(5, 0) < error(0, 0)


def test_what_is_refused():
    with pytest.raises(ValueError, match="RTISILA: look_ahead must be at least 0, got -1"):
        RTISILA(stft(), look_ahead=-1)

"""Structured models by their equations, their descent on music, and what they are made for."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep import run
from dsp_sep.nmf import (
    NMF,
    Beta,
    Convolutive,
    Convolutive2D,
    Harmonic,
    ItakuraSaito,
    KullbackLeibler,
    Restarts,
    SourceFilter,
    Structured,
    harmonic_combs,
    pitches,
    smooth_shapes,
)
from tests.checks import distance
from tests.nmf.spectrogram import music

KEY = jax.random.key(0)
FREQUENCIES = music().shape[0]


def models():
    fundamentals = pitches(200.0, 800.0, 3)
    combs = harmonic_combs(fundamentals, 8000.0, 2 * FREQUENCIES - 2, bands=3)
    voice = harmonic_combs(fundamentals, 8000.0, 2 * FREQUENCIES - 2, bands=1, power=2.0)[:, 0]
    return (
        (Convolutive(components=3, length=4), KullbackLeibler()),
        (Convolutive2D(components=2, length=3, shifts=4), Beta(0.5)),
        (Harmonic(combs + 1e-3), Beta(0.5)),
        (
            SourceFilter(combs=voice, shapes_of_filters=smooth_shapes(FREQUENCIES, 6), filters=3, components=4),
            ItakuraSaito(),
        ),
    )


@pytest.mark.thorough
def test_objective_never_rises_on_music():
    """In single precision; for double see the table of cases."""

    @jax.jit
    def trace(algorithm, V):
        return run(algorithm, V, 150, key=KEY, record=Structured.objective).trace

    V = music(silent=True).astype(np.float32)
    for model, divergence in models():
        values = np.asarray(trace(Structured(model, divergence=divergence), V), float)
        assert np.all(np.diff(values) <= 3e-6 * np.abs(values[:-1])), type(model).__name__
        assert values[-1] < 0.85 * values[0]


def test_source_filter_is_its_equation(x64):
    model = models()[-1][0]
    rng = np.random.default_rng(0)
    factors = {name: rng.random(shape) for name, shape in model.shapes(FREQUENCIES, 9).items()}
    source = np.asarray(model.combs) @ factors["pitches"]
    filters = np.asarray(model.shapes_of_filters) @ factors["filters"] @ factors["choices"]
    expected = source * filters + factors["dictionary"] @ factors["activations"]
    assert distance(model(jax.tree.map(jnp.asarray, factors)), expected) < 1e-12


def test_harmonic_is_its_equation_and_its_updates_those_by_hand(x64):
    """The update of the envelopes written out as by Vincent, Bertin and Badeau (2010)."""
    (model, _), beta = models()[2], 0.5
    rng = np.random.default_rng(0)
    V = music(frames=30)
    E, H = (rng.random(shape) + 0.1 for shape in model.shapes(*V.shape).values())
    algorithm = Structured(model, divergence=Beta(beta))
    after = run(algorithm, V, 1, state={"envelopes": E, "activations": H}).output
    P = np.asarray(model.combs)

    def parts(E):
        W = np.einsum("fmk,mk->fk", P, E)
        return W, V * (W @ H) ** (beta - 2), (W @ H) ** (beta - 1)

    _, negative, positive = parts(E)
    ratio = np.einsum("fmk,fn,kn->mk", P, negative, H) / np.einsum("fmk,fn,kn->mk", P, positive, H)
    E = E * ratio ** (1 / (2 - beta))
    W, negative, positive = parts(E)
    H = H * ((W.T @ negative) / (W.T @ positive)) ** (1 / (2 - beta))
    assert distance((after["envelopes"], after["activations"]), (E, H)) < 1e-10


def test_combs_are_what_a_hann_window_shows_of_partials():
    rate, n_fft, fundamental = 8000.0, 256, 437.0
    window = np.hanning(n_fft + 1)[:-1]
    time = np.arange(n_fft) / rate
    comb = harmonic_combs(np.asarray([fundamental]), rate, n_fft, bands=1)[:, 0, 0]
    for harmonic in range(1, 9):
        tone = abs(np.fft.rfft(window * np.exp(2j * np.pi * harmonic * fundamental * time).real)) / (n_fft / 4)
        near = abs(np.arange(n_fft // 2 + 1) - harmonic * fundamental * n_fft / rate) < 1.9
        np.testing.assert_allclose(comb[near], tone[near], atol=2e-3)
    bands = harmonic_combs(np.asarray([fundamental]), rate, n_fft, bands=5)
    np.testing.assert_allclose(bands.sum(1)[:, 0], comb, atol=1e-12)
    np.testing.assert_allclose(smooth_shapes(50, 7).sum(1), 1)
    np.testing.assert_allclose(pitches(55.0, 880.0), 55 * 2 ** (np.arange(49) / 12))


def test_harmonic_finds_the_notes(x64):
    fundamentals = pitches(200.0, 800.0)
    combs = harmonic_combs(fundamentals, 8000.0, 1024, bands=4)
    rng = np.random.default_rng(0)
    played = np.zeros((fundamentals.size, 40))
    played[3, :20], played[10, 10:], played[15, 5:30] = 1.0, 0.7, 0.5
    envelope = rng.uniform(0.3, 1, (4, fundamentals.size))
    V = np.einsum("fmk,mk->fk", combs, envelope) @ played + 1e-4
    factors = run(Structured(Harmonic(combs), divergence=Beta(0.5)), V, 300, key=KEY).output
    loudness = np.asarray(factors["activations"] * factors["envelopes"].sum(0)[:, None])
    assert sorted(np.argsort(loudness.sum(1))[-3:]) == [3, 10, 15]
    assert loudness[3, :20].mean() > 50 * loudness[3, 25:].mean()


@pytest.mark.thorough
def test_convolutive_needs_one_component_for_a_pattern(x64):
    rng = np.random.default_rng(0)
    pattern, onsets = rng.gamma(0.5, 1, (5, 20)), np.zeros(80)
    onsets[[3, 17, 40, 62]] = [1.0, 0.6, 0.8, 1.2]
    V = sum(np.outer(pattern[t], np.roll(onsets, t)) for t in range(5)) + 1e-6
    model = Convolutive(components=1, length=5)
    factors = run(Restarts(Structured(model), 5), V, 200, key=KEY).output
    assert distance(model(factors), V) < 0.05
    one = run(NMF(components=1), V, 500, key=KEY).output
    assert distance(one.dictionary @ one.activations, V) > 0.3


def test_what_is_refused():
    def message(function):
        with pytest.raises(ValueError) as error:
            function()
        return str(error.value)

    V = music(frames=10).astype(np.float32)
    harmonic = Structured(Harmonic(np.ones((5, 2, 3))))
    assert "combs have shape (5, 2, 3), expected (33, bands" in message(lambda: run(harmonic, V[:33], 1, key=KEY))
    voice = Structured(SourceFilter(combs=np.ones((5, 2)), shapes_of_filters=np.ones((5, 2))))
    assert "SourceFilter: combs has shape (5, 2), expected (33, any)" in message(lambda: run(voice, V[:33], 1, key=KEY))
    plain = Structured(Convolutive(components=1, length=2))
    assert "Structured: a random start needs a key" in message(lambda: run(plain, V, 1))
    assert "Structured(Convolutive): the spectrogram has shape" in message(lambda: run(plain, V[0], 1, key=KEY))
    assert "Convolutive: components and length" in message(lambda: Convolutive(components=1, length=0))
    assert "Convolutive2D: components, length and" in message(lambda: Convolutive2D(components=1, length=1, shifts=0))
    assert "fundamentals must be a list of Hz" in message(lambda: harmonic_combs(np.asarray([9e3]), 8000.0, 64))
    assert "smooth_shapes: shapes must be at least 2" in message(lambda: smooth_shapes(10, 1))

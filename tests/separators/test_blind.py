from itertools import permutations

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.separators import ByOracle, Chunked, learn_blind, side_by_side, stft_for
from dsp_sep.separators.clustering import k_means, timbre

RATE = 8000
KEY = jax.random.key(0)


def duo():
    """A bass of three notes and a shaker, `(2, 1, samples)`."""
    rng, time = np.random.default_rng(0), np.arange(RATE // 4) / RATE
    notes = [sum(np.sin(2 * np.pi * f * k * time) / k for k in range(1, 8)) for f in (110, 130, 165)]
    bass = np.concatenate([notes[i] * np.exp(-6 * time) for i in rng.integers(0, 3, 16)])
    noise = np.diff(rng.normal(size=bass.size + 4), 4)
    shaker = noise * np.exp(-30 * (np.arange(bass.size) % 1500) / RATE)
    return np.stack([bass / bass.std(), shaker / shaker.std()])[:, None].astype(np.float32) * 0.1


def test_two_instruments_are_found():
    sources = duo()
    mixture = sources.sum(0)
    separator = learn_blind(stft_for(RATE), mixture[None], RATE, sources=2, key=KEY, components=4, steps=100)
    assert separator.names == ("source_1", "source_2") and sum(separator.components) == 8
    stems = np.asarray(separator(jnp.asarray(mixture)))
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=1e-6)
    ratios = [
        min(
            10 * np.log10(np.square(s).sum() / np.square(s - stems[i]).sum())
            for s, i in zip(sources, order, strict=True)
        )
        for order in permutations(range(2))
    ]
    assert max(ratios) > 8
    truth = np.stack([side_by_side(stft_for(RATE), source[None]) for source in sources])
    known = learn_blind(
        stft_for(RATE), mixture[None], RATE, sources=2, key=KEY, components=4, steps=100, grouping=ByOracle(truth)
    )
    error = np.square(known(jnp.asarray(mixture)) - sources).sum()
    assert error < 1.01 * min(np.square(sources[list(order)] - stems).sum() for order in permutations(range(2)))

    chunked = Chunked(separator, size=4096, context=512, fade=128)(mixture)
    np.testing.assert_allclose(chunked[..., :-512], stems[..., :-512], rtol=0, atol=1e-5)


def test_sources_are_numbered_from_the_loudest():
    sources = duo() * np.array([[[0.2]], [[1.0]]], np.float32)
    separator = learn_blind(stft_for(RATE), sources.sum(0)[None], RATE, sources=2, key=KEY, components=4, steps=50)
    first, second = np.square(separator(jnp.asarray(sources.sum(0)))).sum((1, 2))
    assert first > second


@pytest.mark.thorough
def test_silence_is_no_error():
    separator = learn_blind(stft_for(RATE), np.zeros((1, 1, 4000), np.float32), RATE, sources=3, key=KEY, steps=5)
    stems = separator(jnp.zeros((1, 4000)))
    assert stems.shape == (3, 1, 4000) and not stems.any()


def test_fewer_than_one_source_are_refused():
    with pytest.raises(ValueError, match="sources must be at least 1"):
        learn_blind(stft_for(RATE), np.zeros((1, 1, 4000), np.float32), RATE, sources=0, key=KEY)


def test_timbre_does_not_depend_on_the_level():
    W = jnp.asarray(np.random.default_rng(0).random((129, 5)), jnp.float32)
    frequencies = np.linspace(0, 4000, 129)
    np.testing.assert_allclose(timbre(W * 1e3, frequencies), timbre(W, frequencies), rtol=0, atol=1e-3)
    assert timbre(W, frequencies).shape == (5, 12)
    assert np.isfinite(timbre(jnp.zeros((129, 2)), frequencies)).all()


def test_k_means_finds_the_least_spread_there_is():
    points = np.random.default_rng(1).normal(size=(9, 2)).astype(np.float32)
    labels = np.asarray(k_means(jnp.asarray(points), 2, key=KEY))

    def spread(labels):
        return sum(np.square(points[labels == c] - points[labels == c].mean(0)).sum() for c in set(labels.tolist()))

    every = [np.array([(code >> i) & 1 for i in range(9)]) for code in range(1, 2**8)]
    assert spread(labels) == pytest.approx(min(map(spread, every)), rel=1e-5)


@pytest.mark.parametrize(
    ("rate", "n_fft"), [(8000, 512), (16000, 1024), (44100, 2048), (48000, 2048), (96000, 4096), (1, 64)]
)
def test_resolution_follows_the_rate(rate, n_fft):
    assert (stft_for(rate).n_fft, stft_for(rate).hop) == (n_fft, n_fft // 4)

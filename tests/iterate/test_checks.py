"""Values are checked under checkify, and cost nothing elsewhere."""

import jax
import numpy as np
import pytest
from jax.experimental import checkify

from dsp_sep import STFT, run
from dsp_sep.nmf import NMF
from dsp_sep.phase import MISI

KEY = jax.random.key(0)


def factorized(V):
    return run(NMF(components=2), V, 2, key=KEY).output


def separated(mixture, magnitudes):
    return run(MISI(STFT(n_fft=8, hop=2)), (mixture, magnitudes), 2).output


def with_value(shape, value):
    array = np.ones(shape, np.float32)
    array[..., 1, 2] = value
    return array


@pytest.mark.parametrize(
    ("value", "words"), [(-1.0, "must not be negative, got -1.0"), (np.nan, "must be finite, got 1")]
)
def test_a_bad_value_is_named(value, words):
    error, _ = checkify.checkify(jax.jit(factorized))(with_value((5, 6), value))
    with pytest.raises(checkify.JaxRuntimeError, match=f"NMF: the spectrogram {words}"):
        error.throw()


def test_the_mixture_and_the_magnitudes_are_told_apart():
    mixture, magnitudes = np.ones((1, 5, 6), np.complex64), np.ones((2, 1, 5, 6), np.float32)
    checked = checkify.checkify(separated)
    checked(mixture, magnitudes)[0].throw()
    with pytest.raises(checkify.JaxRuntimeError, match="MISI: the mixture must be finite"):
        checked(with_value(mixture.shape, np.inf).astype(np.complex64), magnitudes)[0].throw()
    with pytest.raises(checkify.JaxRuntimeError, match="MISI: magnitudes must not be negative"):
        checked(mixture, with_value(magnitudes.shape, -0.5))[0].throw()


def test_it_costs_nothing_unless_asked_for():
    text = jax.jit(factorized).lower(np.ones((5, 6), np.float32)).compile().as_text()
    assert "is-finite" not in text

from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.iterate import pour
from dsp_sep.masking.hpss import HPSS
from dsp_sep.pytree import node
from dsp_sep.separators import Chunked, HarmonicPercussive, classic
from dsp_sep.transforms import STFT

STFT_64 = STFT(n_fft=64, hop=16)
RNG = np.random.default_rng(0)
MIXTURE = RNG.normal(size=(2, 5000)).astype(np.float32)
SMALL = {"size": 1024, "context": 128, "fade": 64}
SEPARATORS = {
    "harmonic-percussive": HarmonicPercussive(STFT_64, mask=HPSS(frames=5, bins=5)),
    "supervised": classic(
        STFT_64, jnp.asarray(RNG.random((3, 33, 2)), jnp.float32), names=("a", "b", "c"), rate=8000, inversions=0
    ),
}


@pytest.mark.parametrize("name", SEPARATORS)
def test_chunks_are_the_whole_but_for_its_end(name):
    separator = SEPARATORS[name]
    whole, chunked = separator(jnp.asarray(MIXTURE)), Chunked(separator, **SMALL)(MIXTURE)
    assert chunked.shape == whole.shape and chunked.dtype == np.float32
    end = MIXTURE.shape[-1] - SMALL["context"]
    np.testing.assert_allclose(chunked[..., :end], whole[..., :end], rtol=0, atol=3e-6)


@pytest.mark.parametrize("name", SEPARATORS)
@pytest.mark.parametrize("samples", [1, 30, 703, 704, 1023, 1024, 1025, 1728, 5000])
def test_stems_sum_to_the_mixture_at_every_length(name, samples):
    mixture = MIXTURE[:, :samples]
    stems = Chunked(SEPARATORS[name], **SMALL)(mixture)
    assert stems.shape == (len(SEPARATORS[name].names), 2, samples)
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=3e-6)


def test_how_the_input_is_cut_does_not_matter():
    chunked = Chunked(SEPARATORS["harmonic-percussive"], **SMALL)
    expected = chunked(MIXTURE)
    for cuts in ([], [0, 1, 2, 3000], [1024, 2048, 3072], range(100, 5000, 100)):
        pieces = np.split(MIXTURE, list(cuts), axis=-1)
        np.testing.assert_array_equal(np.concatenate(list(pour(chunked, pieces, chunked.init(2))), -1), expected)


def test_output_lags_by_no_more_than_the_latency():
    chunked = Chunked(SEPARATORS["harmonic-percussive"], **SMALL)
    state, lags, taken, given = chunked.init(2), [], 0, 0
    for sample in np.split(MIXTURE, 5000 // 8, axis=-1):
        state, stems = chunked.push(state, sample)
        taken, given = taken + 8, given + stems.shape[-1]
        lags.append(taken - given)
    assert chunked.latency - 8 <= max(lags) <= chunked.latency


@node
class Remembering:
    """A separator that counts how often it is traced, and tells sides of a chunk apart by its stems."""

    traces: ClassVar[list] = []

    @property
    def names(self):
        return ("one", "two")

    def __call__(self, mixture):
        return self._separate(mixture)

    @staticmethod
    @jax.jit
    def _separate(mixture):
        Remembering.traces.append(mixture.shape)
        share = jnp.linspace(0, 1, mixture.shape[-1])[None]
        return jnp.stack([share * mixture, (1 - share) * mixture])


def test_one_shape_is_compiled_whatever_the_lengths():
    chunked = Chunked(Remembering(), **SMALL)
    for samples in (10, 1024, 5000):
        chunked(MIXTURE[:, :samples])
    assert Remembering.traces == [(2, 1024)]


def test_chunks_fade_along_a_straight_line():
    stem = Chunked(Remembering(), **SMALL)(np.ones((1, 5000), np.float32))[0, 0]
    advance = 1024 - 2 * 128 - 64
    before, after = (advance + 127) / 1023, 128 / 1023
    np.testing.assert_allclose(stem[advance + 127], before, rtol=1e-5)
    np.testing.assert_allclose(stem[advance + 128 + 64], after + 64 / 1023, rtol=1e-5)
    assert np.ptp(np.diff(stem[advance + 128 : advance + 128 + 64])) < 1e-5
    assert np.abs(np.diff(stem)).max() < 1.2 * (before - after) / 64


def test_silence_and_nothing():
    chunked = Chunked(SEPARATORS["supervised"], **SMALL)
    assert not chunked(np.zeros((1, 3000), np.float32)).any()
    assert chunked(np.zeros((1, 0), np.float32)).shape == (3, 1, 0)


def test_options_and_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="at least twice context and fade"):
        Chunked(Remembering(), size=100, context=40, fade=11)
    chunked = Chunked(Remembering(), **SMALL)
    with pytest.raises(ValueError, match=r"expected \(2, samples\), got \(1, 10\)"):
        chunked.push(chunked.init(2), np.zeros((1, 10)))

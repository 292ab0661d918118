import numpy as np
import pytest
import soundfile

from dsp_sep.cli.methods import PIECES, SAMPLES, SECONDS, excerpts, in_chunks, voice
from dsp_sep.data import Reader
from dsp_sep.separators import HarmonicPercussive, stft_for

from .conftest import RATE


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_chunks_are_whole_hops_in_bounded_memory(rate, channels):
    separator = HarmonicPercussive(stft_for(rate))
    chunked = in_chunks(separator, separator.stft.hop, channels)
    assert chunked.advance % separator.stft.hop == 0
    assert chunked.context >= separator.mask.frames // 2 * separator.stft.hop + separator.stft.n_fft
    assert chunked.size * channels <= max(SAMPLES, 12 * 16 * separator.stft.hop * channels)
    stretched = in_chunks(separator, separator.stft.hop, channels, stretch=0.1)
    assert stretched.size == pytest.approx(0.1 * chunked.size, rel=0.02)


@pytest.mark.thorough
def test_voice_and_accompaniment_are_the_file(song):
    method = voice()
    with Reader(song) as file:
        mixture, chunked = file.read(0, file.samples), method.prepare(file)
    assert method.names == chunked.names and chunked.separator.mask.distance == RATE // chunked.separator.stft.hop
    np.testing.assert_allclose(chunked(mixture).sum(0), mixture, rtol=0, atol=1e-6)


def test_excerpts_are_spread_over_the_file(tmp_path):
    ramp = np.arange(PIECES * round(SECONDS * RATE) + 1000, dtype=np.float32) / 2**20
    soundfile.write(tmp_path / "long.wav", ramp, RATE, subtype="FLOAT")
    with Reader(tmp_path / "long.wav") as file:
        pieces = excerpts(file)
        assert pieces.shape == (PIECES, 1, round(SECONDS * RATE))
        assert pieces[0, 0, 0] == ramp[0] and pieces[-1, 0, -1] == ramp[-1]
        assert np.ptp(np.diff(pieces[:, 0, 0])) <= 2 / 2**20


def test_all_of_a_short_file_is_one_excerpt(song):
    with Reader(song) as file:
        np.testing.assert_array_equal(excerpts(file), file.read(0, file.samples)[None])

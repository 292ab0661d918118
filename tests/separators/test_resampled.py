import jax.numpy as jnp
import numpy as np
import pytest

from dsp_sep.masking.hpss import HPSS
from dsp_sep.separators import HarmonicPercussive, Resampled, stft_for

MASK = HPSS(frames=9, bins=9)


@pytest.mark.parametrize("rate", [8000, 11025, 48000])
def test_stems_sum_to_the_mixture_at_its_own_rate(rate):
    mixture = np.random.default_rng(0).normal(size=(2, 9001)).astype(np.float32)
    separator = Resampled(HarmonicPercussive(stft_for(16000), mask=MASK), rate=rate, inner_rate=16000)
    stems = separator(mixture)
    assert separator.names == ("harmonic", "percussive") and stems.shape == (2, 2, 9001) and stems.dtype == np.float32
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=2e-6)


def test_it_is_the_separator_where_nothing_is_lost():
    def tone(rate):
        return np.sin(2 * np.pi * 440 * np.arange(rate) / rate)[None].astype(np.float32)

    inner = HarmonicPercussive(stft_for(8000), mask=MASK)
    stems = Resampled(inner, rate=16000, inner_rate=8000)(tone(16000))[..., ::2]
    middle = slice(1000, -1000)
    np.testing.assert_allclose(stems[..., middle], inner(jnp.asarray(tone(8000)))[..., middle], rtol=0, atol=2e-3)


def test_what_is_lost_goes_to_the_louder_stem():
    time = np.arange(16000) / 16000
    held = np.sin(2 * np.pi * 440 * time) + np.sin(2 * np.pi * 7000 * time)  # the second is beyond the inner rate
    separator = Resampled(HarmonicPercussive(stft_for(8000), mask=MASK), rate=16000, inner_rate=8000)
    stems = separator(held[None].astype(np.float32))
    spectrum = abs(np.fft.rfft(stems[:, 0]))
    assert spectrum[0, 7000] > 100 * spectrum[1, 7000]
    assert not separator(np.zeros((1, 16000), np.float32)).any()

import jax.numpy as jnp
import numpy as np

from dsp_sep.masking import RepetSim
from dsp_sep.metrics import si_sdr
from dsp_sep.separators import VoiceAccompaniment
from dsp_sep.transforms import STFT

RATE = 8000


def sources():
    """A bar of four chords that comes back six times, and a voice that glides over it, `(2, 1, samples)`."""
    time = np.arange(RATE // 4) / RATE
    chords = [sum(np.sin(2 * np.pi * f * n * time) for n in (4, 5, 6)) for f in (55, 73, 49, 65)]
    accompaniment = np.tile(np.concatenate(chords), 6)
    time = np.arange(accompaniment.size) / RATE
    pitch = 400 + 150 * np.sin(2 * np.pi * 0.37 * time) + 60 * np.sin(2 * np.pi * 1.3 * time)
    angle = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = sum(np.sin(k * angle) / k for k in range(1, 5)) * (np.sin(2 * np.pi * 0.6 * time) > -0.3)
    return np.stack([accompaniment, 1.5 * voice])[:, None].astype(np.float32) / 10


def test_a_voice_is_told_from_what_comes_back():
    truth = jnp.asarray(sources())
    mixture = truth.sum(0)
    separator = VoiceAccompaniment(STFT(n_fft=512, hop=128), mask=RepetSim(distance=20))
    assert separator.names == ("accompaniment", "voice")
    stems = separator(mixture)
    np.testing.assert_allclose(stems.sum(0), mixture, rtol=0, atol=1e-6)
    better = si_sdr(truth, stems) - si_sdr(truth, jnp.broadcast_to(mixture, truth.shape))
    assert better.min() > 4

"""Golden arrays of librosa's harmonic/percussive separation: `python make_hpss.py` with librosa writes hpss.npz.

The spectrogram is that of two channels of held tones and clicks, with a stretch of digital silence, in double
precision. `lengths` are (frames, bins) of the median filters.
"""

from importlib.metadata import version
from pathlib import Path

import librosa
import numpy as np

LENGTHS = ((31, 31), (5, 17))


def main() -> None:
    rng = np.random.default_rng(0)
    time = np.arange(2400) / 8000
    tones = sum(np.sin(2 * np.pi * f * time + rng.uniform(0, 6)) / f for f in (220, 440, 700, 1310))
    clicks = (rng.uniform(size=(2, time.size)) > 0.998) * rng.normal(size=(2, time.size)) * 0.01
    signal = rng.uniform(0.3, 1, (2, 1)) * tones + clicks + 1e-5 * rng.normal(size=(2, time.size))
    signal[:, 1400:1900] = 0
    magnitude = abs(librosa.stft(signal, n_fft=128, hop_length=32, pad_mode="constant"))
    golden = {"magnitude": magnitude, "lengths": np.array(LENGTHS), "librosa": np.array(version("librosa"))}
    for index, (frames, bins) in enumerate(LENGTHS):
        masks = librosa.decompose.hpss(magnitude, kernel_size=(frames, bins), power=2.0, margin=1.0, mask=True)
        golden[f"masks_{index}"] = np.stack(masks)
    np.savez_compressed(Path(__file__).with_name("hpss.npz"), **golden)


if __name__ == "__main__":
    main()

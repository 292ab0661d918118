"""Griffin-Lim and its fast form by librosa and torchaudio, stored in griffin_lim.npz."""

import librosa
import numpy as np
import torch
import torchaudio
from archive import save

SAMPLES = 801
N_FFT = 128
HOP = 32
MOMENTA = (0.0, 0.5, 0.99)
ITERATIONS = (1, 2, 16)
SEED = 0


def chirps(rng):
    """Three chirps and a little noise, so that no magnitude is zero."""
    time = np.arange(SAMPLES) / SAMPLES
    pairs = ((40.0, 60.0), (150.0, -50.0), (260.0, 90.0))
    tones = [np.sin(2 * np.pi * (start * time + 0.5 * slope * time**2)) for start, slope in pairs]
    return sum(tones) + 0.1 * rng.standard_normal(SAMPLES)


def magnitude_of(signal, window, padding):
    spectrogram = librosa.stft(signal, n_fft=N_FFT, hop_length=HOP, window=window, center=True, pad_mode=padding)
    return np.abs(spectrogram)


def start_phase_of_librosa(shape):
    """The phase that librosa draws for `init="random"` from a generator seeded with SEED."""
    return 2 * np.pi * np.random.default_rng(SEED).random(size=shape)


def librosa_waveform(magnitude, window, momentum, iterations):
    return librosa.griffinlim(
        magnitude,
        n_iter=iterations,
        hop_length=HOP,
        n_fft=N_FFT,
        window=window,
        center=True,
        length=SAMPLES,
        pad_mode="constant",
        momentum=momentum,
        init="random",
        rng=np.random.default_rng(SEED),
    )


def librosa_spectrogram(magnitude, phase, window, momentum, iterations):
    """The magnitude with the last phase, which `librosa.griffinlim` inverts and drops: its loop with its own parts."""
    options = {"hop_length": HOP, "n_fft": N_FFT, "window": window, "center": True}
    spectrogram = magnitude * np.exp(1j * phase)
    previous = np.zeros_like(spectrogram)
    for _ in range(iterations):
        signal = librosa.istft(spectrogram, length=SAMPLES, **options)
        consistent = librosa.stft(signal, pad_mode="constant", **options)
        moved = consistent - momentum / (1 + momentum) * previous
        spectrogram = magnitude * moved / np.abs(moved)
        previous = consistent
    return spectrogram, librosa.istft(spectrogram, length=SAMPLES, **options)


def torchaudio_waveform(magnitude, window, momentum, iterations):
    return torchaudio.functional.griffinlim(
        torch.from_numpy(magnitude),
        window=torch.from_numpy(window),
        n_fft=N_FFT,
        hop_length=HOP,
        win_length=N_FFT,
        power=1.0,
        n_iter=iterations,
        momentum=momentum,
        length=SAMPLES,
        rand_init=False,
    ).numpy()


def main():
    signal = chirps(np.random.default_rng(1))
    window = torch.hann_window(N_FFT, dtype=torch.float64).numpy()
    magnitude = magnitude_of(signal, window, "constant")
    phase = start_phase_of_librosa(magnitude.shape)
    reflected = magnitude_of(signal, window, "reflect")
    arrays = {
        "signal": signal,
        "window": window,
        "librosa/magnitude": magnitude,
        "librosa/start_phase": phase,
        "torchaudio/magnitude": reflected,
    }
    cases = []
    for momentum in MOMENTA:
        for iterations in ITERATIONS:
            name = f"librosa/momentum_{momentum}/iterations_{iterations}"
            waveform = librosa_waveform(magnitude, window, momentum, iterations)
            spectrogram, inverted = librosa_spectrogram(magnitude, phase, window, momentum, iterations)
            np.testing.assert_allclose(inverted, waveform, rtol=0, atol=1e-10)
            arrays[f"{name}/waveform"] = waveform
            if iterations == max(ITERATIONS):
                arrays[f"{name}/spectrogram"] = spectrogram
            cases.append(parameters(name, momentum, iterations, "constant"))
        name = f"torchaudio/momentum_{momentum}/iterations_{max(ITERATIONS)}"
        arrays[f"{name}/waveform"] = torchaudio_waveform(reflected, window, momentum, max(ITERATIONS))
        cases.append(parameters(name, momentum, max(ITERATIONS), "reflect"))
    save("griffin_lim", arrays, cases, ["librosa", "torch", "torchaudio"])


def parameters(name, momentum, iterations, padding):
    return {
        "name": name,
        "momentum": momentum,
        "iterations": iterations,
        "n_fft": N_FFT,
        "hop": HOP,
        "padding": padding,
        "length": SAMPLES,
    }


if __name__ == "__main__":
    main()

"""STFT, inverse and gradients of torch, librosa and scipy, stored in stft.npz.

Every case takes one of the two stored signals, keeps its STFT, multiplies it by a gain that no signal has
as its STFT, and keeps the inverse of the product.
"""

import librosa
import numpy as np
import scipy.signal
import torch
from archive import save

SAMPLES = 187
KAISER_BETA = 12.0


def case(name, n_fft, window_length, hop, window, *, signal="real", center=True, padding="constant"):
    return {
        "name": name,
        "signal": signal,
        "n_fft": n_fft,
        "window_length": window_length,
        "hop": hop,
        "window": window,
        "center": center,
        "padding": padding if center else None,
        "onesided": signal == "real",
    }


TORCH_CASES = [
    case("torch_hann", 64, 64, 16, "hann"),
    case("torch_hann_reflect", 64, 64, 32, "hann", padding="reflect"),
    case("torch_hamming_short_window", 64, 48, 20, "hamming"),
    case("torch_blackman_twice_padded", 128, 64, 32, "blackman", padding="reflect"),
    case("torch_kaiser_uneven_hop", 50, 50, 13, "kaiser", padding="reflect"),
    case("torch_sine", 64, 64, 32, "sine"),
    case("torch_odd", 63, 63, 21, "hann"),
    case("torch_odd_window", 64, 47, 16, "hann", padding="reflect"),
    case("torch_uncentered", 64, 64, 16, "hamming", center=False),
    case("torch_blocks", 32, 32, 32, "rectangular", center=False),
    case("torch_complex", 64, 64, 32, "hann", signal="complex"),
    case("torch_complex_reflect", 48, 40, 20, "hamming", signal="complex", padding="reflect"),
]
LIBROSA_CASES = [
    case("librosa_hann", 64, 64, 16, "hann"),
    case("librosa_blackman_short_window", 128, 96, 32, "blackman", padding="reflect"),
    case("librosa_uncentered", 64, 64, 24, "hamming", center=False),
]
SCIPY_CASES = [
    case("scipy_hann", 64, 64, 16, "hann"),
    case("scipy_kaiser", 48, 48, 24, "kaiser"),
]
GRADIENT_CASE = case("gradient", 64, 48, 20, "hann", padding="reflect")


def torch_window(name, length):
    """The periodic window; torch has no sine window, so that one is written out."""
    options = {"dtype": torch.float64}
    windows = {
        "hann": lambda: torch.hann_window(length, **options),
        "hamming": lambda: torch.hamming_window(length, **options),
        "blackman": lambda: torch.blackman_window(length, **options),
        "kaiser": lambda: torch.kaiser_window(length, periodic=True, beta=KAISER_BETA, **options),
        "sine": lambda: torch.sin(torch.pi * (torch.arange(length, **options) + 0.5) / length),
        "rectangular": lambda: torch.ones(length, **options),
    }
    return windows[name]()


def scipy_window(name, length):
    return scipy.signal.get_window(("kaiser", KAISER_BETA) if name == "kaiser" else name, length, fftbins=True)


def torch_stft(signal, window, case):
    return torch.stft(
        signal,
        case["n_fft"],
        hop_length=case["hop"],
        win_length=case["window_length"],
        window=window,
        center=case["center"],
        pad_mode=case["padding"] or "constant",
        onesided=case["onesided"],
        return_complex=True,
    )


def torch_istft(spectrogram, window, case, length):
    return torch.istft(
        spectrogram,
        case["n_fft"],
        hop_length=case["hop"],
        win_length=case["window_length"],
        window=window,
        center=case["center"],
        onesided=case["onesided"],
        length=length,
        return_complex=not case["onesided"],
    )


def inverse_length(case, frames):
    """All samples of the signal, or those under a frame where nothing is padded."""
    return SAMPLES if case["center"] else (frames - 1) * case["hop"] + case["n_fft"]


def gains(rng, spectrogram):
    """A complex gain per frequency and one per frame: their product is no STFT, and DC gets an imaginary part."""
    return [rng.standard_normal(n) + 1j * rng.standard_normal(n) for n in spectrogram.shape[-2:]]


def apply_gains(spectrogram, gain_frequency, gain_frames):
    return spectrogram * gain_frequency[:, None] * gain_frames


def from_torch(case, signals, rng):
    window = torch_window(case["window"], case["window_length"])
    spectrogram = torch_stft(torch.from_numpy(signals[case["signal"]]), window, case)
    gain = gains(rng, spectrogram)
    length = inverse_length(case, spectrogram.shape[-1])
    inverse = torch_istft(apply_gains(spectrogram, *map(torch.from_numpy, gain)), window, case, length)
    return named(case, window.numpy(), spectrogram.numpy(), gain, inverse.numpy())


def from_librosa(case, signals, rng):
    options = {
        "n_fft": case["n_fft"],
        "hop_length": case["hop"],
        "win_length": case["window_length"],
        "window": scipy_window(case["window"], case["window_length"]),
        "center": case["center"],
    }
    spectrogram = librosa.stft(signals[case["signal"]], pad_mode=case["padding"] or "constant", **options)
    gain = gains(rng, spectrogram)
    length = inverse_length(case, spectrogram.shape[-1])
    inverse = librosa.istft(apply_gains(spectrogram, *gain), length=length, **options)
    return named(case, options["window"], spectrogram, gain, inverse)


def from_scipy(case, signals, rng):
    """The same frames as torch's and the few more that touch the signal, from `first_frame` on.

    `phase_shift=None` counts the phase from the first sample of the frame, as torch and librosa do.
    """
    window = scipy_window(case["window"], case["window_length"])
    transform = scipy.signal.ShortTimeFFT(window, case["hop"], fs=1.0, mfft=case["n_fft"], phase_shift=None)
    spectrogram = transform.stft(signals[case["signal"]], padding="zeros")
    gain = gains(rng, spectrogram)
    inverse = transform.istft(apply_gains(spectrogram, *gain), k1=SAMPLES)
    return named(case, window, spectrogram, gain, inverse) | {
        f"{case['name']}/first_frame": np.float64(transform.p_min),
        f"{case['name']}/dual_window": transform.dual_win,
    }


def named(case, window, spectrogram, gain, inverse):
    gain_frequency, gain_frames = gain
    arrays = {
        "window": window,
        "spectrogram": spectrogram,
        "gain_frequency": gain_frequency,
        "gain_frames": gain_frames,
        "inverse": inverse,
    }
    return {f"{case['name']}/{key}": array for key, array in arrays.items()}


def torch_gradients(signals, rng):
    """Of `sum(weights |STFT|^2)`, first channel, and of `sum(weights iSTFT^2)`; a complex one is dL/dRe + i dL/dIm."""
    case = GRADIENT_CASE
    window = torch_window(case["window"], case["window_length"]).requires_grad_()
    signal = torch.from_numpy(signals["real"][0]).requires_grad_()
    spectrogram = torch_stft(signal, window, case)
    weights = torch.from_numpy(rng.standard_normal(spectrogram.shape))
    analysis = torch.autograd.grad((weights * spectrogram.abs() ** 2).sum(), (signal, window))

    operand = torch.from_numpy(rng.standard_normal((*spectrogram.shape, 2))).view(torch.complex128)[..., 0]
    operand.requires_grad_()
    inverse = torch_istft(operand, window, case, SAMPLES)
    inverse_weights = torch.from_numpy(rng.standard_normal(inverse.shape))
    synthesis = torch.autograd.grad((inverse_weights * inverse**2).sum(), (operand, window))
    return {
        "gradient/window": window.detach().numpy(),
        "gradient/stft_weights": weights.numpy(),
        "gradient/stft_by_signal": analysis[0].numpy(),
        "gradient/stft_by_window": analysis[1].numpy(),
        "gradient/istft_operand": operand.detach().numpy(),
        "gradient/istft_weights": inverse_weights.numpy(),
        "gradient/istft_by_operand": synthesis[0].numpy(),
        "gradient/istft_by_window": synthesis[1].numpy(),
    }


def main():
    rng = np.random.default_rng(0)
    real = rng.standard_normal((2, SAMPLES))
    signals = {"real": real, "complex": rng.standard_normal((2, SAMPLES)) + 1j * rng.standard_normal((2, SAMPLES))}
    arrays = {f"signal/{name}": signal for name, signal in signals.items()}
    for cases, compute in ((TORCH_CASES, from_torch), (LIBROSA_CASES, from_librosa), (SCIPY_CASES, from_scipy)):
        for entry in cases:
            arrays |= compute(entry, signals, rng)
    arrays |= torch_gradients(signals, rng)
    cases = [*TORCH_CASES, *LIBROSA_CASES, *SCIPY_CASES, GRADIENT_CASE]
    save("stft", arrays, cases, ["torch", "librosa", "scipy"])


if __name__ == "__main__":
    main()

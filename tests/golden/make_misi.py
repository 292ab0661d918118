"""MISI in both orders, by asteroid-filterbanks and by its equations, stored in misi.npz.

Spectrograms are (sources, channels, frequency, frames), waveforms (sources, channels, samples), with one channel.
`X` is the mixture, `A` the wanted magnitudes, `S` the sources, `weights` the share of the error that each takes.
"""

import numpy as np
import torch
from archive import save
from asteroid_filterbanks.griffin_lim import misi as asteroid_misi

SOURCES = 3
SAMPLES = 187
N_FFT = 48
HOP = 16
ITERATIONS = (1, 2, 5, 20)
WINDOW = torch.hann_window(N_FFT, dtype=torch.float64)
GIVEN_WEIGHTS = np.array([0.5, 0.3, 0.2])[:, None, None, None]


def analyze(waveforms):
    """Torch's STFT of the last axis: centred, padded with zeros, periodic Hann window."""
    flat = torch.from_numpy(waveforms.reshape(-1, SAMPLES))
    spectrogram = torch.stft(flat, N_FFT, HOP, window=WINDOW, center=True, pad_mode="constant", return_complex=True)
    return spectrogram.numpy().reshape(*waveforms.shape[:-1], *spectrogram.shape[-2:])


def synthesize(spectrograms):
    flat = torch.from_numpy(spectrograms.reshape(-1, *spectrograms.shape[-2:]))
    waveforms = torch.istft(flat, N_FFT, HOP, window=WINDOW, center=True, length=SAMPLES)
    return waveforms.numpy().reshape(*spectrograms.shape[:-2], SAMPLES)


def project_consistent(S):
    return analyze(synthesize(S))


def project_mixture(S, X, weights):
    return S + weights * (X - S.sum(axis=0))


def project_magnitude(S, A):
    return A * S / np.abs(S)


def uniform(A):
    return np.full((SOURCES, 1, 1, 1), 1 / SOURCES)


def magnitude_ratio(A):
    return A / A.sum(axis=0)


def given(A):
    return GIVEN_WEIGHTS


def misi(X, A, weights, iterations):
    """Gunawan and Sen (2010): consistency, magnitude, mixture; the answer sums to the mixture."""
    S = project_magnitude(np.broadcast_to(X, A.shape), A)
    for _ in range(iterations):
        S = project_mixture(project_magnitude(project_consistent(S), A), X, weights)
    return S


def mixture_first_misi(X, A, weights, iterations):
    """Consistency, mixture, magnitude, from an equal share of the mixture; the answer has the wanted magnitudes."""
    S = np.broadcast_to(X / SOURCES, A.shape)
    for _ in range(iterations):
        S = project_magnitude(project_mixture(project_consistent(S), X, weights), A)
    return S


def asteroid_mixture_first(x, X, A, weights, iterations):
    """The waveforms of asteroid's `misi`, here in torch's STFT instead of its own filterbank.

    It starts at A with the phase of X, which `mixture_first_misi` reaches in its first iteration.
    The weights are scaled up since asteroid adds 1e-8 to their sum.
    """

    def encode(waveforms):
        spectrogram = torch.from_numpy(analyze(waveforms.numpy()))
        return torch.cat([spectrogram.real, spectrogram.imag], dim=-2)

    def decode(stacked):
        real, imaginary = torch.chunk(stacked, 2, dim=-2)
        return torch.from_numpy(synthesize(torch.complex(real, imaginary).numpy()))

    waveforms = asteroid_misi(
        torch.from_numpy(x),
        torch.from_numpy(A[None, :, 0]),
        encode,
        angles=torch.from_numpy(np.broadcast_to(np.angle(X), A.shape)[None, :, 0].copy()),
        istft_dec=decode,
        n_iter=iterations - 1,
        src_weights=1e10 * torch.from_numpy(weights[None, :, 0, 0]),
    )
    return waveforms.numpy()[0, :, None]


def wanted_magnitudes(sources, rng):
    """The true magnitudes with a log-normal error, so that no iteration has a common point of all constraints."""
    magnitudes = np.abs(analyze(sources))
    return magnitudes * np.exp(0.3 * rng.standard_normal(magnitudes.shape))


def main():
    rng = np.random.default_rng(0)
    sources = rng.standard_normal((SOURCES, 1, SAMPLES))
    x = sources.sum(axis=0)
    X, A = analyze(x), wanted_magnitudes(sources, rng)
    arrays = {"mixture_waveform": x, "mixture": X, "magnitudes": A, "window": WINDOW.numpy()}
    cases = []
    for order in (misi, mixture_first_misi):
        for weights in (uniform, magnitude_ratio):
            for iterations in ITERATIONS:
                name = f"{order.__name__}/{weights.__name__}/iterations_{iterations}"
                arrays[f"{name}/sources"] = order(X, A, weights(A), iterations)
                cases.append(parameters(name, order.__name__, weights.__name__, iterations))
    for weights in (uniform, given):
        for iterations in ITERATIONS:
            name = f"asteroid/{weights.__name__}/iterations_{iterations}"
            waveforms = asteroid_mixture_first(x, X, A, weights(A), iterations)
            equations = synthesize(mixture_first_misi(X, A, weights(A), iterations))
            np.testing.assert_allclose(equations, waveforms, rtol=0, atol=1e-10)
            arrays[f"{name}/waveforms"] = waveforms
            cases.append(parameters(name, "mixture_first_misi", weights.__name__, iterations))
    arrays["given_weights"] = GIVEN_WEIGHTS
    save("misi", arrays, cases, ["torch", "asteroid-filterbanks"])


def parameters(name, algorithm, weights, iterations):
    return {
        "name": name,
        "algorithm": algorithm,
        "weights": weights,
        "iterations": iterations,
        "n_fft": N_FFT,
        "hop": HOP,
        "length": SAMPLES,
    }


if __name__ == "__main__":
    main()

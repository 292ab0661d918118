"""Unfold MISI into five layers and learn how each of them shares out the error of the mixture.

    python examples/unfold_misi.py

The magnitudes are the true ones with log-normal errors, as a good separator might give them. The layers' mixture
weights and momenta are trained on the first half of the bundled song and judged on the second.
"""

import jax
import jax.numpy as jnp
import optax

import dsp_sep as ds


def problem(stft, song, error: float):
    """The true sources, the mixture's spectrogram, and magnitudes with errors of a standard deviation of `error`."""
    magnitudes = abs(stft.analyze(song.sources))
    noise = jax.random.normal(jax.random.key(0), magnitudes.shape)
    return song.sources, stft.analyze(song.mixture), magnitudes * jnp.exp(error * noise)


def main(depth: int = 5, steps: int = 30, seconds: float = 3.0, error: float = 0.35) -> float:
    stft = ds.STFT(n_fft=2048, hop=512)
    misi = ds.Momentum(ds.phase.MISI(stft, mixture_weight=ds.phase.MagnitudeRatio(1.0)), 0.0)
    learned = ("algorithm.mixture_weight.exponent", "momentum")
    layers = ds.unfold(misi, depth=depth, untied=learned)

    def quality(algorithm, problem):
        sources, X, magnitudes = problem
        S = ds.run(algorithm, (X, magnitudes)).output
        return ds.metrics.si_sdr(sources, stft.synthesize(S, length=sources.shape[-1])).mean()

    def loss(params, problem):
        return -quality(ds.constrain(params, layers), problem)

    known = problem(stft, ds.data.example("learn").excerpt(0, seconds), error)
    unseen = problem(stft, ds.data.example("judge").excerpt(0, seconds), error)
    params = ds.unconstrain(layers, train=learned)
    trained = ds.constrain(ds.training.fit(loss, params, [known] * steps, optax.adam(0.1)).params, layers)

    before, after = quality(layers, unseen), quality(trained, unseen)
    print(f"{depth} layers of MISI on the unseen half: SI-SDR {before:.2f} dB as it is, {after:.2f} dB trained")
    print("exponents of the mixture weights:", trained.layers.algorithm.mixture_weight.exponent.round(2))
    print("momenta:", trained.layers.momentum.round(2))
    return float(after - before)


if __name__ == "__main__":
    main()

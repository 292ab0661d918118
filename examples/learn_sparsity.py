"""Learn the weight of a sparsity penalty by its gradient through the iterations, beside a sweep of the same weight.

    python examples/learn_sparsity.py

Separation by activations of known dictionaries depends on how sparse the activations are made. A sweep tries many
weights, one `vmap` over the algorithm; the gradient finds one for every source, which no sweep can afford.
"""

import jax
import jax.numpy as jnp
import optax

import dsp_sep as ds
from dsp_sep import nmf


def main(components: int = 16, iterations: int = 25, steps: int = 30, seconds: float = 3.0) -> float:
    stft = ds.STFT(n_fft=2048, hop=512)
    known = ds.data.example("learn")
    dictionaries = ds.separators.learn_dictionaries(stft, known.sources, components=components, key=jax.random.key(0))
    sources = len(dictionaries)

    def algorithm(weights):
        """Activations with a sparsity weight for each source, `(sources,)`."""
        penalty = nmf.Sparsity(jnp.repeat(weights, components)[:, None])
        return nmf.Activations(dictionary=nmf.join(dictionaries), divergence=nmf.Euclidean(), penalties=(penalty,))

    def quality(weights, song):
        """SI-SDR in dB of the masked sources, over all of them."""
        true, mixture = song
        X = stft.analyze(mixture)
        model = algorithm(weights)
        H = ds.run(model, abs(X), steps=iterations).output
        masks = ds.masking.RatioMask(1.0)(nmf.parts(model.dictionary, H, (components,) * sources))
        return ds.metrics.si_sdr(true, stft.synthesize(masks * X, length=mixture.shape[-1])).mean()

    learn, judge = known.excerpt(6.7, 6.7 + seconds), ds.data.example("judge").excerpt(0, seconds)
    learn, judge = ((song.sources, song.mixture) for song in (learn, judge))
    sweep = jnp.logspace(-2, 2, 9)
    best = sweep[jnp.argmax(jax.vmap(lambda weight: quality(jnp.full(sources, weight), learn))(sweep))]

    def loss(log_weights, song):
        return -quality(jnp.exp(log_weights), song)

    start = jnp.full(sources, jnp.log(best))
    learned = jnp.exp(ds.training.fit(loss, start, [learn] * steps, optax.adam(0.2)).params)

    none, swept, after = (quality(w, judge) for w in (jnp.zeros(sources), jnp.full(sources, best), learned))
    print(f"unseen half, SI-SDR: {none:.2f} dB without a penalty, {swept:.2f} dB with the best weight of the sweep,")
    print(f"{after:.2f} dB with learned weights", dict(zip(known.names, learned.round(2).tolist(), strict=True)))
    return float(after - none)


if __name__ == "__main__":
    main()

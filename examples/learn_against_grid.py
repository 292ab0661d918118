"""Hyperparameters learned by gradient beside a grid search of the same cost.

    python examples/learn_against_grid.py

Separation with known dictionaries has a sparsity weight, the order of the divergence (beta) and the exponent of the
mask. A grid tries some values of each, in one `vmap`; the gradient through the iterations moves all of them at once, a
weight for every source, and an exponent for every source. Both learn on one excerpt and are judged on the unseen half.
A gradient counts as three runs.
"""

import itertools
import time

import jax
import jax.numpy as jnp
import optax

import dsp_sep as ds
from dsp_sep import nmf

GRADIENT = 3
"""Runs that a gradient costs, about: forward, forward again for the checkpoints, and back."""


def main(components: int = 12, iterations: int = 20, steps: int = 24, seconds: float = 2.0, n_fft: int = 2048) -> float:
    stft = ds.STFT(n_fft=n_fft, hop=n_fft // 4)
    known = ds.data.example("learn")
    dictionaries = ds.separators.learn_dictionaries(stft, known.sources, components=components, key=jax.random.key(0))
    sources = len(dictionaries)
    chain = {
        "activations": nmf.Activations(
            dictionary=nmf.join(dictionaries),
            divergence=nmf.Beta(1.0),
            penalties=(nmf.Sparsity(jnp.full((sources * components, 1), 0.1)),),
        ),
        "mask": ds.masking.RatioMask(jnp.ones((sources, 1, 1, 1))),
    }
    learned = ("activations.penalties.0.weight", "activations.divergence.beta", "mask.exponent")

    def loss(chain, song):
        """Negative SDR in dB, mean over sources."""
        true, mixture = song
        X = stft.analyze(mixture)
        H = ds.run(chain["activations"], abs(X), iterations).output
        masks = chain["mask"](nmf.parts(chain["activations"].dictionary, H, (components,) * sources))
        return ds.training.negative_sdr(true, stft.synthesize(masks * X, length=mixture.shape[-1])).mean()

    learn, judge = known.excerpt(6.7, 6.7 + seconds), ds.data.example("judge").excerpt(0, 4 * seconds)
    learn, judge = ((song.sources, song.mixture) for song in (learn, judge))

    per_axis = max(round((GRADIENT * steps) ** (1 / 3)), 2)
    axes = jnp.geomspace(0.01, 3.0, per_axis), jnp.linspace(0.5, 2.0, per_axis), jnp.linspace(0.7, 2.0, per_axis)
    start = time.perf_counter()
    points = jnp.asarray(list(itertools.product(*axes)))
    at = lambda point: ds.assign(chain, dict(zip(learned, point, strict=True)))  # noqa: E731
    values = jax.lax.map(jax.jit(lambda point: loss(at(point), learn)), points)
    searched = at(points[jnp.argmin(values)])
    grid_seconds = time.perf_counter() - start

    start = time.perf_counter()
    params = ds.unconstrain(chain, train=learned)
    moved = ds.training.fit(
        lambda params, song: loss(ds.constrain(params, chain), song), params, [learn] * steps, optax.adam(0.15)
    )
    trained = ds.constrain(moved.params, chain)
    gradient_seconds = time.perf_counter() - start

    rows = {
        "as it is": (chain, 0, 0.0),
        f"grid search, {per_axis}³": (searched, per_axis**3, grid_seconds),
        "gradient": (trained, GRADIENT * steps, gradient_seconds),
    }
    print("SDR in dB           learned on   unseen half   runs   seconds with compilation")
    found = {}
    for name, (made, runs, took) in rows.items():
        found[name], unseen = -float(loss(made, learn)), -float(loss(made, judge))
        print(f"{name:20s} {found[name]:8.2f} {unseen:13.2f} {runs:8d} {took:9.1f}")
    print(
        "beta:",
        trained["activations"].divergence.beta.round(2),
        "exponents:",
        trained["mask"].exponent.ravel().round(2),
    )
    as_it_is, _, gradient = found.values()
    return gradient - as_it_is


if __name__ == "__main__":
    main()

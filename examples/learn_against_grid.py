"""Hyperparameters learned by gradient beside a grid search of the same cost.

    python examples/learn_against_grid.py [FOLDER]

A separator without a network: activations of known dictionaries, a mask, a consistent Wiener filter. Its
hyperparameters are the weight of a sparsity penalty, the order of the divergence (beta), the exponent of the mask, the
weight of consistency and the length of the window. A grid tries all combinations of some values of each; the gradient
through the iterations moves them together, from where the middle of the grid is, a random excerpt for each step; and
then a penalty for every component and an exponent for every source too, which no grid can search. A gradient counts as
three runs.

The dictionaries are learned from one part of the songs, the hyperparameters from another, and they are judged on a
third: the bundled song in a quarter, a quarter and a half, or FOLDER/train in two halves of its songs and FOLDER/test
(a folder of stems for each song).
"""

import itertools
import sys
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax

import dsp_sep as ds
from dsp_sep import nmf, phase

GRADIENT = 3
"""Runs that a gradient costs, about: forward, forward again for the checkpoints, and back."""
AXES = {
    "activations.penalties.0.weight": (0.03, 0.3, 3.0),
    "activations.divergence.beta": (0.5, 1.0, 1.5),
    "mask.exponent": (0.8, 1.2, 1.8),
    "filter.consistency_weight": (0.1, 1.0, 10.0),
    "filter.stft.window.length": (0.5, 0.75, 1.0),  # of the frame
}


def chain(dictionaries, n_fft: int, per_source: bool = False):
    """The separator with all hyperparameters in the middle of the grid."""
    middle = {name: values[1] for name, values in AXES.items()}
    weight, beta, exponent, consistency, length = middle.values()
    sources, components = len(dictionaries), dictionaries[0].shape[-1]
    stft = ds.STFT(n_fft=n_fft, hop=n_fft // 4, window=ds.transforms.windows.Hann(length * n_fft))
    shape = (sources * components, 1) if per_source else ()
    return {
        "activations": nmf.Activations(
            dictionary=nmf.join(dictionaries),
            divergence=nmf.Beta(beta),
            penalties=(nmf.Sparsity(jnp.full(shape, weight)),),
        ),
        "mask": ds.masking.RatioMask(jnp.full((sources, 1, 1, 1) if per_source else (), exponent)),
        "filter": phase.ConsistentWiener(stft, consistency_weight=consistency),
    }


def separate(separator, mixture, iterations: int, sources: int):
    """Waveforms of the sources, `(sources, channels, samples)`."""
    activations, mask, filter = separator["activations"], separator["mask"], separator["filter"]
    X = filter.stft.analyze(mixture)
    H = ds.run(activations, abs(X), iterations).output
    components = activations.dictionary.shape[-1] // sources
    magnitudes = mask(nmf.parts(activations.dictionary, H, (components,) * sources)) * abs(X)
    S = ds.run(filter, (X, magnitudes), 3).output
    return filter.stft.synthesize(S, length=mixture.shape[-1])


def loss(separator, true, iterations: int):
    """Negative SDR in dB, mean over sources."""
    estimate = separate(separator, jnp.sum(true, axis=0), iterations, true.shape[0])
    return ds.training.negative_sdr(true, estimate, ceiling=30.0).mean()


def material(folder: str | None):
    """Songs for dictionaries, hyperparameters, judgement."""
    if folder is None:
        known, end = ds.data.example("learn"), ds.data.example("learn").sources.shape[-1] / 44100
        return [known.excerpt(0, end / 2)], [known.excerpt(end / 2, end)], [ds.data.example("judge")]
    train, test = (
        [ds.data.read_song(path) for path in ds.data.songs(Path(folder) / part)] for part in ("train", "test")
    )
    return train[::2], train[1::2], test


def cut(songs, seconds: float, count: int, seed: int):
    """Excerpts of the songs in turn."""
    each = -(-count // len(songs))
    pieces = [
        list(ds.training.excerpts(song, seconds=seconds, count=each, seed=seed + k)) for k, song in enumerate(songs)
    ]
    return [piece for turn in zip(*pieces, strict=True) for piece in turn][:count]


def main(
    folder: str | None = None,
    components: int = 12,
    iterations: int = 15,
    per_axis: int = 3,
    excerpts: int = 2,
    seconds: float = 1.0,
    n_fft: int = 2048,
    own: bool = True,
) -> float:
    for_dictionaries, validation, test = material(folder)
    stft = ds.STFT(n_fft=n_fft, hop=n_fft // 4)
    sources = jnp.concatenate([song.sources for song in for_dictionaries], axis=-1)
    dictionaries = ds.separators.learn_dictionaries(stft, sources, components=components, key=jax.random.key(0))
    start, each = chain(dictionaries, n_fft), chain(dictionaries, n_fft, per_source=True)
    judge = cut(test, seconds, max(2 * len(test), 8), seed=100)
    score = jax.jit(partial(loss, iterations=iterations))

    def searched():
        scale = [n_fft if name.endswith("length") else 1 for name in AXES]
        chosen = [jnp.asarray(values[:per_axis]) * unit for values, unit in zip(AXES.values(), scale, strict=True)]
        points = [dict(zip(AXES, point, strict=True)) for point in itertools.product(*chosen)]
        pieces = cut(validation, seconds, excerpts, seed=0)
        values = [sum(float(score(ds.assign(start, point), piece)) for piece in pieces) for point in points]
        return ds.assign(start, points[int(np.argmin(values))]), len(points) * len(pieces)

    def learned(separator, runs):
        steps = runs // GRADIENT
        params = ds.unconstrain(separator, train=tuple(AXES))
        optimizer = optax.adam(optax.cosine_decay_schedule(0.1, steps))
        along = lambda params, true: loss(ds.constrain(params, separator), true, iterations)  # noqa: E731
        moved = ds.training.fit(along, params, cut(validation, seconds, steps, seed=0), optimizer)
        return ds.constrain(moved.params, separator), GRADIENT * steps

    rows = {"the middle of the grid": (start, 0, 0.0)}
    timed(rows, f"grid search, {per_axis}⁵", searched)
    budget = rows[f"grid search, {per_axis}⁵"][1]
    timed(rows, "gradient, the same five", partial(learned, start, budget))
    if own:
        timed(rows, "gradient, penalties and exponents of their own", partial(learned, each, budget))
    return table(rows, score, judge)


def timed(rows, name, search):
    """Add a row (separator, runs, seconds)."""
    begun = time.perf_counter()
    separator, runs = search()
    rows[name] = separator, runs, time.perf_counter() - begun


def table(rows, score, judge) -> float:
    """Print it; what the better of the gradients gains over the grid, in dB."""
    print(f"{'on sound not seen':46s} SDR (dB)   runs   seconds with compilation")
    found = []
    for name, (separator, runs, took) in rows.items():
        found.append(-float(np.mean([score(separator, piece) for piece in judge])))
        print(f"{name:46s} {found[-1]:8.2f} {runs:6d} {took:14.1f}")
        for leaf in ds.pytree.leaves.describe(separator):
            if leaf.name in AXES:
                ends = np.unique(np.asarray(leaf.value))[[0, -1]][: leaf.value.size]
                print(f"    {leaf.name:32s} {' to '.join(f'{end:.3g}' for end in ends)}")
    return max(found[2:]) - found[1]


if __name__ == "__main__":
    main(*sys.argv[1:])

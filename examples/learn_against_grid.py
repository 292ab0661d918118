"""Hyperparameters learned by gradient beside a grid search of the same cost.

    python examples/learn_against_grid.py [FOLDER]

A separator without a network: activations of known dictionaries, a mask, a consistent Wiener filter. Its
hyperparameters are the weight of a sparsity penalty, the order of the divergence (beta), the exponent of the mask, the
weight of consistency and the length of the window. A grid tries all combinations of some values of each; the gradient
through the iterations moves them together, from where the middle of the grid is, a random excerpt for each step; and
then a penalty for every component and an exponent for every source too, which no grid can search. A gradient counts as
five runs.

The dictionaries are learned from one part of the songs, the hyperparameters from another, and they are judged on a
third: the bundled song in a quarter, a quarter and a half, or FOLDER/train in two halves of its songs and FOLDER/test
(a folder of stems for each song). The table, all numbers and a manifest go to the folder of this name.
"""

import itertools
import json
import sys
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from study import page

import dsp_sep as ds
from dsp_sep import nmf, phase
from dsp_sep.training.record import Manifest

HERE = Path(__file__).with_suffix("")
GRADIENT = 5
"""Runs that a gradient costs, in time, as measured on a processor."""
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
    seconds: float = 0.6,
    n_fft: int = 2048,
    own: bool = True,
    out: Path | None = None,
) -> float:
    """What the better of the gradients gains over the grid, in dB; with `out`, what is kept goes there."""
    setting = {name: value for name, value in locals().items() if name not in ("folder", "out")}
    if out:
        out.mkdir(exist_ok=True)
        (out / "manifest.json").unlink(missing_ok=True)
    manifest = Manifest(out, {"songs": Path(folder).name if folder else "the bundled one", "setting": setting})
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

    middle, grid, same = "the middle of the grid", f"grid search, {per_axis}⁵", "gradient, the same five"
    searches = {middle: lambda: (start, 0), grid: searched, same: lambda: learned(start, rows[grid]["runs"])}
    if own:
        searches["gradient, penalties and exponents of their own"] = lambda: learned(each, rows[grid]["runs"])
    rows = {}
    for name, search in searches.items():
        begun = time.process_time()
        separator, runs = search()
        found = {"runs": runs, "seconds": round(time.process_time() - begun, 1), "hyperparameters": chosen(separator)}
        rows[name] = found | {"SDR": [round(-float(score(separator, piece)), 3) for piece in judge]}
        print(f"{found['seconds']:6.1f} s  {name}: {np.mean(rows[name]['SDR']):.2f} dB on sound not seen", flush=True)
    text = table(rows, grid)
    print(text)
    if out:
        keep(out, text, rows)
    manifest.write()
    return max(float(np.mean(row["SDR"])) for row in list(rows.values())[2:]) - float(np.mean(rows[grid]["SDR"]))


def chosen(separator) -> dict[str, list[float]]:
    """The hyperparameters by name, the least and the largest where sources or components have their own."""
    leaves = {leaf.name: np.asarray(leaf.value) for leaf in ds.pytree.leaves.describe(separator)}
    return {
        name: [float(f"{end:.3g}") for end in np.unique(leaves[name])[[0, -1]][: leaves[name].size]] for name in AXES
    }


def table(rows, grid: str) -> str:
    """It in Markdown."""
    above = {name: page.difference(row["SDR"], rows[grid]["SDR"]) for name, row in rows.items() if name != grid}
    header = ["", "SDR, dB", "above the grid", "runs", *(name.split(".", 1)[1] for name in AXES)]
    lines = [
        [name, f"{np.mean(row['SDR']):.2f}", above.get(name, ""), str(row["runs"])]
        + [" to ".join(map(str, row["hyperparameters"][axis])) for axis in AXES]
        for name, row in rows.items()
    ]
    return page.table(header, lines)


def keep(out: Path, text: str, rows) -> None:
    """A page and the numbers."""
    excerpts = len(next(iter(rows.values()))["SDR"])
    (out / "results.json").write_text(json.dumps(rows, indent=1) + "\n")
    (out / "README.md").write_text(
        "# Hyperparameters by gradient against a grid\n\n"
        "Made by `python examples/learn_against_grid.py`; all numbers are in `results.json` (seconds are the "
        f"processor's), what made them in `manifest.json`. SDR on {excerpts} excerpts of sound that neither "
        "dictionaries nor hyperparameters have seen; in brackets the 95 % interval of the difference over excerpts "
        "(Student's t), and in how many it is positive. A gradient counts as five runs. A window longer than the frame "
        "(2048 samples) is cut off at both ends.\n\n" + text
    )


if __name__ == "__main__":
    main(*sys.argv[1:], out=HERE)

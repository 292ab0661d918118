"""Gradients through iterations beside the gradient of the fixed point: error, time and memory by number of iterations.

    python examples/implicit_against_unrolled.py [--quick]

- Activations of known dictionaries; the loss is how far each source's part of the model is from the truth, the gradient
  by dictionary and sparsity weight: task-driven dictionary learning.
- Consistent Wiener filtering of magnitudes with errors; the loss is how far the sources are from the truth, the
  gradient by the weight of consistency and the window.
- EM with priors (without them it has no isolated solution) on magnitudes with errors; the gradient by noise and priors.
- Griffin-Lim has no isolated fixed point, so that only ways through its iterations are there.

The error is that to the gradient at convergence, of far more iterations; for Griffin-Lim that to `Plain` of as many.
Results, a page and (with matplotlib) a picture go to the folder of this name; what is there is not done again.
"""

import sys
import time
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from study.page import table
from study.pictures import picture
from study.store import Store

import dsp_sep as ds
from dsp_sep import nmf, phase, spatial
from dsp_sep.iterate import GMRES, Neumann

NEVER = ds.RelativeChange(1e-15)
HERE = Path(__file__).with_suffix("")
QUICK = {"problems": ("activations",), "counts": (10, 200), "converged": 4000, "seconds": 0.05, "n_fft": 128}


def ways(count, solver):
    """Name, gradient object, whether it goes on until a rule holds; `solver` makes one for a number of iterations."""
    yield "plain", ds.Plain(), False
    yield "checkpointed", ds.Checkpointed(), False
    yield "nested", ds.Checkpointed(max(round(count**0.5), 1)), False
    yield "last 10", ds.Truncated(10), False
    yield "one step", ds.OneStep(), False
    if solver:
        yield "implicit", ds.Implicit(solver(count)), True


def gradient(algorithm, data, loss, count, way, until):
    """The gradient by the algorithm, compiled: a function, and the temporary memory it needs, in MB."""

    def value(algorithm, data):
        if until:
            result = ds.run_until(algorithm, data, NEVER, max_steps=count, gradient=way)
        else:
            result = ds.run(algorithm, data, count, gradient=way)
        return loss(algorithm, result.output)

    compiled = jax.jit(jax.grad(value, allow_int=True)).lower(algorithm, data).compile()
    return compiled, compiled.memory_analysis().temp_size_in_bytes / 1e6


def difference(found, expected):
    norm = lambda trees: np.sqrt(sum(np.sum(np.abs(leaf) ** 2) for leaf in trees))  # noqa: E731
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    return float(norm([a - b for a, b in zip(found, expected, strict=True)]) / norm(expected))


def study(algorithm, data, loss, counts, converged, solver):
    """Rows of (iterations, way, error, seconds, MB)."""
    expected, rows = None, []
    if solver:
        run, _ = gradient(algorithm, data, loss, converged, ds.Implicit(solver(converged)), True)
        expected = run(algorithm, data)
    for count in counts:
        for label, way, until in ways(count, solver):
            function, memory = gradient(algorithm, data, loss, count, way, until)
            found = jax.block_until_ready(function(algorithm, data))
            start = time.perf_counter()
            jax.block_until_ready(function(algorithm, data))
            seconds = time.perf_counter() - start
            if label == "plain" and not solver:
                expected = found
            rows.append((count, label, difference(found, expected), seconds, memory))
    return rows


def activations(song, stft, components):
    known = ds.data.example("learn").excerpt(0, min(30 * song.sources.shape[-1] / song.rate, 6.7))
    dictionaries = ds.separators.learn_dictionaries(
        stft, known.sources, components=components, steps=50, key=jax.random.key(0)
    )
    magnitudes = jnp.asarray(abs(stft.analyze(song.sources))[:, 0], float)
    algorithm = nmf.Activations(dictionary=jnp.asarray(nmf.join(dictionaries), float), penalties=(nmf.Sparsity(1.0),))

    def loss(algorithm, H):
        parts = nmf.parts(algorithm.dictionary, H[None], (components,) * len(dictionaries))[:, 0]
        return jnp.mean((parts - magnitudes) ** 2)

    return algorithm, jnp.asarray(abs(stft.analyze(song.mixture))[0], float), loss, partial(Neumann, 1e-12)


def wiener(song, stft, components):
    sources = jnp.asarray(stft.analyze(song.sources[:, :1]), complex)
    errors = np.exp(0.35 * np.random.default_rng(0).standard_normal(sources.shape))
    loss = lambda algorithm, S: jnp.mean(jnp.abs(S - sources) ** 2)  # noqa: E731
    return (
        phase.ConsistentWiener(stft),
        (jnp.sum(sources, axis=0), jnp.abs(sources) * errors),
        loss,
        lambda count: GMRES(1e-12),
    )


def em(song, stft, components):
    sources = jnp.asarray(stft.analyze(song.sources), complex)
    errors = np.exp(0.35 * np.random.default_rng(0).standard_normal(sources.shape))
    loss = lambda algorithm, S: jnp.mean(jnp.abs(S - sources) ** 2)  # noqa: E731
    algorithm = spatial.EM(noise=0.1, isotropy=3.0, faith=10.0)
    return algorithm, (jnp.sum(sources, axis=0), jnp.abs(sources) * errors), loss, partial(Neumann, 1e-12)


def griffin_lim(song, stft, components):
    target = jnp.asarray(stft.analyze(song.sources[3, 0]), complex)
    loss = lambda algorithm, S: jnp.mean(jnp.abs(S - target) ** 2)  # noqa: E731
    return phase.GriffinLim(stft, start=phase.ZeroPhase()), jnp.abs(target), loss, None


PROBLEMS = {"activations": activations, "consistent Wiener": wiener, "EM": em, "Griffin-Lim": griffin_lim}


def paint(figure, results):
    """Error, time and memory over iterations, a line for each way, a row for each problem."""
    axes = figure.subplots(len(results), 3, squeeze=False)
    for line, (problem, rows) in zip(axes, results.items(), strict=True):
        for axis, column, title in zip(line, (2, 3, 4), ("relative error", "seconds", "memory (MB)"), strict=True):
            for label in dict.fromkeys(row[1] for row in rows):
                own = [row for row in rows if row[1] == label]
                axis.loglog([row[0] for row in own], [row[column] for row in own], marker="o", label=label)
            axis.set(xlabel="iterations", title=f"{problem}: {title}")
        line[0].legend()


def page(results):
    """The tables in Markdown."""
    header = ("iterations", "way", "relative error", "seconds", "temporary memory (MB)")
    parts = ["# Implicit against unrolled gradients\n\nMade by `python examples/implicit_against_unrolled.py`.\n"]
    for problem, rows in results.items():
        shown = [(str(n), way, f"{error:.1e}", f"{seconds:.3f}", f"{mb:.2f}") for n, way, error, seconds, mb in rows]
        parts.append(f"## {problem[0].upper()}{problem[1:]}\n\n{table(header, shown)}")
    return "\n".join(parts)


def main(
    folder=HERE, problems=tuple(PROBLEMS), counts=(10, 30, 100, 300, 1000), converged=20_000, seconds=0.05, n_fft=256
) -> float:
    """What is kept in the folder; how much more memory than `Implicit` the iterations need, `Checkpointed`."""
    song, stft = ds.data.example("learn").excerpt(6.7, 6.7 + seconds), ds.STFT(n_fft=n_fft, hop=n_fft // 4)
    folder.mkdir(exist_ok=True)
    about = {"counts": counts, "converged": converged, "seconds": seconds, "n_fft": n_fft, "jax": jax.__version__}
    store, results = Store(folder / "results.json", about), {}
    for name in problems:
        made = PROBLEMS[name]

        def do(made=made):
            with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
                algorithm, data, loss, solver = made(song, stft, 2)
                most = {wiener: max(counts), em: 5 * max(counts)}.get(made, converged)
                return study(algorithm, data, loss, counts, most, solver)

        results[name] = store.once(name, do)
    (folder / "README.md").write_text(page(results))
    picture(folder / "results.png", (12, 4 * len(results)), lambda figure: paint(figure, results))
    last = {row[1]: row for row in results["activations"] if row[0] == counts[-1]}
    return last["checkpointed"][4] / last["implicit"][4] - 1


if __name__ == "__main__":
    main(**({"folder": HERE.with_name("quick"), **QUICK} if "--quick" in sys.argv else {}))

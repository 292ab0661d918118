"""Gradients through iterations beside the gradient of the fixed point: error, time and memory by number of iterations.

    python examples/implicit_against_unrolled.py [--quick]

- Activations of known dictionaries; the loss is how far each source's part of the model is from the truth, the gradient
  by dictionary and sparsity weight: task-driven dictionary learning.
- Consistent Wiener filtering of magnitudes with errors; the loss is how far the sources are from the truth, the
  gradient by the weight of consistency and the window.
- EM with priors (without them it has no isolated solution) on magnitudes with errors; the gradient by noise and priors.
  Two sources, at the frequencies where they are about as loud: EM comes ever slower to what is hardly heard.
- Griffin-Lim has no isolated fixed point, so that only ways through its iterations are there.

The error is that to the gradient at convergence, of far more iterations; for Griffin-Lim that to `Plain` of as many.
A program through all iterations is for one number of them, one for the last iterations or the last state is for any:
most of the time goes into compiling, two programs at a time. `Implicit` solves its linear equation to the end,
however few the iterations were.
Results, a page and (with matplotlib) a picture go to the folder of this name; what is there is not done again.
"""

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

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


class Problem(NamedTuple):
    """What is differentiated: `loss(algorithm, output)` of the algorithm on the data.

    `solver` is of the linear equation of `Implicit`, none where there is no fixed point. `stride`: of the numbers of
    iterations, each so-manieth has a program of its own that goes through all of them; they take long to compile.
    """

    algorithm: Any
    data: Any
    loss: Callable[[Any, jax.Array], jax.Array]
    solver: Neumann | GMRES | None
    stride: int = 1


def through_all(count):
    """Ways through all iterations: a program is for one number of them."""
    even = [every for every in range(1, count + 1) if count % every == 0]
    yield "plain", ds.Plain()
    yield "checkpointed", ds.Checkpointed()
    yield "nested", ds.Checkpointed(min(even, key=lambda every: abs(every - count**0.5)))


def at_the_end(solver):
    """Ways that look at the last iterations, or at the last state: a program is for any number of them."""
    yield "last 10", ds.Truncated(10)
    yield "one step", ds.OneStep()
    if solver:
        yield "implicit", ds.Implicit(solver)


def lowered(problem, way, count):
    """The gradient by the algorithm as a function of it, the data and, if not for one count alone, the iterations."""

    def value(algorithm, data, steps):
        if count:
            result = ds.run(algorithm, data, count, gradient=way)
        else:
            before = steps - getattr(way, "last", 1)
            result = ds.run_until(algorithm, data, NEVER, max_steps=before, gradient=way)
        return problem.loss(algorithm, result.output)

    return jax.jit(jax.grad(value, allow_int=True)).lower(problem.algorithm, problem.data, 0)


def compiled(problem, counts):
    """The programs by (way, count), the count being none where one program serves all."""
    ways = [(label, count, way) for count in counts[:: problem.stride] for label, way in through_all(count)]
    ways += [(label, None, way) for label, way in at_the_end(problem.solver)]
    with ThreadPoolExecutor(2) as threads:
        made = {(label, count): threads.submit(lowered(problem, way, count).compile) for label, count, way in ways}
    return {key: program.result() for key, program in made.items()}


def timed(function, *arguments):
    """The answer, and the least seconds it took in a fifth of a second of calls, the first being warming up."""
    taken = []
    while len(taken) < 2 or sum(taken) < 0.2:
        start = time.perf_counter()
        answer = jax.block_until_ready(function(*arguments))
        taken.append(time.perf_counter() - start)
    return answer, min(taken)


def difference(found, expected):
    norm = lambda trees: np.sqrt(sum(np.sum(np.abs(leaf) ** 2) for leaf in trees))  # noqa: E731
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    return float(norm([a - b for a, b in zip(found, expected, strict=True)]) / norm(expected))


def study(problem, counts, converged):
    """Rows of (iterations, way, error, seconds, MB)."""
    programs, rows = compiled(problem, counts), []
    operands = problem.algorithm, problem.data
    expected = programs["implicit", None](*operands, converged) if problem.solver else None
    for count in counts:
        for (label, only), program in programs.items():
            if only not in (None, count):
                continue
            found, seconds = timed(program, *operands, count)
            if label == "plain" and not problem.solver:
                expected = found
            memory = program.memory_analysis().temp_size_in_bytes / 1e6
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

    V = jnp.asarray(abs(stft.analyze(song.mixture))[0], float)
    return Problem(algorithm, V, loss, GMRES(1e-10, max_restarts=200))


def wiener(song, stft, components):
    sources = jnp.asarray(stft.analyze(song.sources[:2, :1]), complex)
    return Problem(phase.ConsistentWiener(stft), *with_errors(sources), Neumann(1e-8), stride=2)


def em(song, stft, components):
    guitar_and_vocals = ds.data.example("learn").excerpt(6.8, 6.9).sources[2:]
    sources = jnp.asarray(stft.analyze(guitar_and_vocals), complex)
    levels = np.mean(abs(np.asarray(sources)) ** 2, axis=(1, 3))
    alike = np.sort(np.argsort(abs(np.log(levels[0] / levels[1])))[:8])
    algorithm = spatial.EM(noise=1e-3, isotropy=0.3, faith=1.0)
    return Problem(algorithm, *with_errors(sources[:, :, alike]), GMRES(1e-10), stride=2)


def griffin_lim(song, stft, components):
    target = jnp.asarray(stft.analyze(song.sources[3, 0]), complex)
    loss = lambda algorithm, S: jnp.mean(jnp.abs(S - target) ** 2)  # noqa: E731
    return Problem(phase.GriffinLim(stft, start=phase.ZeroPhase()), jnp.abs(target), loss, None, stride=2)


def with_errors(sources):
    """The mixture and magnitudes with errors as data, and the loss, how far the sources are from the truth."""
    errors = np.exp(0.35 * np.random.default_rng(0).standard_normal(sources.shape))
    loss = lambda algorithm, S: jnp.mean(jnp.abs(S - sources) ** 2)  # noqa: E731
    return (jnp.sum(sources, axis=0), jnp.abs(sources) * errors), loss


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
                return study(made(song, stft, 2), counts, converged)

        results[name] = store.once(name, do)
    (folder / "README.md").write_text(page(results))
    picture(folder / "results.png", (12, 4 * len(results)), lambda figure: paint(figure, results))
    last = {row[1]: row for row in results["activations"] if row[0] == counts[-1]}
    return last["checkpointed"][4] / last["implicit"][4] - 1


if __name__ == "__main__":
    main(**({"folder": HERE.with_name("quick"), **QUICK} if "--quick" in sys.argv else {}))

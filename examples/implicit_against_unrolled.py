"""Gradients through iterations beside the gradient of the fixed point: error, time and memory by number of iterations.

    python examples/implicit_against_unrolled.py

Activations of known dictionaries, the loss how far each source's part of the model is from the truth, its gradient by
dictionary and sparsity weight: task-driven dictionary learning. The error is that to the gradient at convergence, found
by 20 times as many iterations as the most in the table: multiplicative updates are slow, and no gradient is better than
the state it is taken at. Griffin-Lim has no isolated fixed point, so that only ways through its iterations are there,
and their error is that to `Plain` of as many. With matplotlib the table becomes a picture too.
"""

import time

import jax
import jax.numpy as jnp
import numpy as np

import dsp_sep as ds
from dsp_sep import nmf, phase

NEVER = ds.RelativeChange(1e-15)


def ways(count):
    """Name, gradient object, whether it goes on until a rule holds."""
    yield "plain", ds.Plain(), False
    yield "checkpointed", ds.Checkpointed(), False
    yield "nested", ds.Checkpointed(max(round(count**0.5), 1)), False
    yield "last 10", ds.Truncated(10), False
    yield "one step", ds.OneStep(), False
    yield "implicit", ds.Implicit(ds.iterate.Neumann(1e-10, count)), True


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


def study(name, algorithm, data, loss, counts, fixed_point):
    """Rows (problem, iterations, way, error, seconds, MB)."""
    expected, rows = None, []
    if fixed_point:
        most = 20 * max(counts)
        expected = gradient(algorithm, data, loss, most, ds.Implicit(ds.iterate.Neumann(1e-13, most)), True)[0](
            algorithm, data
        )
    for count in counts:
        for label, way, until in ways(count):
            if until and not fixed_point:
                continue
            function, memory = gradient(algorithm, data, loss, count, way, until)
            found = jax.block_until_ready(function(algorithm, data))
            start = time.perf_counter()
            jax.block_until_ready(function(algorithm, data))
            seconds = time.perf_counter() - start
            if label == "plain" and not fixed_point:
                expected = found
            rows.append((name, count, label, difference(found, expected), seconds, memory))
            print(f"{name:12s} {count:5d} {label:13s} {rows[-1][3]:9.1e} {seconds:8.3f} s {memory:9.2f} MB")
    return rows


def plot(rows, path):
    """Error, time and memory over iterations, a line for each way, a row of pictures for each problem."""
    import matplotlib.pyplot as plt

    problems = list(dict.fromkeys(row[0] for row in rows))
    _, axes = plt.subplots(len(problems), 3, figsize=(12, 4 * len(problems)), squeeze=False, layout="constrained")
    for line, problem in zip(axes, problems, strict=True):
        for axis, column, title in zip(line, (3, 4, 5), ("relative error", "seconds", "memory (MB)"), strict=True):
            for label in dict.fromkeys(row[2] for row in rows if row[0] == problem):
                own = [row for row in rows if row[:3:2] == (problem, label)]
                axis.loglog([row[1] for row in own], [row[column] for row in own], marker="o", label=label)
            axis.set(xlabel="iterations", title=f"{problem}: {title}")
        line[0].legend()
    plt.savefig(path)


def main(counts=(10, 30, 100, 300, 1000), seconds=0.5, components=2, picture="implicit_against_unrolled.png") -> float:
    song = ds.data.example("learn").excerpt(6.7, 6.7 + seconds)
    stft = ds.STFT(n_fft=512, hop=256)
    print("problem  iterations  way           error to the limit, time and memory of a gradient")
    dictionaries = ds.separators.learn_dictionaries(
        stft, ds.data.example("learn").sources, components=components, steps=50, key=jax.random.key(0)
    )
    with jax.enable_x64(True), jax.numpy_dtype_promotion("standard"):
        magnitudes = jnp.asarray(abs(stft.analyze(song.sources))[:, 0], float)
        V = jnp.asarray(abs(stft.analyze(song.mixture))[0], float)
        W = jnp.asarray(nmf.join(dictionaries), float)
        activations = nmf.Activations(dictionary=W, penalties=(nmf.Sparsity(1.0),))

        def error(algorithm, H):
            parts = nmf.parts(algorithm.dictionary, H[None], (components,) * len(dictionaries))[:, 0]
            return jnp.mean((parts - magnitudes) ** 2)

        rows = study("activations", activations, V, error, counts, fixed_point=True)
        inversion = phase.GriffinLim(stft, start=phase.ZeroPhase())
        target = jnp.asarray(stft.analyze(song.sources[3, 0]), complex)
        spectral = lambda algorithm, S: jnp.mean(jnp.abs(S - target) ** 2)  # noqa: E731
        rows += study("Griffin-Lim", inversion, abs(target), spectral, counts[: max(len(counts) - 3, 1)], False)
    if picture:
        try:
            plot(rows, picture)
        except ImportError:
            print("no picture: matplotlib is not installed")
    last = {row[2]: row for row in rows if row[:2] == ("activations", counts[-1])}
    return last["checkpointed"][5] / last["implicit"][5] - 1


if __name__ == "__main__":
    main()

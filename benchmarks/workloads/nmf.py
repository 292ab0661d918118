"""NMF, W first: one iteration of it, many spectrograms at once, and the gradient through all iterations."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload
from . import reference
from .stft import hann

DIVERGENCES = {
    0: ds.nmf.ItakuraSaito,
    0.5: partial(ds.nmf.Beta, 0.5),
    1: ds.nmf.KullbackLeibler,
    2: ds.nmf.Euclidean,
}
BATCH = 16
"""Spectrograms that are factorised at once."""


class Factorization(NamedTuple):
    """Magnitudes `V` `(frequency, frames)`, a start `W` `(frequency, components)`, `H` `(components, frames)`.

    In a batch there is an axis before these.
    """

    V: np.ndarray
    W: np.ndarray
    H: np.ndarray
    beta: float
    steps: int

    def each(self) -> "list[Factorization]":
        """The items of a batch."""
        return [self._replace(V=V, W=W, H=H) for V, W, H in zip(self.V, self.W, self.H, strict=True)]


class Learning(NamedTuple):
    """A factorisation with β = 1, and the `target` that its model is to come near in the mean square."""

    V: np.ndarray
    W: np.ndarray
    H: np.ndarray
    target: np.ndarray
    steps: int


def factorization(size: Size, *, beta: float) -> Factorization:
    V = _magnitude(size, size.seconds, seed=0)
    return Factorization(V, *_start(V, size.components), beta, size.nmf_steps)


def batch(size: Size) -> Factorization:
    V = [_magnitude(size, size.gradient_seconds, seed) for seed in range(BATCH)]
    W, H = zip(*(_start(one, size.components) for one in V), strict=True)
    return Factorization(np.stack(V), np.stack(W), np.stack(H), 1, size.nmf_steps)


def learning(size: Size) -> Learning:
    V = _magnitude(size, size.gradient_seconds, seed=0)
    target = _magnitude(size, size.gradient_seconds, seed=1)
    return Learning(V, *_start(V, size.components), target, size.gradient_steps)


def _magnitude(size: Size, seconds: float, seed: int) -> np.ndarray:
    spectra = reference.stft(melody(size.rate, seconds, seed), hann(size.n_fft), size.hop)
    return np.ascontiguousarray(np.abs(spectra).T.astype(np.float32))


def _start(V: np.ndarray, components: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    scale = 2 * np.sqrt(V.mean() / components)
    W, H = (scale * rng.uniform(0.01, 1, shape) for shape in ((V.shape[0], components), (components, V.shape[1])))
    return W.astype(np.float32), H.astype(np.float32)


# --- dsp_sep


def factorize(problem: Factorization) -> Program:
    return _run(ds.nmf.NMF(**_given(problem), divergence=DIVERGENCES[problem.beta]()), problem)


def factorize_each(problem: Factorization) -> Callable[[], tuple[np.ndarray, ...]]:
    """The items of a batch one after the other."""
    programs = [factorize(one) for one in problem.each()]
    function = jax.jit(programs[0].function)
    arguments = [jax.device_put(program.arguments) for program in programs]

    def call() -> tuple[np.ndarray, ...]:
        return tuple(map(np.stack, zip(*(function(*one) for one in arguments), strict=True)))

    return call


def factorize_mapped(problem: Factorization) -> Program:
    """The items of a batch one after the other in one program: all iterations of one, then those of the next."""

    def one(item: tuple[Array, Array, Array]) -> tuple[Array, Array]:
        program = factorize(problem._replace(**dict(zip("VWH", item, strict=True))))
        return program.function(*program.arguments)

    return Program(lambda *batch: lax.map(one, batch), (problem.V, problem.W, problem.H))


def hals(problem: Factorization) -> Program:
    return _run(ds.nmf.HALS(**_given(problem)), problem)


def accelerated_hals(problem: Factorization) -> Program:
    repeats = ds.nmf.accelerated_repeats(*problem.V.shape, problem.W.shape[1], alpha=0.5)
    return _run(ds.nmf.HALS(**_given(problem), repeats=repeats), problem)


def _given(problem: Factorization) -> dict[str, Any]:
    start = ds.nmf.Given(dictionary=problem.W, activations=problem.H)
    return {"components": problem.W.shape[-1], "start": start}


def _run(algorithm: ds.nmf.NMF | ds.nmf.HALS, problem: Factorization) -> Program:
    return Program(lambda nmf, V: tuple(ds.run(nmf, V, problem.steps).output), (algorithm, problem.V))


def learn(problem: Learning, *, gradient: ds.Checkpointed | ds.Plain) -> Program:
    def loss(start: tuple[Array, Array], V: Array, target: Array) -> Array:
        given = ds.nmf.Given(dictionary=start[0], activations=start[1])
        nmf = ds.nmf.NMF(components=problem.W.shape[1], divergence=ds.nmf.KullbackLeibler(), start=given)
        W, H = ds.run(nmf, V, problem.steps, gradient=gradient).output
        return jnp.mean((ds.numerics.matmul(W, H) - target) ** 2)

    return Program(jax.value_and_grad(loss), ((problem.W, problem.H), problem.V, problem.target))


# --- floors: the matrix products alone


def products(problem: Factorization) -> Program:
    """Those of each iteration: two with β = 2 and two small ones, four with β = 1, six with others."""

    def iteration(carry: tuple[Array, Array], V: Array) -> tuple[Array, Array]:
        W, H = carry
        if problem.beta == 2:
            W = _nudge(W, V @ H.mT, W @ (H @ H.mT))
            return W, _nudge(H, W.mT @ V, (W.mT @ W) @ H)
        parts = 1 if problem.beta == 1 else 2
        Y = W @ H
        W = _nudge(W, *[A @ H.mT for A in (Y, V)[:parts]])
        Y = W @ H
        return W, _nudge(H, *[W.mT @ A for A in (Y, V)[:parts]])

    return Program(_repeated(iteration, problem.steps), (problem.V, problem.W, problem.H))


def products_of_gradient(problem: Learning) -> Program:
    """Those of the iterations forward, and two for each of them on the way back."""

    def iteration(carry: tuple[Array, Array], V: Array) -> tuple[Array, Array]:
        W, H = carry
        W = _nudge(W, (W @ H) @ H.T)
        return W, _nudge(H, W.T @ (W @ H))

    return Program(_repeated(iteration, 3 * problem.steps), (problem.V, problem.W, problem.H))


def _nudge(factor: Array, *products: Array) -> Array:
    """A change too small to matter, that makes the next iteration wait for these products."""
    return factor + sum(1e-12 * product for product in products)


def _repeated(iteration, steps: int):
    def loop(V: Array, W: Array, H: Array) -> tuple[Array, Array]:
        return lax.scan(lambda carry, _: (iteration(carry, V), None), (W, H), length=steps)[0]

    return loop


# --- how well


def divergence_per_entry(problem: Factorization, output: tuple[np.ndarray, np.ndarray]) -> float:
    """The mean of the β-divergence from `V` to the model, in double precision."""
    V, W, H = (array.astype(np.float64) for array in (problem.V, *output))
    Y = W @ H
    if problem.beta == 2:
        return float(np.mean((V - Y) ** 2) / 2)
    if problem.beta == 0.5:
        return float(np.mean(2 * (np.sqrt(V) - np.sqrt(Y)) ** 2 / np.sqrt(Y)))
    ratio = V / Y
    return float(np.mean(V * np.log(ratio) - V + Y if problem.beta == 1 else ratio - np.log(ratio) - 1))


def slope_error(problem: Learning, output: tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]) -> float:
    """The relative error of the slope in a random direction, against central differences in double precision."""
    rng = np.random.default_rng(3)
    start = [factor.astype(np.float64) for factor in (problem.W, problem.H)]
    direction = [factor * rng.uniform(-1, 1, factor.shape) for factor in start]
    step = 1e-5
    up = [factor + step * change for factor, change in zip(start, direction, strict=True)]
    down = [factor - step * change for factor, change in zip(start, direction, strict=True)]
    exact = (_loss(problem, *up) - _loss(problem, *down)) / (2 * step)
    slope = sum(float(np.sum(part * change)) for part, change in zip(output[1], direction, strict=True))
    return abs(slope - exact) / abs(exact)


def _loss(problem: Learning, W: np.ndarray, H: np.ndarray) -> float:
    V = problem.V.astype(np.float64)
    for _ in range(problem.steps):
        W = W * ((V / (W @ H)) @ H.T) / H.sum(axis=1)
        H = H * (W.T @ (V / (W @ H))) / W.sum(axis=0)[:, None]
    return float(np.mean((W @ H - problem.target) ** 2))


PER_ENTRY = Quality("divergence per entry", divergence_per_entry)
NMF = [
    Workload(
        name=f"nmf-{beta}",
        what=f"NMF with β = {beta}, one iteration (both factors)",
        problem=partial(factorization, beta=beta),
        ours={"dsp_sep": factorize},
        floors={"matrix products, XLA": products},
        peers=("torch", "numpy", "sklearn", "torchnmf"),
        operation="nmf",
        quality=PER_ENTRY,
        iterations=lambda size: size.nmf_steps,
    )
    for beta in (2, 1, 0, 0.5)
]
NMF_BATCH = Workload(
    name="nmf-batch",
    what=f"NMF of {BATCH} spectrograms with β = 1, one iteration (both factors)",
    problem=batch,
    ours={"dsp_sep": factorize, f"dsp_sep, {BATCH} calls": factorize_each, "dsp_sep, lax.map": factorize_mapped},
    floors={"matrix products, XLA": products},
    peers=("torch", "numpy"),
    operation="nmf_batch",
    quality=PER_ENTRY,
    iterations=lambda size: size.nmf_steps,
)
HALS = Workload(
    name="hals",
    what="HALS, one iteration (both factors), and the objective after all of them",
    problem=partial(factorization, beta=2),
    ours={"dsp_sep": hals, "dsp_sep, accelerated": accelerated_hals, "dsp_sep, multiplicative": factorize},
    floors={"matrix products, XLA": products},
    peers=("sklearn",),
    operation="coordinate_descent",
    quality=PER_ENTRY,
    iterations=lambda size: size.nmf_steps,
)
NMF_GRADIENT = Workload(
    name="nmf-gradient",
    what="gradient through all iterations of NMF with β = 1, by its start",
    problem=learning,
    ours={
        "dsp_sep": partial(learn, gradient=ds.Checkpointed()),
        "dsp_sep, Checkpointed(7)": partial(learn, gradient=ds.Checkpointed(7)),
        "dsp_sep, Plain": partial(learn, gradient=ds.Plain()),
    },
    floors={"matrix products, XLA": products_of_gradient},
    peers=("torch",),
    operation="nmf_gradient",
    quality=Quality("relative error of a slope", slope_error),
    peak_memory=True,
)
WORKLOADS = [*NMF, NMF_BATCH, HALS, NMF_GRADIENT]

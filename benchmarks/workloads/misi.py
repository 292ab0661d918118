"""MISI, mixture first: from a mixture and the magnitudes of its sources to their waveforms, and its gradient."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload
from . import reference
from .stft import hann

SOURCES = 4


class Separation(NamedTuple):
    """Sources `(sources, samples)` and magnitudes `(sources, frequency, frames)` near theirs, of one channel."""

    sources: np.ndarray
    magnitudes: np.ndarray
    window: np.ndarray
    n_fft: int
    hop: int
    steps: int

    @property
    def mixture(self) -> np.ndarray:
        return self.sources.sum(axis=0)

    @property
    def samples(self) -> int:
        return self.sources.shape[-1]

    @property
    def start(self) -> np.ndarray:
        """The magnitudes with the mixture's phase, `(sources, frequency, frames)`."""
        spectrogram = reference.stft(self.mixture, self.window, self.hop).T
        return (self.magnitudes * spectrogram / np.abs(spectrogram)).astype(np.complex64)


def separation(size: Size) -> Separation:
    return _separation(size, size.seconds)


def shorter(size: Size) -> Separation:
    return _separation(size, size.gradient_seconds)


def deeper(size: Size) -> Separation:
    return shorter(size)._replace(steps=10 * size.misi_steps)


def _separation(size: Size, seconds: float) -> Separation:
    sources, window = np.stack([melody(size.rate, seconds, seed) for seed in range(SOURCES)]), hann(size.n_fft)
    exact = np.stack([np.abs(reference.stft(source, window, size.hop)).T for source in sources])
    magnitudes = exact * np.exp(0.35 * np.random.default_rng(4).standard_normal(exact.shape))
    return Separation(sources, magnitudes.astype(np.float32), window, size.n_fft, size.hop, size.misi_steps)


# --- dsp_sep


def run(misi: ds.phase.MixtureFirstMISI, data: tuple[Array, Array], steps: int) -> Array:
    return ds.run(misi, data, steps, gradient=ds.Checkpointed()).output


def run_nested(misi: ds.phase.MixtureFirstMISI, data: tuple[Array, Array], steps: int) -> Array:
    """With checkpoints of checkpoints, in the memory of a root of the layers."""
    return ds.run(misi, data, steps, gradient=ds.Checkpointed(every=round(steps**0.5))).output


def run_unrolled(misi: ds.phase.MixtureFirstMISI, data: tuple[Array, Array], steps: int) -> Array:
    """Layer after layer, each kept, without a scan."""
    prepared = misi.prepare(data)
    state = misi.init(prepared)
    for _ in range(steps):
        state = misi.update(state, prepared)
    return misi.readout(state, prepared)


Run = Callable[[ds.phase.MixtureFirstMISI, tuple[Array, Array], int], Array]


def separate(problem: Separation, run: Run = run) -> Program:
    stft = ds.STFT(n_fft=problem.n_fft, hop=problem.hop)
    start = ds.phase.Given(jnp.asarray(problem.start[:, None]))
    misi = ds.phase.MixtureFirstMISI(stft, start=start, length=problem.samples)

    def waveforms(misi: ds.phase.MixtureFirstMISI, mixture: Array, magnitudes: Array) -> Array:
        sources = run(misi, (misi.stft.analyze(mixture[None]), magnitudes[:, None]), problem.steps)
        return misi.stft.synthesize(sources, length=problem.samples)[:, 0]

    return Program(waveforms, (misi, problem.mixture, problem.magnitudes))


def learn(problem: Separation, run: Run = run) -> Program:
    program = separate(problem, run)

    def loss(magnitudes: Array, misi: ds.phase.MixtureFirstMISI, mixture: Array, sources: Array) -> Array:
        return jnp.mean((program.function(misi, mixture, magnitudes) - sources) ** 2)

    misi, mixture, magnitudes = program.arguments
    return Program(jax.value_and_grad(loss), (magnitudes, misi, mixture, problem.sources))


# --- floors: the FFTs alone


def xla_ffts(problem: Separation) -> Program:
    return _ffts(problem, problem.steps)


def xla_gradient_ffts(problem: Separation) -> Program:
    """Each transform, and its transpose: what any gradient needs that stores what it needs."""
    return _ffts(problem, 2 * problem.steps)


def _ffts(problem: Separation, pairs: int) -> Program:
    def all_pairs(spectra: Array) -> Array:
        def pair(spectra: Array, _: None) -> tuple[Array, None]:
            return jnp.fft.rfft(jnp.fft.irfft(spectra, problem.n_fft)), None

        return jnp.fft.irfft(lax.scan(pair, spectra, length=pairs)[0], problem.n_fft)

    return Program(all_pairs, (np.ascontiguousarray(problem.start.swapaxes(-1, -2)),))


# --- how well


def error(problem: Separation, waveforms: np.ndarray) -> float:
    return reference.relative_error(waveforms, problem.sources)


def slope_error(problem: Separation, output: tuple[np.ndarray, np.ndarray]) -> float:
    """Of the slope along the gradient's signs, against differences of the loss from the same start.

    Along the gradient itself it would be that of a few bins which are nearly zero, whose phases turn at once.
    """
    program, gradient = learn(problem), output[1]
    step = 1e-4 * np.linalg.norm(problem.magnitudes) / np.sqrt(gradient.size) * np.sign(gradient)
    loss = jax.jit(program.function)
    up, down = (float(loss(problem.magnitudes + move, *program.arguments[1:])[0]) for move in (step, -step))
    return float(abs((up - down) / (2 * np.vdot(gradient, step)) - 1))


WORKLOADS = [
    Workload(
        name="misi",
        what=f"MISI, mixture first, {SOURCES} sources, all iterations, then the waveforms",
        problem=separation,
        ours={"dsp_sep": separate},
        floors={"ffts, XLA": xla_ffts},
        peers=("torch", "asteroid"),
        operation="misi",
        quality=Quality("error of the sources", error),
    ),
    Workload(
        name="misi-gradient",
        what="gradient through all iterations of MISI by the magnitudes",
        problem=shorter,
        ours={"dsp_sep": learn, "without a scan": partial(learn, run=run_unrolled)},
        floors={"ffts, XLA": xla_gradient_ffts},
        peers=("torch",),
        operation="misi_gradient",
        quality=Quality("relative error of a slope", slope_error),
        peak_memory=True,
    ),
    Workload(
        name="misi-gradient-deep",
        what="the same through ten times as many layers, whose memory is to be compared with that",
        problem=deeper,
        ours={
            "dsp_sep": partial(learn, run=run_nested),
            "each layer kept": learn,
            "without a scan": partial(learn, run=run_unrolled),
        },
        floors={"ffts, XLA": xla_gradient_ffts},
        peers=(),
        operation="misi_gradient",
        quality=Quality("relative error of a slope", slope_error),
    ),
]

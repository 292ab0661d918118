"""Fast Griffin-Lim: from magnitudes to a waveform, starting at the phase zero everywhere."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload
from . import reference
from .stft import hann


class Recovery(NamedTuple):
    """Magnitudes of an STFT, `(frequency, frames)`, of a signal of so many samples."""

    magnitude: np.ndarray
    window: np.ndarray
    n_fft: int
    hop: int
    samples: int
    steps: int
    momentum: float

    @property
    def spectra(self) -> np.ndarray:
        """The start, `(frames, frequency)`."""
        return np.ascontiguousarray(self.magnitude.T).astype(np.complex64)


def recovery(size: Size) -> Recovery:
    signal, window = melody(size.rate, size.seconds), hann(size.n_fft)
    magnitude = np.abs(reference.stft(signal, window, size.hop)).T.astype(np.float32)
    magnitude = np.ascontiguousarray(magnitude)
    return Recovery(magnitude, window, size.n_fft, size.hop, signal.size, size.griffin_lim_steps, 0.99)


def recover(problem: Recovery) -> Program:
    return _recover(problem, lambda plain: ds.Momentum(plain, problem.momentum))


def recover_accelerated(problem: Recovery) -> Program:
    return _recover(problem, ds.Accelerated)


def _recover(problem: Recovery, around: Callable[[Any], Any]) -> Program:
    stft = ds.STFT(n_fft=problem.n_fft, hop=problem.hop)
    start = ds.phase.Given(jnp.asarray(problem.magnitude, jnp.complex64))
    algorithm = around(ds.phase.GriffinLim(stft, start=start, length=problem.samples))

    def waveform(algorithm: Any, magnitude: jax.Array) -> jax.Array:
        spectrogram = ds.run(algorithm, magnitude, problem.steps).output
        return algorithm.algorithm.stft.synthesize(spectrogram, length=problem.samples)

    return Program(waveform, (algorithm, problem.magnitude))


def xla_ffts(problem: Recovery) -> Program:
    def pairs(spectra: jax.Array) -> jax.Array:
        def pair(spectra: jax.Array, _: None) -> tuple[jax.Array, None]:
            return jnp.fft.rfft(jnp.fft.irfft(spectra, problem.n_fft)), None

        return jnp.fft.irfft(lax.scan(pair, spectra, length=problem.steps)[0], problem.n_fft)

    return Program(pairs, (problem.spectra,))


def spectral_convergence(problem: Recovery, output: np.ndarray) -> float:
    """`‖|STFT(x)| - A‖ / ‖A‖`."""
    magnitude = np.abs(reference.stft(output, problem.window, problem.hop)).T
    return reference.relative_error(magnitude, problem.magnitude)


GRIFFIN_LIM = Workload(
    name="griffin-lim",
    what="Griffin-Lim with momentum 0.99, all iterations, then the waveform",
    problem=recovery,
    ours={"dsp_sep": recover},
    floors={"ffts, XLA": xla_ffts},
    peers=("torch", "librosa", "diffsptk"),
    operation="griffin_lim",
    bare="ffts",
    quality=Quality("spectral convergence", spectral_convergence),
)
ACCELERATED = Workload(
    name="griffin-lim-accelerated",
    what="accelerated Griffin-Lim (0.99, 0.99, 1.1), all iterations, then the waveform",
    problem=recovery,
    ours={"dsp_sep": recover_accelerated},
    floors={"ffts, XLA": xla_ffts},
    peers=("diffsptk",),
    operation="accelerated_griffin_lim",
    quality=Quality("spectral convergence", spectral_convergence),
)
WORKLOADS = [GRIFFIN_LIM, ACCELERATED]

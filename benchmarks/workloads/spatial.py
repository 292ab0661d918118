"""Spatial models: one iteration of EM on a song in stereo, and blind separation of as many talkers as microphones."""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

import dsp_sep as ds

from ..sizes import Size, melody
from ..workload import Program, Quality, Workload
from . import reference
from .stft import hann

COMPONENTS = 2


class Images(NamedTuple):
    """A mixture `(channels, frequency, frames)`, images of its sources, and magnitudes near theirs, all float32."""

    mixture: np.ndarray
    images: np.ndarray
    magnitudes: np.ndarray


class Microphones(NamedTuple):
    """A mixture `(channels, frequency, frames)`, images of its sources, and the start of the factors."""

    mixture: np.ndarray
    images: np.ndarray
    dictionary: np.ndarray
    activations: np.ndarray
    steps: int


def panned(size: Size) -> Images:
    return _panned(size, size.seconds)


def half_panned(size: Size) -> Images:
    return _panned(size, size.seconds / 2)


def _panned(size: Size, seconds: float) -> Images:
    """Each source louder in one channel than in the other, and a sample or so later there."""
    spectra = _spectra(size, seconds, size.sources)
    images = _mixed(spectra, np.linspace(0.2, 0.8, size.sources)[:, None] ** np.array([1.0, 0.5]))
    noise = np.random.default_rng(4).standard_normal(images.shape)
    return Images(images.sum(axis=0), images, (np.abs(images) * np.exp(0.35 * noise)).astype(np.float32))


def talkers(size: Size) -> Microphones:
    spectra = _spectra(size, size.seconds / 3, 2)
    images = _mixed(spectra, np.array([[1, 0.5], [0.6, 1]]))
    rng = np.random.default_rng(4)
    factors = (
        rng.uniform(0.1, 1, (2, *shape)) for shape in ((spectra.shape[1], COMPONENTS), (COMPONENTS, spectra.shape[2]))
    )
    mixture = images.sum(axis=0)
    unit = np.sqrt(np.mean(np.abs(mixture) ** 2))
    return Microphones(mixture / unit, images / unit, *(f.astype(np.float32) for f in factors), size.nmf_steps)


def _spectra(size: Size, seconds: float, sources: int) -> np.ndarray:
    """Of melodies, `(sources, frequency, frames)`."""
    window = hann(size.n_fft)
    return np.stack([reference.stft(melody(size.rate, seconds, seed), window, size.hop).T for seed in range(sources)])


def _mixed(spectra: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Images `(sources, channels, frequency, frames)` by gains `(sources, channels)` and a delay in the second one."""
    phases = np.exp(-1j * np.pi * np.linspace(0, 1, spectra.shape[1]))
    delays = np.stack([np.ones_like(phases), phases])
    delayed = np.stack([delays if j % 2 else delays[::-1] for j in range(len(spectra))])
    return (spectra[:, None] * gains[..., None, None] * delayed[..., None]).astype(np.complex64)


# --- dsp_sep


def em(problem: Images, block: int | None = None) -> Program:
    return _refined(ds.spatial.EM(block=block), problem)


def em_in_blocks(problem: Images) -> Program:
    return em(problem, block=128)


def refinement(problem: Images) -> Program:
    return _refined(ds.spatial.WienerRefinement(), problem)


def _refined(algorithm: ds.spatial.EM | ds.spatial.WienerRefinement, problem: Images) -> Program:
    def images(algorithm: ds.spatial.EM | ds.spatial.WienerRefinement, mixture: Array, magnitudes: Array) -> Array:
        return ds.run(algorithm, (mixture, magnitudes), 1).output

    return Program(images, (algorithm, problem.mixture, problem.magnitudes))


def aux_iva(problem: Microphones) -> Program:
    return _demixed(ds.spatial.Demixing(), problem)


def ilrma(problem: Microphones) -> Program:
    initial = ds.nmf.Given(dictionary=problem.dictionary, activations=problem.activations)
    return _demixed(ds.spatial.Demixing(ds.spatial.IndependentLowRank(components=COMPONENTS, initial=initial)), problem)


def fast_mnmf(problem: Microphones) -> Program:
    initial = ds.nmf.Given(dictionary=problem.dictionary, activations=problem.activations)
    return _demixed(ds.spatial.FastMNMF2(components=COMPONENTS, initial=initial, order="together"), problem)


def _demixed(algorithm: ds.iterate.Algorithm, problem: Microphones) -> Program:
    def images(algorithm: ds.iterate.Algorithm, mixture: Array) -> Array:
        return ds.run(algorithm, mixture, problem.steps).output[:, 0]

    return Program(images, (algorithm, problem.mixture))


# --- floors: what must be read and written


def copies(problem: Images) -> Program:
    """The mixture and the magnitudes read, as many images as there are sources written."""

    def scaled(mixture: Array, magnitudes: Array) -> Array:
        return jnp.sqrt(magnitudes) * mixture[None]

    return Program(scaled, (problem.mixture, problem.magnitudes))


# --- how well


def sdr(problem: Images, images: np.ndarray) -> float:
    return _ratio(problem.images, images)


def first_sdr(problem: Microphones, images: np.ndarray) -> float:
    """Of the sources at the first microphone, in the better order."""
    true = problem.images[:, 0]
    return max(_ratio(true, images), _ratio(true, images[::-1]))


def _ratio(true: np.ndarray, found: np.ndarray) -> float:
    return float(20 * np.log10(np.linalg.norm(true) / np.linalg.norm(true - found)))


def _blind(name: str, what: str, ours: object, peers: tuple[str, ...]) -> Workload:
    return Workload(
        name=name,
        what=what,
        problem=talkers,
        ours={"dsp_sep": ours},
        floors={},
        peers=peers,
        operation=name.replace("-", "_"),
        quality=Quality("SDR at the first microphone, dB", first_sdr),
        iterations=lambda size: size.nmf_steps,
    )


def _em(name: str, problem: object, what: str, peers: tuple[str, ...]) -> Workload:
    return Workload(
        name=name,
        what=what,
        problem=problem,
        ours={"dsp_sep": em, "in blocks": em_in_blocks, "WienerRefinement, as the peers": refinement},
        floors={"copies": copies},
        peers=peers,
        operation="em",
        quality=Quality("SDR, dB", sdr),
        peak_memory=True,
    )


WORKLOADS = [
    _em("em", panned, "EM, stereo, one iteration, then the images", ("norbert", "openunmix")),
    _em("em-half", half_panned, "the same on half of the frames: its cost is to be half", ()),
    _blind("aux-iva", "AuxIVA (Laplace, IP1), two talkers, two microphones", aux_iva, ("ssspy", "pyroomacoustics")),
    _blind("ilrma", "ILRMA (IP1), two talkers, two microphones", ilrma, ("ssspy", "pyroomacoustics")),
    _blind("fast-mnmf", "FastMNMF2, two talkers, two microphones", fast_mnmf, ("pyroomacoustics",)),
]

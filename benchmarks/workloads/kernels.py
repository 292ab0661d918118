"""The kernels inside the algorithms, each on its own: on one problem, and on the same work in eight parts at once."""

import functools
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

import dsp_sep as ds
from dsp_sep.spatial import hermitian
from dsp_sep.spatial.hermitian import Hermitian, Vector
from dsp_sep.spatial.planes import planes
from dsp_sep.transforms import fourier, framing

from ..sizes import Size
from ..workload import Program, Quality, Workload

PARTS = 8
STEPS = 1000

Kernel = Callable[..., Any]
"""Of a size and of operands."""
Shape = tuple[int, ...]


class Operands(NamedTuple):
    """Of a kernel: in one piece, and in `PARTS` parts along a new axis, as long together."""

    whole: tuple[Any, ...]
    parts: tuple[Any, ...]
    size: Size


def _operands(size: Size, *, make: Kernel) -> Operands:
    """`make(size, batch axes, frames)` draws them."""
    frames = max((1 + round(size.rate * size.seconds) // size.hop) // PARTS, 1)
    return Operands(make(size, size.batch_axes, PARTS * frames), make(size, (*size.batch_axes, PARTS), frames), size)


def _whole(problem: Operands, *, kernel: Kernel) -> Program:
    return Program(partial(kernel, problem.size), problem.whole)


def _parts(problem: Operands, *, kernel: Kernel) -> Program:
    return Program(partial(kernel, problem.size), problem.parts)


def _workload(
    name: str, what: str, make: Kernel, kernel: Kernel, exact: Kernel, others: Mapping[str, Kernel] | None = None
) -> Workload:
    """`exact` is the kernel in numpy; `others` are other ways to do it in JAX."""

    def error(problem: Operands, output: Any) -> float:
        outputs = jax.tree.leaves(output)
        candidates = (jax.tree.leaves(exact(problem.size, *operands)) for operands in problem[:2])
        expected = next(one for one in candidates if one[0].shape == outputs[0].shape)
        distance = sum(np.sum(np.abs(a - b) ** 2) for a, b in zip(outputs, expected, strict=True))
        return float(np.sqrt(distance / sum(np.sum(np.abs(b) ** 2) for b in expected)))

    ways = {"dsp_sep": partial(_whole, kernel=kernel), f"in {PARTS} parts": partial(_parts, kernel=kernel)}
    return Workload(
        name=f"kernel/{name}",
        what=what,
        problem=partial(_operands, make=make),
        ours=ways | {other: partial(_whole, kernel=way) for other, way in (others or {}).items()},
        floors={},
        peers=(),
        operation="",
        quality=Quality("relative error", error),
        budget=1.0,
    )


# --- what they work on


def _noise(shape: Shape, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def _complex(shape: Shape, seed: int = 0) -> np.ndarray:
    return _noise((*shape, 2), seed).view(np.complex64)[..., 0]


def _bins(size: Size) -> int:
    return size.n_fft // 2 + 1


def signal(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray]:
    return (_noise((*batch, size.n_fft + (frames - 1) * size.hop)),)


def frames(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray]:
    return (_noise((*batch, frames, size.n_fft)),)


def spectra(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray]:
    return (np.fft.rfft(_noise((*batch, frames, size.n_fft))).astype(np.complex64),)


def magnitude(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray, np.ndarray]:
    shape = (*batch, _bins(size), frames)
    return _complex(shape), np.abs(_noise(shape, 1))


def sources(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray, np.ndarray]:
    shape = (size.channels, _bins(size), frames)
    return _complex((*batch, size.sources, *shape)), _complex((*batch, 1, *shape), 1)


def factors(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray, np.ndarray]:
    W, H = (*batch, _bins(size), size.components), (*batch, size.components, frames)
    return np.abs(_noise(W)), np.abs(_noise(H, 1))


def model(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray, ...]:
    """Observations and what a model makes of them."""
    return tuple(np.abs(_noise((*batch, _bins(size), frames), seed)) + np.float32(0.1) for seed in (0, 1))


def covariances(size: Size, batch: Shape, frames: int, *, rows: int) -> tuple[Any, ...]:
    """Of a quarter of the frames: matrices and vectors entry by entry, and both as arrays of matrices."""
    shape = (*batch, _bins(size), -(-frames // 4))
    v, x = _complex((*shape, rows, rows)), _complex((*shape, rows), 1)
    A = v @ v.conj().swapaxes(-1, -2) + np.eye(rows, dtype=np.float32)
    return jax.tree.map(np.ascontiguousarray, (_hermitian(A), _vector(x), A, x[..., None]))


def counter(size: Size, batch: Shape, frames: int) -> tuple[np.ndarray]:
    return (np.ones((*batch, 8), np.float32),)


# --- in dsp_sep, and in numpy


def consistent(size: Size, spectra: Array) -> Array:
    return ds.STFT(n_fft=size.n_fft, hop=size.hop).consistent_frames(spectra)


def exact_frames(size: Size, signal: np.ndarray) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(signal, size.n_fft, axis=-1)[..., :: size.hop, :]


def exact_overlap_add(size: Size, frames: np.ndarray) -> np.ndarray:
    count = frames.shape[-2]
    total = np.zeros((*frames.shape[:-2], size.n_fft + (count - 1) * size.hop))
    for t in range(count):
        total[..., t * size.hop : t * size.hop + size.n_fft] += frames[..., t, :]
    return total


def exact_consistent(size: Size, spectra: np.ndarray) -> np.ndarray:
    window = np.array(ds.STFT(n_fft=size.n_fft, hop=size.hop).window, float)
    total = exact_overlap_add(size, window * np.fft.irfft(spectra, size.n_fft))
    power = exact_overlap_add(size, np.broadcast_to(window**2, (spectra.shape[-2], size.n_fft)))
    middle, edge = slice(size.n_fft // 2, -(size.n_fft // 2)), [(0, 0)] * (spectra.ndim - 2)
    signal = np.pad(total[..., middle] / power[middle], [*edge, (size.n_fft // 2, size.n_fft // 2)])
    return np.fft.rfft(window * exact_frames(size, signal))


def exact_mixture(size: Size, S: np.ndarray, X: np.ndarray) -> np.ndarray:
    return S + (X - S.sum(axis=-4, keepdims=True)) / size.sources


def exact_ratios(size: Size, V: np.ndarray, Y: np.ndarray, *, beta: float) -> tuple[np.ndarray, np.ndarray]:
    return V * Y.astype(float) ** (beta - 2), Y.astype(float) ** (beta - 1)


def solve(size: Size, entries: Hermitian, x: Vector, *_: Array) -> Vector:
    return hermitian.solve(hermitian.factor(entries), x)


def inverse(size: Size, entries: Hermitian, *_: Any) -> Hermitian:
    return hermitian.inverse(hermitian.factor(entries))


def solve_by_cholesky(size: Size, entries: Hermitian, _: Any, A: Array, x: Array) -> Vector:
    return _vector(jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(A), True), x)[..., 0])


def inverse_by_cholesky(size: Size, entries: Hermitian, _: Any, A: Array, x: Array) -> Hermitian:
    identity = jnp.broadcast_to(jnp.eye(A.shape[-1], dtype=A.dtype), A.shape)
    return _hermitian(jax.scipy.linalg.cho_solve((jnp.linalg.cholesky(A), True), identity))


def exact_solution(size: Size, entries: Hermitian, _: Any, A: np.ndarray, x: np.ndarray) -> Vector:
    return _vector(np.linalg.solve(A.astype(complex), x)[..., 0])


def exact_inverse(size: Size, entries: Hermitian, _: Any, A: np.ndarray, x: np.ndarray) -> Hermitian:
    return _hermitian(np.linalg.inv(A.astype(complex)))


def _vector(x: Any) -> Vector:
    return [planes(x[..., i]) for i in range(x.shape[-1])]


def _hermitian(A: Any) -> Hermitian:
    rows = range(A.shape[-1])
    return Hermitian([[planes(A[..., i, k]) for k in range(i)] for i in rows], [A[..., i, i].real for i in rows])


def scan(size: Size, x: Array, *, unroll: int) -> Array:
    return lax.scan(lambda x, _: (0.5 * x + 1, None), x, length=STEPS, unroll=unroll)[0]


def _halving(size: Size, x: np.ndarray) -> np.ndarray:
    return functools.reduce(lambda x, _: 0.5 * x + 1, range(STEPS), x)


def _ratios(name: str, what: str, divergence: Any, beta: float) -> Workload:
    def kernel(size: Size, V: Array, Y: Array) -> tuple[Array, Array]:
        return divergence().derivative(V, Y)

    return _workload(f"ratio-{name}", f"{what} of NMF with β = {name}", model, kernel, partial(exact_ratios, beta=beta))


def _matrices(rows: int) -> list[Workload]:
    make, of = partial(covariances, rows=rows), f"of Hermitian matrices, {rows} by {rows}, one a bin"
    return [
        _workload(f"solve-{rows}", f"solution {of}", make, solve, exact_solution, {"Cholesky": solve_by_cholesky}),
        _workload(f"inverse-{rows}", f"inverse {of}", make, inverse, exact_inverse, {"Cholesky": inverse_by_cholesky}),
    ]


WORKLOADS = [
    _workload("framing", "frames cut", signal, lambda s, x: framing.frame(x, s.n_fft, s.hop), exact_frames),
    _workload(
        "rfft",
        "real FFTs",
        frames,
        lambda s, x: fourier.rfft(x, n=s.n_fft),
        lambda s, x: np.fft.rfft(x),
        {"jnp.fft": lambda s, x: jnp.fft.rfft(x)},
    ),
    _workload(
        "irfft",
        "inverse real FFTs",
        spectra,
        lambda s, x: fourier.irfft(x, n=s.n_fft),
        lambda s, x: np.fft.irfft(x, s.n_fft),
        {"jnp.fft": lambda s, x: jnp.fft.irfft(x, s.n_fft)},
    ),
    _workload("overlap-add", "frames added up", frames, lambda s, x: framing.overlap_add(x, s.hop), exact_overlap_add),
    _workload("consistent", "projection on spectrograms of signals", spectra, consistent, exact_consistent),
    _workload(
        "project-magnitude",
        "projection on magnitudes",
        magnitude,
        lambda s, S, A: ds.phase.project_magnitude(S, A),
        lambda s, S, A: A * S / np.abs(S),
    ),
    _workload(
        "project-mixture",
        "projection of sources on a mixture",
        sources,
        lambda s, S, X: ds.phase.project_mixture(S, X, 1 / s.sources),
        exact_mixture,
    ),
    _workload("product", "W H", factors, lambda s, W, H: ds.numerics.matmul(W, H), lambda s, W, H: W @ H.astype(float)),
    _ratios("1", "the ratio", ds.nmf.KullbackLeibler, 1.0),
    _ratios("0", "both ratios", ds.nmf.ItakuraSaito, 0.0),
    _ratios("0.5", "both ratios", partial(ds.nmf.Beta, 0.5), 0.5),
    *_matrices(2),
    *_matrices(4),
    _workload(
        "scan",
        f"{STEPS} iterations of next to nothing",
        counter,
        partial(scan, unroll=1),
        _halving,
        {"unrolled by 8": partial(scan, unroll=8)},
    ),
]

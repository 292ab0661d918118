"""Losses: what is small when a separation is good, functions of (reference, estimate), the true signal first.

All are finite with finite gradients everywhere, on digital silence and at a perfect estimate too, unlike the measures
of `metrics`, which report NaN and infinity there; each says where it levels out. Waveforms are
`(..., sources, channels, samples)`; a loss has a value for each source, `(..., sources)`, lower is better.
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

from ..nmf import Divergence
from ..numerics import magnitude, tiny
from ..pytree import hyper, node
from ..transforms import STFT

Loss = Callable[[Array, Array], Array]
"""`(reference, estimate) -> values of each source`."""
CEILING = 60.0
"""dB: a ratio better than this is as good as perfect."""


def negative_sdr(reference: Array, estimate: Array, *, ceiling: float = CEILING) -> Array:
    """The negative signal-to-distortion ratio in dB, `10 log10((Σ (s - ŝ)² + ε) / (Σ s² + ε))`, channels pooled.

    Where the reference is silent, or the estimate nearly perfect, it levels out: `ε` is the energy of the loudest
    reference in the batch item, `ceiling` dB lower, so that no loss is below `-ceiling` (by more than 1e-5 dB).

    Args:
        reference: the true images, `(..., sources, channels, samples)`.
        estimate: the estimated ones, of the same shape.
        ceiling: dB, positive.

    Returns:
        dB, `(..., sources)`.

    Raises:
        ValueError: for shapes that differ.
    """
    _check("negative_sdr", reference, estimate)
    energy, error = _energy(reference), _energy(reference - estimate)
    lowest = jnp.maximum(jnp.max(energy, axis=-1, keepdims=True) * 10 ** (-ceiling / 10), tiny(energy.dtype))
    return 10 * (jnp.log10(error + lowest) - jnp.log10(energy + lowest))


def negative_si_sdr(reference: Array, estimate: Array, *, ceiling: float = CEILING) -> Array:
    """The negative scale-invariant SDR in dB, of each channel on its own, their mean.

    `10 log10((|α s - ŝ|² + ε |ŝ|²) / (|α s|² + ε |ŝ|²))` with `α = <s, ŝ> / |s|²` and `ε` the `ceiling`: between
    `-ceiling` and `ceiling` dB. A silent estimate has 0 dB and a silent reference `ceiling`, with zero gradients.

    Args:
        reference: the true sources, `(..., sources, channels, samples)`.
        estimate: the estimated ones, of the same shape.
        ceiling: dB, positive.

    Returns:
        dB, `(..., sources)`.

    Raises:
        ValueError: for shapes that differ.

    Source: J. Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019.
    """
    _check("negative_si_sdr", reference, estimate)
    energy = jnp.sum(reference**2, axis=-1, keepdims=True)
    silent = energy < tiny(energy.dtype)
    alpha = jnp.sum(reference * estimate, axis=-1, keepdims=True) / jnp.where(silent, 1, energy)
    target = jnp.where(silent, 0, alpha) * reference
    lowest = jnp.sum(estimate**2, axis=-1) * 10 ** (-ceiling / 10) + tiny(energy.dtype)
    error, kept = (jnp.sum(part**2, axis=-1) for part in (target - estimate, target))
    return jnp.mean(10 * (jnp.log10(error + lowest) - jnp.log10(kept + lowest)), axis=-1)


@node
class SpectralL1:
    """The mean of `||S| - |Ŝ||` over channels, frequency and frames; zero for equal magnitudes, where its gradient is.

    Attributes:
        stft: the transform.
    """

    stft: STFT = hyper(kw_only=False)

    def __call__(self, reference: Array, estimate: Array) -> Array:
        """`(..., sources)`, in units of the magnitudes."""
        _check("SpectralL1", reference, estimate)
        V, Y = _magnitudes(self.stft, reference, estimate)
        return jnp.mean(jnp.abs(V - Y), axis=(-3, -2, -1))


@node
class SpectralL2:
    """The mean of `(|S| - |Ŝ|)²` over channels, frequency and frames; zero for equal magnitudes.

    Attributes:
        stft: the transform.
    """

    stft: STFT = hyper(kw_only=False)

    def __call__(self, reference: Array, estimate: Array) -> Array:
        """`(..., sources)`, in units of the squared magnitudes."""
        _check("SpectralL2", reference, estimate)
        V, Y = _magnitudes(self.stft, reference, estimate)
        return jnp.mean((V - Y) ** 2, axis=(-3, -2, -1))


@node
class MultiResolutionSTFT:
    """Spectral convergence and log-magnitude distance, `‖V - Y‖ / ‖V‖ + mean |ln V - ln Y|`, mean over transforms.

    `V` and `Y` are the magnitudes of reference and estimate, at least 1e-5 (-100 dB) of the largest of all references
    of the batch item. In `‖V‖²` a millionth of the loudest reference's is added, and 1e-12 to the squared quotient, so
    that a silent reference is safe and the loss of a perfect estimate is 1e-6.

    Attributes:
        transforms: several `STFT`s; those of Yamamoto, Song and Kim ("Parallel WaveGAN", ICASSP 2020, table 1) unless
            given.
    """

    transforms: tuple[STFT, ...] = hyper(
        default_factory=lambda: tuple(
            STFT(n_fft=n_fft, hop=hop, window_length=length)
            for n_fft, hop, length in ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
        ),
        kw_only=False,
    )

    def __call__(self, reference: Array, estimate: Array) -> Array:
        """`(..., sources)`, without a unit."""
        _check("MultiResolutionSTFT", reference, estimate)
        each = [self._one(stft, reference, estimate) for stft in self.transforms]
        return jnp.mean(jnp.stack(each), axis=0)

    def _one(self, stft: STFT, reference: Array, estimate: Array) -> Array:
        V, Y = _magnitudes(stft, reference, estimate)
        floor = 1e-5 * _of_loudest(jnp.max(V, axis=(-3, -2, -1)))[..., None, None]
        V, Y = (jnp.maximum(part, floor) for part in (V, Y))
        energy, error = (jnp.mean(part**2, axis=(-3, -2, -1)) for part in (V, V - Y))
        convergence = jnp.sqrt(error / (energy + 1e-6 * _of_loudest(energy)[..., 0]) + 1e-12)
        return convergence + jnp.mean(jnp.abs(jnp.log(V) - jnp.log(Y)), axis=(-3, -2, -1))


@node
class SpectralDivergence:
    """A beta-divergence between magnitude spectrograms, `mean D(V | Y)`, both at least 1e-5 of the loudest mean of `V`.

    Divided by the divergence's scale `mean(V)^β` it would not depend on the level; it is not, so that loud sources
    count more for β > 0. Zero for equal magnitudes.

    Attributes:
        stft: the transform.
        divergence: `nmf.KullbackLeibler()`, `nmf.Beta(beta)` and so on.
    """

    stft: STFT = hyper(kw_only=False)
    divergence: Divergence = hyper(kw_only=False)

    def __call__(self, reference: Array, estimate: Array) -> Array:
        """`(..., sources)`."""
        _check("SpectralDivergence", reference, estimate)
        V, Y = _magnitudes(self.stft, reference, estimate)
        floor = 1e-5 * _of_loudest(jnp.mean(V, axis=(-3, -2, -1)))[..., None, None]
        return jnp.mean(self.divergence.value(jnp.maximum(V, floor), jnp.maximum(Y, floor)), axis=(-3, -2, -1))


def _check(name: str, reference: Array, estimate: Array) -> None:
    if reference.shape != estimate.shape or reference.ndim < 3:
        raise ValueError(
            f"{name}: reference {reference.shape} and estimate {estimate.shape} must both be "
            f"(..., sources, channels, samples)"
        )


def _magnitudes(stft: STFT, reference: Array, estimate: Array) -> tuple[Array, Array]:
    return magnitude(stft.analyze(reference)), magnitude(stft.analyze(estimate))


def _energy(signal: Array) -> Array:
    return jnp.sum(signal**2, axis=(-2, -1))


def _of_loudest(values: Array) -> Array:
    """The largest of `(..., sources)`, as `(..., 1, 1)`; 1 where all is silent."""
    largest = jnp.max(values, axis=-1, keepdims=True)[..., None]
    return jnp.where(largest > 0, largest, 1)

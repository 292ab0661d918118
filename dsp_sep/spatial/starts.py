"""First estimates of the images, from magnitudes, and spatial covariances to start from."""

from functools import partial
from typing import Protocol

import jax
import jax.numpy as jnp
from jax import Array

from ..masking import ratio
from ..numerics import expand, phase, scale, sum_of_few
from ..pytree import Number, domains, hyper, node
from .gaussian import lifted, local_gaussian


class Start(Protocol):
    """Images `(..., sources, channels, frequency, frames)` for a mixture without the axis of sources, and magnitudes.

    The magnitudes have all channels or one for all.
    """

    def __call__(self, mixture: Array, magnitudes: Array) -> Array: ...


@node
class Softmask:
    """A ratio mask of the magnitudes times the mixture: `m_j x`, `m_j = A_jᵖ / Σ_k A_kᵖ`.

    Attributes:
        exponent: `p`, any real number; 1 is norbert's and Open-Unmix's, 2 the gain of a Wiener filter.
    """

    exponent: Number = hyper(default=1.0, domain=domains.REAL)

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        return _masked(ratio(magnitudes, expand(self.exponent, magnitudes.ndim)), mixture)


@node
class LogitMask:
    """`Softmask` with its masks pushed towards 0 and 1: `1 / (1 + exp(-slope (m - threshold)))`.

    What norbert means by its option `logit` (which raises there). The images no longer sum to the mixture.

    Attributes:
        exponent: as in `Softmask`.
        threshold: the mask that becomes one half, between 0 and 1; 0.6 in norbert.
        slope: how sharp, positive; 15 in norbert.
    """

    exponent: Number = hyper(default=1.0, domain=domains.REAL)
    threshold: Number = hyper(default=0.6, domain=domains.UNIT_INTERVAL)
    slope: Number = hyper(default=15.0, domain=domains.POSITIVE)

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        mask = ratio(magnitudes, expand(self.exponent, magnitudes.ndim))
        return _masked(jax.nn.sigmoid(self.slope * (mask - self.threshold)), mixture)


@node
class MixturePhase:
    """The magnitudes with the phase of the mixture: for good magnitudes, such as a network gives (not silent bins)."""

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        return _masked(magnitudes, phase(mixture))


@node
class Residual:
    """Another source after those of a start: the mixture without them, as Open-Unmix's option `residual` does.

    Attributes:
        start: the start of the other sources.
    """

    start: Start = hyper(kw_only=False)

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        images = self.start(mixture, magnitudes)
        rest = jnp.expand_dims(mixture, -4) - sum_of_few(images, -4, keepdims=True)
        return jnp.concatenate([images, rest], axis=-4)


class CovarianceStart(Protocol):
    """Spatial covariances `(..., sources, frequency, channels, channels)` to start from."""

    def __call__(self, mixture: Array, magnitudes: Array) -> Array: ...


@node
class Isotropic:
    """`R_j = I`: no source has a direction yet, so that the first filter is the ratio mask of the powers."""

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        channels, frequencies, _ = mixture.shape[-3:]
        shape = (*magnitudes.shape[:-3], frequencies, channels, channels)
        eye = jnp.eye(channels, dtype=mixture.dtype)
        return jnp.broadcast_to(eye.reshape((1,) * (len(shape) - 2) + eye.shape), shape)


@node
class Estimated:
    """The covariances of first estimates of the images.

    Attributes:
        start: what gives the images.
    """

    start: Start = hyper(default_factory=partial(Softmask, exponent=2.0), kw_only=False)

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        eps = float(jnp.finfo(magnitudes.dtype).eps)
        covariances = local_gaussian(self.start(mixture, magnitudes), eps)[1]
        loading = scale(jnp.asarray(eps, magnitudes.dtype), Isotropic()(mixture, magnitudes))
        return lifted(covariances + loading)


@node
class GivenCovariances:
    """Spatial covariances from elsewhere.

    Attributes:
        covariances: Hermitian, `(..., sources, frequency, channels, channels)`.
    """

    covariances: Array = hyper(kw_only=False)

    def __call__(self, mixture: Array, magnitudes: Array) -> Array:
        expected = Isotropic()(mixture, magnitudes).shape
        if self.covariances.shape[-4:] != expected[-4:]:
            raise ValueError(
                f"GivenCovariances: covariances have shape {self.covariances.shape}, expected {expected} "
                f"(..., sources, frequency, channels, channels)"
            )
        return jnp.broadcast_to(expand(self.covariances, len(expected)), expected).astype(mixture.dtype)


def _masked(mask: Array, mixture: Array) -> Array:
    mixture = jnp.expand_dims(mixture, -4)
    shape = jnp.broadcast_shapes(mask.shape, mixture.shape)
    return scale(jnp.broadcast_to(mask, shape), jnp.broadcast_to(mixture, shape))

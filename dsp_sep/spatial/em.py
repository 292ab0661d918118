"""Expectation-maximisation for the local Gaussian model, exact."""

import math
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from .. import nmf
from ..iterate import Algorithm
from ..numerics import expand, log, scale
from ..pytree import Number, domains, hyper, node, static
from . import gaussian
from .isotropy import anisotropy, shrunk
from .model import Mixture, mean_power, over_frames, prepare
from .spectral import Free, SpectralModel, audible
from .starts import CovarianceStart, Isotropic


class Model(NamedTuple):
    """The state of the spectral model, and spatial covariances `(..., sources, frequency, channels, channels)`.

    Powers are in units of the mean power of the mixture.
    """

    spectral: Any
    covariances: Array


@node
class LocalGaussian(Algorithm):
    """What the exact EM algorithms share: data, model, answer and likelihood; abstract.

    Attributes:
        spectral: what is known of the powers: `Free`, `LowRank`, `Dictionaries`, `Learned`.
        start: the spatial covariances to start from.
        noise: the power of a white noise in every channel, beside the mean power of the mixture; nonnegative, shape
            `()`. It keeps covariances regular; the sources share it in the answer.
        exponent: `p` of the weights `vᵖ` of the frames in the update of the spatial covariances, any real number, `()`;
            all frames weigh the same unless given.
        isotropy: `ρ`, the weight, beside that of the data, of a prior to spatial covariances without direction:
            `R_j ← (R_j + ρ h_j I) / (1 + ρ)` with `h_j` the harmonic mean of the eigenvalues before; positive, `()`.
            The objective takes part in it, and still never rises. No prior unless given.
        faith: `ρ`, the weight, beside that of the data, of an inverse gamma prior to the powers whose mode is what the
            magnitudes say, `v⁰`: the spectral model is given `(z + ρ v⁰) / (1 + ρ)` for `z`. Positive, `()`; the
            objective takes part in it. No prior unless given.
        block: frames to work on at a time, for what does not fit into memory; all unless given.
    """

    spectral: SpectralModel = hyper(default=Free(), kw_only=False)
    start: CovarianceStart = hyper(default=Isotropic())
    noise: Number = hyper(default=1e-10, domain=domains.NONNEGATIVE)
    exponent: Number | None = hyper(default=None, domain=domains.REAL)
    isotropy: Number | None = hyper(default=None, domain=domains.POSITIVE)
    faith: Number | None = hyper(default=None, domain=domains.POSITIVE)
    block: int | None = static(default=None)

    def prepare(self, data: tuple[Array, Array]) -> Mixture:
        return prepare(data, type(self).__name__)

    def init(self, data: Mixture, *, key: Array | None = None) -> Model:
        spectral = self.spectral.start(_given(data), key)
        return Model(spectral, self.start(data.mixture, data.magnitudes))

    def readout(self, state: Model, data: Mixture) -> Array:
        def frames(block):
            mixture, powers = block
            images = gaussian.posterior_images(mixture, powers, state.covariances, self.noise)
            images = gaussian.completed(images, mixture)
            return gaussian.stacked([image * data.unit for image in images]), None

        return over_frames(frames, (data.mixture, self.powers(state)), self.block)[0]

    def objective(self, state: Model, data: Mixture) -> Array:
        """The negative log-likelihood, `Σ log det (R_x / σ²) + xᴴ R_x⁻¹ x`, but for a constant: it is not negative.

        With the priors, if there are any: `isotropy` times the frames times the anisotropy of the covariances (see
        `dsp_sep.spatial.isotropy`), `faith` times the channels times `Σ IS(v⁰ | v)`.
        """

        def frames(block):
            mixture, powers = block
            loss = gaussian.negative_log_likelihood(mixture, powers, state.covariances, self.noise)
            return jnp.sum(loss, axis=-2, keepdims=True), None

        loss, _ = over_frames(frames, (data.mixture, self.powers(state)), self.block)
        total = jnp.sum(loss, axis=(-2, -1)) - math.prod(data.mixture.shape[-3:]) * log(self.noise)
        if self.isotropy is not None:
            penalty = jnp.sum(anisotropy(state.covariances), axis=(-2, -1))
            total = total + self.isotropy * data.mixture.shape[-1] * penalty
        if self.faith is not None:
            penalty = nmf.ItakuraSaito().value(_given(data), self.powers(state))
            total = total + self.faith * data.mixture.shape[-3] * jnp.sum(penalty, axis=(-4, -3, -2, -1))
        return total

    def residual(self, state: Model, data: Mixture) -> Model:
        """Zero at a solution, without `faith` one in the scale of `normalize`: nothing determines that.

        The solution is isolated with `isotropy` and `faith`. Without them some spatial covariances become singular and
        some powers zero, ever slower.
        """
        new = self.update(state, data)
        return jax.tree.map(lambda a, b: a - b, self.normalize(new) if self.faith is None else new, state)

    def normalize(self, state: Model) -> Model:
        """The same model with spatial covariances whose mean eigenvalue is one (with known dictionaries on average)."""
        size = jnp.trace(state.covariances, axis1=-2, axis2=-1).real / state.covariances.shape[-1]
        spectral, gains = self.spectral.absorb(state.spectral, jnp.where(size > 0, size, 1))
        return Model(spectral, scale(jnp.expand_dims(1 / gains, (-2, -1)), state.covariances))

    def powers(self, state: Model) -> Array:
        """The powers of the sources, `(..., sources, 1, frequency, frames)`."""
        return self.spectral.powers(state.spectral)

    def expected_powers(self, state: Model, data: Mixture) -> Array:
        """`z`, what the observations suggest for the powers, and the prior, if there is one."""

        def frames(block):
            mixture, powers = block
            return gaussian.posterior_power(mixture, powers, state.covariances, self.noise), None

        z, _ = over_frames(frames, (data.mixture, self.powers(state)), self.block)
        return z if self.faith is None else (z + self.faith * _given(data)) / (1 + self.faith)

    def fit_covariances(self, powers: Array, covariances: Array, data: Mixture, new_powers: Array) -> Array:
        """The spatial covariances for posterior moments under `powers`, and `new_powers` to go with."""
        exponent = None if self.exponent is None else expand(self.exponent, data.mixture.ndim - 1)

        def frames(block):
            mixture, before, after = block
            return None, gaussian.covariance_statistics(mixture, before, covariances, self.noise, after, exponent)

        _, statistics = over_frames(frames, (data.mixture, powers, new_powers), self.block)
        moved = gaussian.updated_covariances(covariances, statistics)
        return moved if self.isotropy is None else shrunk(moved, covariances, self.isotropy)


@node
class EM(LocalGaussian):
    """The exact EM algorithm for full-rank spatial covariances (Duong, Vincent and Gribonval, 2010).

    E step: the posterior moments `R̂_j` of the images. M step: the powers, `z_j = tr(R_j⁻¹ R̂_j) / channels` given to
    the spectral model, then `R_j ← mean_n R̂_j / v_j` with the new powers (powers first, as in the paper). With
    `Free`, `LowRank` or `Dictionaries` and no exponent the likelihood never falls.

    Data: `(mixture, magnitudes)`, complex `(..., channels, frequency, frames)` and nonnegative
    `(..., sources, 1 or channels, frequency, frames)`. Output: the images of the sources, complex
    `(..., sources, channels, frequency, frames)`, which sum to the mixture. Any number of channels and sources; cost is
    linear in the frames, which shard (partial sums over them are gathered), as do frequencies and batch axes. Blocks of
    frames give what all frames at once do.

    No eigenvalue of a spatial covariance falls below the precision to the power 0.45 beside their mean, 8e-4 in single
    precision (`gaussian.lifted`): with more than two channels single precision therefore separates sources with one
    direction less well than double. It needs magnitudes that already tell the sources apart: from equal ones nothing
    moves. With `Free` powers it fits the noise of each bin after many iterations; a handful is what one uses.
    Attributes: those of `LocalGaussian`.
    """

    def update(self, state: Model, data: Mixture) -> Model:
        powers = self.powers(state)
        spectral = self.spectral.fit(state.spectral, self.expected_powers(state, data))
        new = self.spectral.powers(spectral)
        return Model(spectral, self.fit_covariances(powers, state.covariances, data, new))


@node
class NestedEM(LocalGaussian):
    """EM in two loops (Nugraha, Liutkus and Vincent, 2016, algorithm 1): a spectral step, then several spatial ones.

    One iteration: `z` from the posterior moments to the spectral model, as a rule a network (`Learned`), then
    `spatial_steps` times an E step with the powers held and `R_j ← Σ_n w R̂_j / v_j / Σ_n w`, weighted by `w = v` as in
    the paper. The likelihood never falls with spectral models that descend and no exponent. Data, output and
    attributes are those of `EM`, and:

    Attributes:
        spatial_steps: updates of the spatial covariances for each of the powers, at least 1.
    """

    exponent: Number | None = hyper(default=1.0, domain=domains.REAL)
    spatial_steps: int = static(default=2)

    def validate(self) -> None:
        if self.spatial_steps < 1:
            raise ValueError(f"NestedEM: spatial_steps must be at least 1, got {self.spatial_steps}")

    def update(self, state: Model, data: Mixture) -> Model:
        spectral = self.spectral.fit(state.spectral, self.expected_powers(state, data))
        powers, covariances = self.spectral.powers(spectral), state.covariances
        for _ in range(self.spatial_steps):
            covariances = self.fit_covariances(powers, covariances, data, powers)
        return Model(spectral, covariances)


def _given(data: Mixture) -> Array:
    """The powers that the magnitudes say, `(..., sources, 1, frequency, frames)`."""
    return audible(mean_power(data.magnitudes))

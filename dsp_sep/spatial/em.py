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
        block: frames to work on at a time, for what does not fit into memory; all unless given. Beside the data and the
            images there are then only the state and one block: for 5 minutes in stereo, four sources, 0.4 GiB of `Free`
            powers (the images are 1.6). For a gradient a run keeps each iteration's state; a loss that goes by `blocks`
            too, over `posterior_mean` of each, does without the images.
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
        def frames(data, spectral):
            powers = self._powers(spectral)
            images = gaussian.posterior_images(data.mixture, powers, state.covariances, self.noise)
            images = gaussian.completed(images, data.mixture)
            return gaussian.stacked([image * data.unit for image in images]), None

        return over_frames(frames, data, self._by_frames(state.spectral), block=self.block)[0]

    def objective(self, state: Model, data: Mixture) -> Array:
        """The negative log-likelihood, `Σ log det (R_x / σ²) + xᴴ R_x⁻¹ x`, but for a constant: it is not negative.

        With the priors, if there are any: `isotropy` times the frames times the anisotropy of the covariances (see
        `dsp_sep.spatial.isotropy`), `faith` times the channels times `Σ IS(v⁰ | v)`.
        """

        def frames(data, spectral):
            powers = self._powers(spectral)
            loss = gaussian.negative_log_likelihood(data.mixture, powers, state.covariances, self.noise)
            return jnp.sum(loss, axis=-2, keepdims=True), None

        loss, _ = over_frames(frames, data, self._by_frames(state.spectral), block=self.block)
        total = jnp.sum(loss, axis=(-2, -1)) - math.prod(data.given.shape[-3:]) * log(self.noise)
        if self.isotropy is not None:
            penalty = jnp.sum(anisotropy(state.covariances), axis=(-2, -1))
            total = total + self.isotropy * data.given.shape[-1] * penalty
        if self.faith is not None:
            penalty = nmf.ItakuraSaito().value(_given(data), self.powers(state))
            total = total + self.faith * data.given.shape[-3] * jnp.sum(penalty, axis=(-4, -3, -2, -1))
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

    def suggested(self, data: Mixture, powers: Array, covariances: Array) -> Array:
        """`z`, what the observations suggest for the powers, and the prior, if there is one."""
        z = gaussian.posterior_power(data.mixture, powers, covariances, self.noise)
        return z if self.faith is None else (z + self.faith * _given(data)) / (1 + self.faith)

    def fit_spectral(self, state: Model, data: Mixture) -> Any:
        """The state of the spectral model after one step of it."""
        framewise = self.spectral.framewise

        def frames(data, spectral):
            z = self.suggested(data, self._powers(spectral), state.covariances)
            return self.spectral.fit(spectral, z) if framewise else z, None

        kept, _ = over_frames(frames, data, block=self.block, replacing=self._by_frames(state.spectral))
        return kept if framewise else self.spectral.fit(state.spectral, kept)

    def statistics(self, data: Mixture, powers: Array, covariances: Array, new_powers: Array) -> gaussian.Statistics:
        """What the covariances are updated by: posterior moments under `powers`, and `new_powers` to go with."""
        exponent = None if self.exponent is None else expand(self.exponent, data.given.ndim - 1)
        return gaussian.covariance_statistics(data.mixture, powers, covariances, self.noise, new_powers, exponent)

    def moved(self, covariances: Array, statistics: gaussian.Statistics) -> Array:
        """The spatial covariances for statistics of all frames."""
        moved = gaussian.updated_covariances(covariances, statistics)
        return moved if self.isotropy is None else shrunk(moved, covariances, self.isotropy)

    def fit_covariances(self, state: Model, data: Mixture, new: Any) -> Array:
        """The spatial covariances after one step, with the state `new` of the spectral model to go with."""

        def frames(data, old, new):
            return None, self.statistics(data, self._powers(old), state.covariances, self._powers(new))

        both = self._by_frames(state.spectral), self._by_frames(new)
        return self.moved(state.covariances, over_frames(frames, data, *both, block=self.block)[1])

    def _by_frames(self, spectral: Any) -> Any:
        """Arrays with the frames last that `_powers` makes the powers of these frames of."""
        return spectral if self.spectral.framewise else self.spectral.powers(spectral)

    def _powers(self, by_frames: Any) -> Array:
        return self.spectral.powers(by_frames) if self.spectral.framewise else by_frames


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
        if not self.spectral.framewise:
            spectral = self.fit_spectral(state, data)
            return Model(spectral, self.fit_covariances(state, data, spectral))

        def frames(data, old):
            powers = self._powers(old)
            new = self.spectral.fit(old, self.suggested(data, powers, state.covariances))
            return new, self.statistics(data, powers, state.covariances, self._powers(new))

        spectral, statistics = over_frames(frames, data, block=self.block, replacing=state.spectral)
        return Model(spectral, self.moved(state.covariances, statistics))


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
        state = Model(self.fit_spectral(state, data), state.covariances)
        for _ in range(self.spatial_steps):
            state = Model(state.spectral, self.fit_covariances(state, data, state.spectral))
        return state


def _given(data: Mixture) -> Array:
    """The powers that the magnitudes say, `(..., sources, 1, frequency, frames)`."""
    return audible(mean_power(data.magnitudes))

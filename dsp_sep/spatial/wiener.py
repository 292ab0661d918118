"""The approximate EM of norbert and Open-Unmix."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..iterate import Algorithm
from ..pytree import Number, domains, hyper, node, static
from . import gaussian
from .hermitian import Vector
from .model import Mixture, over_frames, prepare
from .starts import Softmask, Start


class Refined(NamedTuple):
    """Powers `(..., sources, 1, frequency, frames)`, spatial covariances, and 0 before the first iteration, then 1.

    Before the first the images are those of the start; powers and covariances are zero.
    """

    powers: Array
    covariances: Array
    moved: Array


@node
class WienerRefinement(Algorithm):
    """Repeated multichannel Wiener filtering, the approximate EM of norbert and Open-Unmix (Liutkus et al., 2014-2019).

    From images `c` it takes `v = ‖c‖² / channels` and `R = Σ_n c cᴴ / (ε + Σ_n v)` as they are, without the posterior
    covariance of an EM step, and filters the mixture with these, `c ← v R (Σ_k v_k R_k + √ε I)⁻¹ x`. `steps` here are
    norbert's and Open-Unmix's iterations; after none the images are those of the start.

    Data: `(mixture, magnitudes)`, complex `(..., channels, frequency, frames)` and nonnegative
    `(..., sources, 1 or channels, frequency, frames)`. Output: complex `(..., sources, channels, frequency, frames)`.
    There is no objective that it decreases, though one or two iterations often sound better than the start. The
    images miss what the regularisation takes out of quiet bins: only up to that do they sum to the mixture (`EM`'s
    do exactly). Frames shard, with partial sums over them gathered; blocks of frames give what all at once do.

    Attributes:
        start: the first images; norbert's ratio of magnitudes unless given.
        eps: `ε`, in the units in which the largest magnitude of the mixture is `scale`; Open-Unmix's 1e-10. norbert
            takes the machine's precision, 1.2e-7 or 2.2e-16.
        scale: see `eps`. The peers leave mixtures as they are whose largest magnitude is below it; here the
            regularisation always goes with the data.
        block: frames to work on at a time, for what does not fit into memory; all unless given.
    """

    start: Start = hyper(default_factory=Softmask)
    eps: Number = hyper(default=1e-10, domain=domains.POSITIVE)
    scale: Number = hyper(default=10.0, domain=domains.POSITIVE)
    block: int | None = static(default=None)

    def prepare(self, data: tuple[Array, Array]) -> Mixture:
        return prepare(data, type(self).__name__)

    def init(self, data: Mixture, *, key: Array | None = None) -> Refined:
        shape, dtype = jax.eval_shape(self.start, data.mixture, data.magnitudes).shape, data.given_magnitudes.dtype
        *batch, channels, frequencies, frames = data.given.shape
        powers = jnp.zeros((*batch, shape[-4], 1, frequencies, frames), dtype)
        covariances = jnp.zeros((*batch, shape[-4], frequencies, channels, channels), data.given.dtype)
        return Refined(powers, covariances, jnp.zeros((), dtype))

    def update(self, state: Refined, data: Mixture) -> Refined:
        frames = self._over_images(gaussian.local_gaussian_statistics, state)
        powers, (gram, total) = over_frames(frames, data, block=self.block, replacing=state.powers)
        floor = self.eps * data.peak / self.scale**2
        return Refined(powers, gaussian.divided(gram, total, floor), jnp.ones_like(state.moved))

    def readout(self, state: Refined, data: Mixture) -> Array:
        def in_units_of_the_user(images: Vector) -> tuple[Array, None]:
            return gaussian.stacked([image * data.unit for image in images]), None

        frames = self._over_images(in_units_of_the_user, state)
        return over_frames(frames, data, state.powers, block=self.block)[0]

    def _over_images(
        self, map: Callable[[Vector], tuple[Any, Any]], state: Refined
    ) -> Callable[[Mixture, Array], tuple[Any, Any]]:
        """What a map makes of the images of some frames, which are not stored."""

        def frames(data: Mixture, powers: Array) -> tuple[Any, Any]:
            noise = jnp.sqrt(self.eps) * data.peak / self.scale**2
            return lax.cond(
                state.moved > 0,
                lambda: map(gaussian.posterior_images(data.mixture, powers, state.covariances, noise)),
                lambda: map(gaussian.channels_of(self.start(data.mixture, data.magnitudes))),
            )

        return frames

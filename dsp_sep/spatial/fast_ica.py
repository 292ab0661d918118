"""Independent components at every frequency by a fixed point: complex FastICA."""

import abc
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array, lax

from ..iterate import Algorithm
from ..numerics import magnitude, matmul, scale, square_magnitude, transpose
from ..pytree import Number, domains, hyper, node
from .demixing import align, completed, demix, images, inverse_root, regular, start_matrices, whiten
from .model import Observation, observation


class Contrast(abc.ABC):
    """A function `G` of powers `p = |y|²` whose mean tells sources from Gaussian mixtures of them."""

    @abc.abstractmethod
    def value(self, powers: Array) -> Array:
        """`G(p)`."""

    @abc.abstractmethod
    def derivatives(self, powers: Array) -> tuple[Array, Array]:
        """`G'(p)` and `G''(p)`."""


@node
class SquareRoot(Contrast):
    """`G(p) = √(a + p)`, for sources with few large values, such as sounds.

    Attributes:
        a: positive; 0.1 in the paper.
    """

    a: Number = hyper(default=0.1, domain=domains.POSITIVE)

    def value(self, powers: Array) -> Array:
        return jnp.sqrt(self.a + powers)

    def derivatives(self, powers: Array) -> tuple[Array, Array]:
        root = jnp.sqrt(self.a + powers)
        return 0.5 / root, -0.25 / root**3


@node
class Logarithm(Contrast):
    """`G(p) = log(a + p)`, which large values sway less still.

    Attributes:
        a: positive; 0.1 in the paper.
    """

    a: Number = hyper(default=0.1, domain=domains.POSITIVE)

    def value(self, powers: Array) -> Array:
        return jnp.log(self.a + powers)

    def derivatives(self, powers: Array) -> tuple[Array, Array]:
        inverse = 1 / (self.a + powers)
        return inverse, -(inverse**2)


class Whitened(NamedTuple):
    """The whitened mixture, what undoes the whitening `(..., frequency, channels, channels)`, and what was whitened."""

    mixture: Array
    dewhitening: Array
    observed: Observation


@node
class FastICA(Algorithm):
    """Complex FastICA, all components at once (Bingham and Hyvärinen, 2000), at every frequency by itself.

    Of the whitened mixture `z`: `y = Wz`; `w_j ← E{z y_j* G'(|y_j|²)} - E{G' + |y_j|² G''} w_j`; then the nearest
    unitary matrix, `W ← (W Wᴴ)^(-1/2) W`. Ten iterations or so suffice. There is no proof that the contrast falls.

    Data: complex `(..., channels, frequency, frames)`, two to six channels. State: unitary matrices
    `(..., frequency, sources, channels)`. Output: the images, complex `(..., sources, channels, frequency, frames)`, in
    an order that `align` finds at each frequency from the activities; they sum to the mixture. It assumes as many
    sources as channels, that stay in their places, a hundred frames or more, and rooms whose reverberation is not
    longer than the window. Frequencies do not help one another, and where the activities are alike their order goes
    wrong: `Demixing` is safer, and slower to converge. Batch axes shard, frequencies up to the order.

    Attributes:
        contrast: what is looked at.
        start: unitary matrices to start from, broadcasting over batch axes; identities unless given.
    """

    contrast: Contrast = hyper(default_factory=SquareRoot, kw_only=False)
    start: Array | None = hyper(default=None)

    def prepare(self, data: Array) -> Whitened:
        observed = observation(data, "FastICA")
        z, _, dewhitening = whiten(observed.mixture)
        return Whitened(z, dewhitening, observed)

    def init(self, data: Whitened, *, key: Array | None = None) -> Array:
        return start_matrices(self.start, data.mixture)

    def update(self, state: Array, data: Whitened) -> Array:
        y = demix(state, data.mixture)
        powers = square_magnitude(y)
        first, second = self.contrast.derivatives(powers)
        z = jnp.moveaxis(data.mixture, -3, -2)
        turned = jnp.moveaxis(scale(first / y.shape[-1], y), -3, -2)
        kept = jnp.swapaxes(jnp.mean(first + powers * second, axis=-1), -1, -2)
        W = matmul(turned, jnp.conj(transpose(z))) - scale(jnp.expand_dims(kept, -1), state)
        return matmul(inverse_root(regular(matmul(W, jnp.conj(transpose(W))))), W)

    def readout(self, state: Array, data: Whitened) -> Array:
        y = demix(state, data.mixture)
        order = align(lax.stop_gradient(magnitude(y)))
        y = jnp.take_along_axis(y, jnp.expand_dims(jnp.swapaxes(order, -1, -2), -1), axis=-3)
        mixing = matmul(data.dewhitening, jnp.conj(transpose(state)))
        mixing = jnp.take_along_axis(mixing, jnp.expand_dims(order, -2), axis=-1)
        mixture, unit = data.observed
        return scale(jnp.expand_dims(unit, -4), completed(images(mixing, y), mixture))

    def objective(self, state: Array, data: Whitened) -> Array:
        """The contrast, `Σ_f Σ_j E{G(|y_j|²)}`: low for sounds apart; as a rule it falls."""
        values = self.contrast.value(square_magnitude(demix(state, data.mixture)))
        return jnp.sum(jnp.mean(values, axis=-1), axis=(-2, -1))

"""Blind separation of determined mixtures: independent vectors, independent low-rank matrices, or a network."""

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
from jax import Array

from ..iterate import Algorithm
from ..numerics import scale, square_magnitude
from ..pytree import hyper, node, static
from .demixing import demix, iterative_projection, pairwise_projection, project_back, source_steering, start_matrices
from .independence import Laplace, SourceModel
from .model import Observation, observation

RULES: dict[str, Callable[[Array, Array, Array], Array]] = {
    "ip1": iterative_projection,
    "ip2": pairwise_projection,
    "iss": source_steering,
}


class Demixed(NamedTuple):
    """Demixing matrices `(..., frequency, sources, channels)`, and the state of the source model."""

    demixing: Array
    sources: Any


@node
class Demixing(Algorithm):
    """Blind separation with as many sources as channels, by the auxiliary function technique.

    One iteration: `y = W x`; the source model looks at `|y|²` and gives weights `φ`, one over the variances of the
    sources; the rule updates `W` for the weighted covariances `mean_n φ_j x xᴴ`. With `Laplace` or `Gauss` this is
    AuxIVA (Ono, 2011), with `IndependentLowRank` it is ILRMA (Kitamura et al., 2016), with `HeavyTailed` its Student-t
    form, with `LearnedSources` a network takes the place of the statistics (as in torchiva). The likelihood does not
    fall but with a network. For that the sources are taken to hold noise, 1e-10 of the mixture's mean power (1e-6 in
    single precision): otherwise filters that null a source in a few frames have as much likelihood as one likes, and
    weights beyond any precision.

    Data: complex `(..., channels, frequency, frames)`. Output: the images, complex
    `(..., sources, channels, frequency, frames)`, by projection back; they sum to the mixture. It assumes sources that
    stay in their places, and rooms whose reverberation is not much longer than the window. Frequencies and batch axes
    shard (with `Laplace` and `Gauss` one all-reduce an iteration).

    Attributes:
        sources: what is assumed of the sources.
        rule: "ip1", "ip2" (pairs, fewer iterations; its gradient has no bound where a pair's two variances coincide) or
            "iss" (no inverses, the cheapest for many channels).
        start: demixing matrices to start from, broadcasting over batch axes; identities unless given.
    """

    sources: SourceModel = hyper(default=Laplace(), kw_only=False)
    rule: str = static(default="ip1")
    start: Array | None = hyper(default=None)

    def validate(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"Demixing: rule must be one of {', '.join(RULES)}, got {self.rule!r}")

    def prepare(self, data: Array) -> Observation:
        return observation(data, "Demixing")

    def init(self, data: Observation, *, key: Array | None = None) -> Demixed:
        W = start_matrices(self.start, data.mixture)
        return Demixed(W, self.sources.start(_powers(W, data.mixture), key))

    def update(self, state: Demixed, data: Observation) -> Demixed:
        powers = _powers(state.demixing, data.mixture)
        sources = self.sources.fit(state.sources, powers)
        weights = self.sources.weights(sources, powers)
        return Demixed(RULES[self.rule](state.demixing, data.mixture, weights), sources)

    def readout(self, state: Demixed, data: Observation) -> Array:
        images = project_back(state.demixing, data.mixture)
        return scale(jnp.expand_dims(data.unit, -4), images)

    def objective(self, state: Demixed, data: Observation) -> Array:
        """The negative log-likelihood of a frame but for a constant, `Σ_j mean_n loss_j - 2 Σ_f log |det W|`."""
        powers = _powers(state.demixing, data.mixture)
        determinants = jnp.linalg.slogdet(state.demixing)[1]
        return self.sources.loss(state.sources, powers) - 2 * jnp.sum(determinants, axis=-1)


def _powers(W: Array, mixture: Array) -> Array:
    """Of the sources, with noise."""
    powers = square_magnitude(demix(W, mixture))
    return powers + max(1e-10, 10 * float(jnp.finfo(powers.dtype).eps))

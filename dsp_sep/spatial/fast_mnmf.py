"""Blind separation with spatial covariances that one matrix a frequency makes diagonal: FastMNMF2."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from .. import nmf
from ..iterate import Algorithm
from ..nmf.nmf import normalize as normalize_factors
from ..nmf.updates import multiply, observe
from ..numerics import matmul, scale, square_magnitude, tiny, transpose
from ..pytree import Number, domains, hyper, node, static
from .demixing import completed, demix, inverse, project, start_matrices, weighted_covariances
from .model import Observation, observation

ORDERS = ("in turn", "together")


class Diagonalized(NamedTuple):
    """The state; `‖Q_f‖² = channels`, the gains of a source sum to one, and so do the columns of `W`.

    Attributes:
        diagonalizer: `Q` `(..., frequency, channels, channels)`.
        factors: `W` `(..., sources, frequency, components)` and `H` `(..., sources, components, frames)`.
        gains: `g` `(..., sources, channels)`.
    """

    diagonalizer: Array
    factors: nmf.Factors
    gains: Array


@node
class FastMNMF2(Algorithm):
    """Fast multichannel NMF with directivity-aware, jointly diagonalisable covariances (Sekiguchi et al., 2020).

    The local Gaussian model with powers of low rank, `λ_j = W_j H_j`, and spatial covariances of full rank that share
    a basis, `R_j(f) = Q_f⁻¹ diag(g_j) Q_f⁻ᴴ`. A source has one directivity `g_j` at all frequencies, which keeps its
    frequencies together; in the basis all is scalar, `|q_m x|² ~ y_m = Σ_j g_jm λ_j`. One iteration updates `W`, `H`
    and `g` multiplicatively, for the Itakura-Saito divergence, then each row of `Q` by iterative projection. The
    likelihood never falls with the order "in turn".

    Any number of sources, more or fewer than channels too. Data: complex `(..., channels, frequency, frames)`, two
    channels or more. Output: the images, complex `(..., sources, channels, frequency, frames)`; they sum to the
    mixture. It assumes sources that stay in their places; reverberation it bears better than `Demixing` does. It ends
    where the start has led it: try several keys, or start from the matrices that `Demixing` found. Frequencies, frames
    (with all-reduces) and batch axes shard.

    Attributes:
        components: how many for each source.
        sources: how many; as many as channels unless given.
        order: "in turn", as in the paper, where each factor sees the update of the one before; or "together", where
            `H` sees what `W` saw: a pass less, no proof, and what pyroomacoustics does.
        noise: the power of a white noise that the mixture is taken to hold in every channel, beside its mean power;
            at least ten roundings. Without it the likelihood has no bound.
        leakage: the gains that the sources start with, beside 1 for source `j` at the rows `j, j + sources, …`.
        initial: where the factors start; drawn, with a key, unless given.
        start: diagonalisers to start from, broadcasting over batch axes; identities unless given.
    """

    components: int = static()
    sources: int | None = static(default=None)
    order: str = static(default="in turn")
    noise: Number = hyper(default=1e-10, domain=domains.NONNEGATIVE)
    leakage: Number = hyper(default=5e-2, domain=domains.POSITIVE)
    initial: nmf.starts.Start = hyper(default=nmf.Random())
    start: Array | None = hyper(default=None)

    def validate(self) -> None:
        if self.order not in ORDERS:
            raise ValueError(f"FastMNMF2: order must be one of {', '.join(map(repr, ORDERS))}, got {self.order!r}")
        if self.components < 1 or (self.sources is not None and self.sources < 1):
            raise ValueError(
                f"FastMNMF2: components and sources must be at least 1, got {self.components} and {self.sources}"
            )

    def prepare(self, data: Array) -> Observation:
        return observation(data, "FastMNMF2")

    def init(self, data: Observation, *, key: Array | None = None) -> Diagonalized:
        Q = start_matrices(self.start, data.mixture)
        powers = self._powers(Q, data)
        *batch, channels, frequencies, frames = powers.shape
        sources = self.sources or channels
        mean = jnp.mean(powers, axis=-3, keepdims=True)
        V = observe(jnp.broadcast_to(mean, (*batch, sources, frequencies, frames)), "FastMNMF2").V
        factors = nmf.Factors(
            self.initial.start_dictionary(V, self.components, key),
            self.initial.start_activations(V, self.components, key),
        )
        own = jnp.arange(channels)[None] % sources == jnp.arange(sources)[:, None]
        gains = jnp.where(own, jnp.ones((), V.dtype), self.leakage)
        return normalize(Diagonalized(Q, factors, jnp.broadcast_to(gains, (*batch, sources, channels))))

    def update(self, state: Diagonalized, data: Observation) -> Diagonalized:
        Q, (W, H), g = state
        powers = self._powers(Q, data)
        parts = [_mix(g, part) for part in nmf.ItakuraSaito().derivative(powers, _model(state))]
        W = _multiplied(W, [matmul(part, transpose(H)) for part in parts])
        if self.order == "in turn":
            model = _model(Diagonalized(Q, nmf.Factors(W, H), g))
            parts = [_mix(g, part) for part in nmf.ItakuraSaito().derivative(powers, model)]
        state = Diagonalized(Q, nmf.Factors(W, _multiplied(H, [matmul(transpose(W), part) for part in parts])), g)
        variances = _flat(matmul(*state.factors))
        parts = [
            matmul(variances, transpose(_flat(part))) for part in nmf.ItakuraSaito().derivative(powers, _model(state))
        ]
        state = state._replace(gains=_multiplied(g, parts))
        return normalize(state._replace(diagonalizer=project(Q, self._covariances(1 / _model(state), data))))

    def readout(self, state: Diagonalized, data: Observation) -> Array:
        Q, factors, g = state
        parts = jnp.expand_dims(g, (-2, -1)) * jnp.expand_dims(matmul(*factors), -3)
        share = parts / jnp.expand_dims(_model(state), -4)
        images = demix(jnp.expand_dims(inverse(Q), -4), scale(share, jnp.expand_dims(demix(Q, data.mixture), -4)))
        return scale(jnp.expand_dims(data.unit, -4), completed(images, data.mixture))

    def objective(self, state: Diagonalized, data: Observation) -> Array:
        """The negative log-likelihood of a mean frame, `Σ |q x|²/y + log y - 2 Σ_f log |det Q|`, but for a constant."""
        y = _model(state)
        loss = self._powers(state.diagonalizer, data) / y + jnp.log(y)
        determinants = jnp.linalg.slogdet(state.diagonalizer)[1]
        return jnp.sum(jnp.mean(loss, axis=-1), axis=(-2, -1)) - 2 * jnp.sum(determinants, axis=-1)

    def _powers(self, Q: Array, data: Observation) -> Array:
        """`|q_m x|²` with the noise, `(..., channels, frequency, frames)`."""
        powers = square_magnitude(demix(Q, data.mixture))
        gain = jnp.swapaxes(jnp.sum(square_magnitude(Q), axis=-1), -1, -2)
        return powers + self._noise(powers) * jnp.expand_dims(gain, -1)

    def _covariances(self, weights: Array, data: Observation) -> Array:
        """The weighted covariances of the mixture with the noise, `(..., channels, frequency, channels, channels)`."""
        U = weighted_covariances(data.mixture, weights)
        noise = self._noise(weights) * jnp.mean(weights, axis=-1)
        eye = jnp.eye(U.shape[-1], dtype=noise.dtype).reshape((1,) * noise.ndim + U.shape[-2:])
        return U + (jnp.expand_dims(noise, (-2, -1)) * eye).astype(U.dtype)

    def _noise(self, like: Array) -> Array:
        return jnp.maximum(self.noise, 10 * float(jnp.finfo(like.dtype).eps))


def normalize(state: Diagonalized) -> Diagonalized:
    """The same model in the scales of `Diagonalized`."""
    Q, (W, H), g = state
    size = jnp.mean(jnp.sum(square_magnitude(Q), axis=-1), axis=-1)
    total = jnp.maximum(jnp.sum(g, axis=-1), tiny(g.dtype))
    Q = scale(jnp.expand_dims(1 / jnp.sqrt(size), (-2, -1)), Q)
    W = W * jnp.expand_dims(total, (-2, -1)) / jnp.expand_dims(size, (-3, -1))
    return Diagonalized(Q, normalize_factors(nmf.Factors(W, H)), g / jnp.expand_dims(total, -1))


def _model(state: Diagonalized) -> Array:
    """`y_m = Σ_j g_jm λ_j`, `(..., channels, frequency, frames)`."""
    y = _mix(transpose(state.gains), matmul(*state.factors))
    return jnp.maximum(y, jnp.finfo(y.dtype).eps ** 2)


def _multiplied(factor: Array, parts: Sequence[Array]) -> Array:
    negative, positive = parts
    return multiply(factor, (negative, positive), nmf.ItakuraSaito(), nmf.MajorizeMinimize())


def _mix(A: Array, x: Array) -> Array:
    """`A` `(..., a, b)` times `x` `(..., b, frequency, frames)`."""
    return matmul(A, _flat(x)).reshape(*A.shape[:-1], *x.shape[-2:])


def _flat(x: Array) -> Array:
    return x.reshape(*x.shape[:-2], -1)

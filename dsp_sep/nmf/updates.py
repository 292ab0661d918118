"""Multiplicative updates, as pure functions, and what the algorithms of the room share."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..iterate import check_nonnegative
from ..masking import ratio
from ..numerics import divide, expand, floor, matmul, tiny, transpose
from .divergences import Divergence
from .penalties import Penalty
from .rules import Rule, common_degrees


class Factors(NamedTuple):
    """The dictionary `W` `(..., frequency, components)` and the activations `H` `(..., components, frames)`."""

    dictionary: Array
    activations: Array


class Weighted(NamedTuple):
    """A spectrogram `V` with a weight for each bin, `min Σ weights ⊙ D(V | W H)`: data for every algorithm here.

    `V` is `(..., frequency, frames)`, and the weights, nonnegative, broadcast to it: one where a bin counts, zero where
    it is missing (what `V` holds there does not matter, not even NaN). Descent is proved as it is without weights.
    """

    V: Array
    weights: Array


class Observed(NamedTuple):
    """A spectrogram that is at least its floor, the floor, `(..., 1, 1)`, and weights, if there are any.

    So zeros and silence are safe for every divergence, and the updates still descend: they minimise the objective of
    this floored spectrogram, with the model kept above the same floor.
    """

    V: Array
    floor: Array
    weights: Array | None = None


def observe(data: Array | Weighted, name: str) -> Observed:
    """Check a spectrogram and lift it to its floor; missing bins are given the mean of the others."""
    V, weights = data if isinstance(data, Weighted) else (data, None)
    if V.ndim < 2 or jnp.iscomplexobj(V) or not jnp.issubdtype(V.dtype, jnp.floating):
        raise ValueError(
            f"{name}: the spectrogram has shape {V.shape} and dtype {V.dtype}, "
            f"expected real (..., frequency, frames); take abs() of an STFT"
        )
    if weights is not None:
        if not _broadcasts(weights.shape, V.shape):
            raise ValueError(f"{name}: weights have shape {weights.shape}, expected one that broadcasts to {V.shape}")
        weights = jnp.broadcast_to(expand(weights, V.ndim), V.shape).astype(V.dtype)
        there = weights > 0
        V = jnp.where(there, V, 0)
        share = jnp.mean(there.astype(V.dtype), axis=(-2, -1), keepdims=True)
        V = jnp.where(there, V, divide(jnp.mean(V, axis=(-2, -1), keepdims=True), share))
    check_nonnegative(name, "the spectrogram", V)
    lowest = floor(V)
    return Observed(jnp.maximum(V, lowest), lowest, weights)


def activations_parts(observed: Observed, W: Array, H: Array, divergence: Divergence) -> tuple[Array, Array]:
    """`(Wᵀ negative, Wᵀ positive)`, both broadcasting to `(..., components, frames)`."""
    if observed.weights is None:
        return divergence.activations_parts(observed.V, W, H, observed.floor)
    negative, positive = weighted_derivative(observed, matmul(W, H), divergence)
    return matmul(transpose(W), negative), matmul(transpose(W), positive)


def dictionary_parts(observed: Observed, W: Array, H: Array, divergence: Divergence) -> tuple[Array, Array]:
    """`(negative Hᵀ, positive Hᵀ)`, both broadcasting to `(..., frequency, components)`."""
    if observed.weights is None:
        return divergence.dictionary_parts(observed.V, W, H, observed.floor)
    negative, positive = weighted_derivative(observed, matmul(W, H), divergence)
    return matmul(negative, transpose(H)), matmul(positive, transpose(H))


def weighted_derivative(observed: Observed, Y: Array, divergence: Divergence) -> tuple[Array, Array]:
    """The parts (negative, positive) of the derivative of the objective with respect to a model `Y`."""
    negative, positive = divergence.derivative(observed.V, jnp.maximum(Y, observed.floor))
    if observed.weights is None:
        return negative, positive
    return observed.weights * negative, observed.weights * positive


def update_activations(
    observed: Observed, W: Array, H: Array, divergence: Divergence, rule: Rule, penalties: Sequence[Penalty] = ()
) -> Array:
    """One multiplicative update of `H`, `H ⊙ rule(Wᵀ negative / Wᵀ positive)`, with penalties in the parts.

    Args:
        observed: what `observe` made of `V` `(..., frequency, frames)`.
        W: `(..., frequency, components)`.
        H: `(..., components, frames)`.
        divergence: what is measured between `V` and `W H`.
        rule: how the ratio becomes a factor.
        penalties: on `H`.
    """
    parts = activations_parts(observed, W, H, divergence)
    return multiply(H, parts, divergence, rule, penalties)


def update_dictionary(
    observed: Observed, W: Array, H: Array, divergence: Divergence, rule: Rule, penalties: Sequence[Penalty] = ()
) -> Array:
    """One multiplicative update of `W`, `W ⊙ rule(negative Hᵀ / positive Hᵀ)`; arguments as `update_activations`."""
    return multiply_dictionary(W, dictionary_parts(observed, W, H, divergence), divergence, rule, penalties)


def multiply_dictionary(
    W: Array, parts: tuple[Array, Array], divergence: Divergence, rule: Rule, penalties: Sequence[Penalty] = ()
) -> Array:
    """`multiply` of a dictionary, whose penalties are shown `Wᵀ`."""
    if not penalties:
        return multiply(W, parts, divergence, rule)
    negative, positive = parts
    return transpose(multiply(transpose(W), (transpose(negative), transpose(positive)), divergence, rule, penalties))


def multiply(
    factor: Array, parts: tuple[Array, Array], divergence: Divergence, rule: Rule, penalties: Sequence[Penalty] = ()
) -> Array:
    """`factor ⊙ rule(negative / positive)`, with the parts of the penalties, on `(..., components, ...)`, in these."""
    negative, positive = parts
    for penalty in penalties:
        more_negative, more_positive = penalty.parts(factor)
        negative, positive = negative + more_negative, positive + more_positive
    smallest = tiny(factor.dtype)
    ratio = jnp.maximum(negative / jnp.maximum(positive, smallest), smallest)
    return factor * rule.factor(ratio, common_degrees([divergence.degrees, *(p.degrees for p in penalties)]))


def objective(observed: Observed, W: Array, H: Array, divergence: Divergence) -> Array:
    """`D(V | W H)`, summed over frequency and frames, `(...)`."""
    return distance(observed, matmul(W, H), divergence)


def distance(observed: Observed, Y: Array, divergence: Divergence) -> Array:
    """`D(V | Y)` of any model `Y` of the shape of `V`, summed over frequency and frames, `(...)`."""
    values = divergence.value(observed.V, jnp.maximum(Y, observed.floor))
    values = values if observed.weights is None else observed.weights * values
    return jnp.sum(jnp.sum(values, axis=-1), axis=-1)


def reconstruct(dictionary: Array, activations: Array) -> Array:
    """The model of the whole spectrogram, `W H`, `(..., frequency, frames)`."""
    return matmul(dictionary, activations)


def join(dictionaries: Sequence[Array]) -> Array:
    """One dictionary, `(..., frequency, components in all)`, of those of several sources, source after source."""
    return jnp.concatenate(list(dictionaries), axis=-1)


def parts(dictionary: Array, activations: Array, components: Sequence[int]) -> Array:
    """Each source's part of the model, `W_j H_j`.

    Args:
        dictionary: `(frequency, components in all)`, such as `join` gave, or with the axes of the activations before.
        activations: `(..., channels, components in all, frames)`.
        components: how many of them belong to each source, in order.

    Returns:
        `(..., sources, channels, frequency, frames)`.

    Raises:
        ValueError: if the numbers of components do not add up, or there is no channel axis.
    """
    if activations.ndim < 3:
        raise ValueError(
            f"parts: activations have shape {activations.shape}, expected (..., channels, components, frames)"
        )
    dictionary = expand(dictionary, activations.ndim)
    if sum(components) != dictionary.shape[-1]:
        raise ValueError(
            f"parts: components {tuple(components)} do not add up to the {dictionary.shape[-1]} of the dictionary"
        )
    ends = [sum(components[: j + 1]) for j in range(len(components))]
    ranges = [slice(end - count, end) for end, count in zip(ends, components, strict=True)]
    return jnp.stack([matmul(dictionary[..., r], activations[..., r, :]) for r in ranges], axis=-4)


def masks(dictionary: Array, activations: Array, components: Sequence[int], exponent: Array | float = 1.0) -> Array:
    """Each source's share of the model, `(W_j H_j)ᵖ / Σ_k (W_k H_k)ᵖ`; times the mixture they sum to the mixture.

    Arguments and shape as `parts`; `exponent` is that of `masking.ratio`.
    """
    return ratio(parts(dictionary, activations, components), exponent)


def _broadcasts(shape: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(shape, expected) == expected
    except ValueError:
        return False

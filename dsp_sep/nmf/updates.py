"""Multiplicative updates, as pure functions, and what the algorithms of the room share."""

from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from ..numerics import expand, floor, matmul, tiny
from .divergences import Divergence
from .penalties import Penalty
from .rules import Rule


class Factors(NamedTuple):
    """The dictionary `W` `(..., frequency, components)` and the activations `H` `(..., components, frames)`."""

    dictionary: Array
    activations: Array


class Observed(NamedTuple):
    """A spectrogram that is at least its floor, and the floor, `(..., 1, 1)`.

    So zeros and silence are safe for every divergence, and the updates still descend: they minimise the objective of
    this floored spectrogram, with the model kept above the same floor.
    """

    V: Array
    floor: Array


def observe(V: Array, name: str) -> Observed:
    """Check a spectrogram and lift it to its floor."""
    if V.ndim < 2 or jnp.iscomplexobj(V) or not jnp.issubdtype(V.dtype, jnp.floating):
        raise ValueError(
            f"{name}: the spectrogram has shape {V.shape} and dtype {V.dtype}, "
            f"expected real (..., frequency, frames); take abs() of an STFT"
        )
    lowest = floor(V)
    return Observed(jnp.maximum(V, lowest), lowest)


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
    parts = divergence.activations_parts(observed.V, W, H, observed.floor)
    return _multiply(H, parts, divergence, rule, penalties)


def update_dictionary(
    observed: Observed, W: Array, H: Array, divergence: Divergence, rule: Rule, penalties: Sequence[Penalty] = ()
) -> Array:
    """One multiplicative update of `W`, `W ⊙ rule(negative Hᵀ / positive Hᵀ)`; arguments as `update_activations`."""
    parts = divergence.dictionary_parts(observed.V, W, H, observed.floor)
    return _multiply(W, parts, divergence, rule, penalties)


def _multiply(
    factor: Array, parts: tuple[Array, Array], divergence: Divergence, rule: Rule, penalties: Sequence[Penalty]
) -> Array:
    negative, positive = parts
    for penalty in penalties:
        more_negative, more_positive = penalty.parts(factor)
        negative, positive = negative + more_negative, positive + more_positive
    smallest = tiny(factor.dtype)
    ratio = jnp.maximum(negative / jnp.maximum(positive, smallest), smallest)
    return factor * rule.factor(ratio, divergence)


def objective(observed: Observed, W: Array, H: Array, divergence: Divergence) -> Array:
    """`D(V | W H)`, summed over frequency and frames, `(...)`."""
    Y = jnp.maximum(matmul(W, H), observed.floor)
    return jnp.sum(jnp.sum(divergence.value(observed.V, Y), axis=-1), axis=-1)


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

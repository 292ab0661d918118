"""Supervised NMF: a dictionary for each source from songs, plain or sparse, and the points of its grid."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

import dsp_sep as ds
from dsp_sep import nmf

from . import problems
from .models import Point
from .problems import STFT

DIVERGENCES = {0.5: nmf.Beta(0.5), 1.0: nmf.KullbackLeibler(), 2.0: nmf.Euclidean()}


class Choice(NamedTuple):
    """A point of the grid by its numbers.

    Attributes:
        beta: of the divergence.
        sparse: whether the dictionary is that of sparse NMF with the same weight.
        sparsity: weight of the L1 norm of the activations.
        exponent: of the ratio mask.
    """

    beta: float
    sparse: bool
    sparsity: float
    exponent: float

    @property
    def name(self) -> str:
        return f"{'sparse' if self.sparse else 'plain'}, beta {self.beta:g}, weight {self.sparsity:g}"

    def point(self, dictionary: Array) -> Point:
        return Point(
            dictionary=dictionary,
            divergence=DIVERGENCES[self.beta],
            sparsity=self.sparsity,
            exponent=self.exponent,
        )


def learn(songs: Mapping[str, np.ndarray], choice: Choice, *, components: int, seconds: float, steps: int) -> Array:
    """The dictionary of all sources, source after source, columns of unit norm, `(frequency, components in all)`."""
    excerpts = problems.middles(songs, seconds)
    V = jnp.concatenate([jnp.abs(STFT.analyze(sources[:, 0])) for sources in excerpts], axis=-1)
    divergence = DIVERGENCES[choice.beta]
    if choice.sparse:
        algorithm = nmf.SparseNMF(components=components, sparsity=choice.sparsity, divergence=divergence)
    else:
        algorithm = nmf.NMF(components=components, divergence=divergence)
    return nmf.join(list(_unit(_learn(algorithm, V, steps=steps))))


@partial(jax.jit, static_argnames="steps")
def _learn(algorithm: nmf.NMF | nmf.SparseNMF, V: Array, *, steps: int) -> Array:
    return ds.run(algorithm, V, steps, key=jax.random.key(0)).output.dictionary


@jax.jit
def _unit(W: Array) -> Array:
    return W / jnp.linalg.norm(W, axis=-2, keepdims=True)

"""Activations in layers, a reconstruction and a mask as one tree; which of its leaves each variant has and trains."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

import dsp_sep as ds
from dsp_sep import nmf
from dsp_sep.pytree import Number, domains, hyper, node, static


@node
class Point:
    """One point of the grid of supervised NMF: what is divided by, how sparse, and the mask.

    Attributes:
        dictionary: `(frequency, components)`, source after source.
        divergence: of the activations.
        sparsity: weight of the L1 norm of the activations.
        exponent: of the ratio mask.
    """

    dictionary: Array = hyper(domain=domains.NONNEGATIVE)
    divergence: nmf.Divergence = hyper()
    sparsity: Number = hyper(domain=domains.NONNEGATIVE)
    exponent: Number = hyper()

    def activations(self) -> nmf.Activations:
        weight = jnp.full((self.dictionary.shape[-1], 1), self.sparsity)
        return nmf.Activations(
            dictionary=self.dictionary,
            divergence=self.divergence,
            penalties=(nmf.Sparsity(weight),),
            rule=nmf.Stretched(),
        )


@node
class Separator:
    """Iterations that stay as they are, layers, and the ratio mask of the parts of a model of its own.

    Attributes:
        layers: `Activations`, unfolded.
        reconstruction: the dictionary the sources are made with; `None` for that of the last layer.
        mask: their mask.
        classic: `Activations` whose iterations come before the layers.
        before: how many.
        sources: how many; they have as many atoms each.
    """

    layers: ds.Unfolded = hyper()
    reconstruction: Array | None = hyper(default=None, domain=domains.NONNEGATIVE)
    mask: ds.masking.RatioMask = hyper()
    classic: nmf.Activations | None = hyper(default=None)
    before: int = static(default=0)
    sources: int = static()

    def __call__(self, X: Array) -> Array:
        """The spectrograms of the sources, `(..., sources, 1, frequency, frames)`, of `X` `(..., 1, ...)`."""
        V = ds.numerics.magnitude(X)
        state = ds.run(self.classic, V, self.before).state if self.before else None
        H = ds.run(self.layers, V, state=state).output
        W = self.layers[-1].dictionary if self.reconstruction is None else self.reconstruction
        masks = self.mask(nmf.parts(W, H, (W.shape[-1] // self.sources,) * self.sources))
        return ds.numerics.scale(masks, jnp.broadcast_to(jnp.expand_dims(X, -4), masks.shape))


class Variant(NamedTuple):
    """What is trained, and how many of the last iterations are layers of their own.

    Attributes:
        title: for people.
        trained: names of leaves.
        untied: layers with leaves of their own, from the last one back; `None` for all.
        reconstruction: whether the reconstruction has a dictionary of its own.
    """

    title: str
    trained: tuple[str, ...]
    untied: int | None = 0
    reconstruction: bool = True


LAYER = ("layers.dictionary", "layers.penalties.0.weight", "layers.rule.exponent")
VARIANTS = {
    "reconstruction": Variant("reconstruction trained, no layers", ("reconstruction",)),
    "task-driven": Variant("task-driven dictionary", ("layers.dictionary",), reconstruction=False),
    "task-driven, two": Variant("task-driven, reconstruction of its own", ("layers.dictionary", "reconstruction")),
    "deep, last 5": Variant("deep NMF, last 5 layers", (*LAYER, "reconstruction"), untied=5),
    "deep": Variant("deep NMF, all layers", (*LAYER, "reconstruction"), untied=None),
}


def separator(point: Point, variant: Variant, depth: int, sources: int) -> Separator:
    """A variant as it is before training: the classic `depth` iterations."""
    layer = point.activations()
    count = depth if variant.untied is None else min(variant.untied, depth) or depth
    untied = [name.removeprefix("layers.") for name in LAYER] if variant.untied != 0 else []
    return Separator(
        layers=ds.unfold(layer, count, untied=untied),
        reconstruction=point.dictionary if variant.reconstruction else None,
        mask=ds.masking.RatioMask(point.exponent),
        classic=layer if count < depth else None,
        before=depth - count,
        sources=sources,
    )

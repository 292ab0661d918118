"""Masks that decide: all of a bin to the loudest source, or to those above a threshold, hard or softened."""

import jax
import jax.numpy as jnp
from jax import Array

from ..numerics import expand, magnitude, max_of_few, scale, sum_of_few
from ..pytree import Number, domains, hyper, node
from .ratio import ratio


def binary(magnitudes: Array) -> Array:
    """The ideal binary mask, one for the loudest source and zero for the others (shared where several are).

    Wang (2005), "On ideal binary mask as the computational goal of auditory scene analysis". It sums to one over the
    sources. Its derivative is zero everywhere: to learn through a decision use `RatioMask` with a large exponent, of
    which this is the limit.

    Args:
        magnitudes: nonnegative, `(..., sources, channels, frequency, frames)`.

    Returns:
        The shape of the magnitudes.
    """
    loudest = (magnitudes == max_of_few(magnitudes, -4, keepdims=True)).astype(magnitudes.dtype)
    return loudest / sum_of_few(loudest, -4, keepdims=True)


@node
class SoftThreshold:
    """A logistic gate on a source's level over that of all the others, `M_j = σ(slope · (L_j - threshold))`.

    `L_j = 10 log₁₀(V_j² / Σ_{k≠j} V_k²)` is the level over the others in dB. With two sources, threshold 0 and slope
    `p ln(10) / 20` per dB it is the ratio mask of power `p`; a higher threshold takes less of the others and more of
    the source away, and a steep slope nears the binary mask of that threshold. The masks need not sum to one.

    Attributes:
        threshold: in dB, any real number, shape `()` or one that broadcasts against the magnitudes from the right.
        slope: in 1/dB, nonnegative, shape likewise.
    """

    threshold: Number = hyper(default=0.0, domain=domains.REAL)
    slope: Number = hyper(default=0.23, domain=domains.NONNEGATIVE)

    def __call__(self, magnitudes: Array) -> Array:
        """Numbers between 0 and 1 of the shape of the magnitudes, `(..., sources, channels, frequency, frames)`."""
        if magnitudes.ndim < 4:
            raise ValueError(
                f"SoftThreshold: magnitudes has shape {magnitudes.shape}, expected "
                f"(..., sources, channels, frequency, frames)"
            )
        share = ratio(magnitudes, 2.0)
        smallest = jnp.finfo(share.dtype).eps ** 2
        rest = jnp.maximum(sum_of_few(share, -4, keepdims=True) - share, smallest)
        level = 10 / jnp.log(10.0).astype(share.dtype) * (jnp.log(jnp.maximum(share, smallest)) - jnp.log(rest))
        threshold, slope = (expand(x, magnitudes.ndim) for x in (self.threshold, self.slope))
        return jax.nn.sigmoid(slope * (level - threshold))


def soft_threshold(x: Array, threshold: Array | float) -> Array:
    """`x` made shorter by the threshold and zero where it is no longer than that: the proximal map of `threshold |x|`.

    Args:
        x: real or complex, any shape.
        threshold: nonnegative; broadcasts against `x`.
    """
    length = magnitude(x)
    above = length > threshold
    gain = jnp.where(above, 1 - threshold / jnp.where(above, length, 1), 0)
    return scale(gain, x)

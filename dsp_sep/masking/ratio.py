"""The ratio mask, `M_j = V_jᵖ / Σ_k V_kᵖ`."""

import jax.numpy as jnp
from jax import Array, lax

from ..numerics import expand, max_of_few, sum_of_few, tiny
from ..pytree import Number, domains, hyper, node


def ratio(magnitudes: Array, exponent: Array | float) -> Array:
    """Each source's share of the sum of powers, `V_jᵖ / Σ_k V_kᵖ`.

    Where all sources are silent the shares are equal, so that they sum to one everywhere. A source that is silent
    where another is not counts as `eps²` of the largest, `eps` being the precision of the numbers.

    Args:
        magnitudes: nonnegative, `(..., sources, channels, frequency, frames)`.
        exponent: any real number: 0 gives equal shares, 1 those of magnitudes, 2 those of powers (the Wiener gain of
            sources of these variances), larger ones approach the binary mask.

    Returns:
        Numbers between 0 and 1, of the shape of the magnitudes.
    """
    eps = jnp.finfo(magnitudes.dtype).eps
    faintest = jnp.maximum(eps**2 * max_of_few(magnitudes, -4, keepdims=True), tiny(magnitudes.dtype))
    levels = exponent * jnp.log(jnp.maximum(magnitudes, faintest))
    shares = jnp.exp(levels - lax.stop_gradient(max_of_few(levels, -4, keepdims=True)))
    return shares / sum_of_few(shares, -4, keepdims=True)


@node
class RatioMask:
    """The ratio mask as a function with a trainable exponent: `RatioMask(2.0)(magnitudes)`.

    Attributes:
        exponent: `p`, any real number, shape `()` or one that broadcasts against the magnitudes from the right, such
            as `(sources, 1, 1, 1)` or `(frequency, 1)`.
    """

    exponent: Number = hyper(default=1.0, domain=domains.REAL, kw_only=False)

    def __call__(self, magnitudes: Array) -> Array:
        """See `ratio`."""
        if magnitudes.ndim < 4:
            raise ValueError(
                f"RatioMask: magnitudes has shape {magnitudes.shape}, expected "
                f"(..., sources, channels, frequency, frames)"
            )
        return ratio(magnitudes, expand(self.exponent, magnitudes.ndim))

"""Models whose spectra are made of harmonic combs, and the combs."""

import jax.numpy as jnp
import numpy as np
from jax import Array

from ..numerics import expand, matmul
from ..pytree import domains, hyper, node
from .structured import Parts


@node
class Harmonic:
    """Harmonic NMF, `Y = W H` with `w_k = Σ_m E_mk P_mk`: spectra of known pitch and learned envelope.

    Vincent, Bertin and Badeau (2010), "Adaptive harmonic spectral decomposition for multiple pitch estimation":
    the narrow-band combs `P` stay, the envelopes `E` and the activations `H` are learned, so a
    component is a pitch by construction. Several components may have the same pitch. Not for drums and noise.

    Factors: `envelopes` `(..., bands, components)`, `activations` `(..., components, frames)`.

    Attributes:
        combs: `P`, nonnegative, `(frequency, bands, components)`; `harmonic_combs` makes them.
    """

    combs: Array = hyper(domain=domains.NONNEGATIVE, kw_only=False)

    gains = ("activations",)

    def shapes(self, frequencies: int, frames: int) -> dict[str, tuple[int, ...]]:
        if self.combs.ndim != 3 or self.combs.shape[0] != frequencies:
            raise ValueError(
                f"Harmonic: combs have shape {self.combs.shape}, expected ({frequencies}, bands, components)"
            )
        _, bands, components = self.combs.shape
        return {"envelopes": (bands, components), "activations": (components, frames)}

    def __call__(self, factors: Parts) -> Array:
        return matmul(self.dictionary(factors["envelopes"]), factors["activations"])

    def dictionary(self, envelopes: Array) -> Array:
        """`W`, `(..., frequency, components)`."""
        combs = expand(self.combs, envelopes.ndim + 1)
        return jnp.sum(combs * jnp.expand_dims(envelopes, -3), axis=-2)


def pitches(lowest: float, highest: float, per_octave: int = 12) -> np.ndarray:
    """Fundamental frequencies in Hz, equally spaced on a logarithmic axis, from the lowest up to the highest."""
    count = int(np.floor(per_octave * np.log2(highest / lowest) + 1e-9)) + 1
    return lowest * 2.0 ** (np.arange(count) / per_octave)


def harmonic_combs(
    fundamentals: np.ndarray, rate: float, n_fft: int, *, bands: int = 8, power: float = 1.0
) -> np.ndarray:
    """Narrow-band combs: the partials of each pitch, as a Hann window of `n_fft` samples shows them, band by band.

    `P_mk(f) = Σ_h b_m(h f_k) |w(f - h f_k)|^power` over the partials `h f_k` below half the rate. The bands overlap:
    `b_m` are triangles that sum to one, equally spaced on the ERB scale `9.26 log(1 + f / 228.8)` from the fundamental
    to half the rate (Vincent, Bertin and Badeau, 2010, take gammatone filters there).

    Args:
        fundamentals: in Hz, positive, `(components,)`.
        rate: sampling rate in Hz.
        n_fft: length of the FFT and of its window in samples.
        bands: how many; 1 for whole combs with partials of equal height.
        power: 1 for magnitudes, 2 for powers.

    Returns:
        Double precision, `(n_fft / 2 + 1, bands, components)`; the largest element of a whole comb is about one.

    Raises:
        ValueError: for fundamentals that are not between zero and half the rate, or less than one band.
    """
    fundamentals = np.asarray(fundamentals, float)
    if fundamentals.ndim != 1 or not np.all((fundamentals > 0) & (fundamentals < rate / 2)) or bands < 1:
        raise ValueError(
            f"harmonic_combs: fundamentals must be a list of Hz between 0 and {rate / 2:g} and bands at least 1, "
            f"got {fundamentals} and {bands}"
        )
    bins = np.arange(n_fft // 2 + 1)
    combs = np.zeros((bins.size, bands, fundamentals.size))
    for k, fundamental in enumerate(fundamentals):
        partials = fundamental * np.arange(1, int(np.ceil(rate / 2 / fundamental)))
        lines = _hann_line(bins[:, None] - partials * n_fft / rate) ** power
        combs[:, :, k] = lines @ _triangles(partials, fundamental, rate / 2, bands)
    return combs


def _hann_line(offset: np.ndarray) -> np.ndarray:
    """The magnitude of the main lobe of a Hann window's transform, one at zero; offset in bins."""
    inside = abs(offset) < 2
    x = np.where(inside, offset, 0)
    at_one = np.isclose(abs(x), 1)
    lobe = np.sinc(x) / np.where(at_one, 1, 1 - x**2)
    return np.where(inside, np.where(at_one, 0.5, abs(lobe)), 0)


def _triangles(frequencies: np.ndarray, lowest: float, highest: float, bands: int) -> np.ndarray:
    """What share of each frequency belongs to each band, `(frequencies, bands)`."""
    low, high, at = (9.26 * np.log1p(f / 228.8) for f in (lowest, highest, frequencies))
    position = (at - low) / (high - low) * (bands - 1)
    return np.maximum(1 - abs(position[:, None] - np.arange(bands)), 0)

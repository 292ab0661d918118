"""BSS Eval, version 3 (sources) and version 4 (images): how much of an error is filtering, interference, artifacts."""

from functools import partial
from typing import Literal, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from .decomposition import Filters, Ratios, energies, fit, ratios
from .double import in_double
from .parts import add_up, grid
from .permutation import best_order
from .ratios import check
from .statistics import Pairs, pairs, statistics


class ImageRatios(NamedTuple):
    """What `bss_eval_images` returns.

    Attributes:
        sdr: signal to distortion, dB, (..., sources) or (..., sources, frames).
        isr: image to spatial distortion.
        sir: source to interference.
        sar: sources to artifacts.
        order: the estimate that was taken for each source; with filters for each frame, one for each frame.
    """

    sdr: Array
    isr: Array
    sir: Array
    sar: Array
    order: Array


class SourceRatios(NamedTuple):
    """What `bss_eval_sources` returns.

    Attributes:
        sdr: signal to distortion, dB, (..., sources) or (..., sources, frames).
        sir: source to interference.
        sar: sources to artifacts.
        order: the estimate that was taken for each source; with filters for each frame, one for each frame.
    """

    sdr: Array
    sir: Array
    sar: Array
    order: Array


_STATIC = ("window", "hop", "filters", "permute", "taps")


@partial(jax.jit, static_argnames=_STATIC)
def bss_eval_images(
    reference: Array,
    estimate: Array,
    *,
    window: int | None = None,
    hop: int | None = None,
    filters: Literal["track", "frame"] = "track",
    permute: bool = False,
    taps: int = 512,
) -> ImageRatios:
    """BSS Eval of the images of sources; with windows of a second that of the MUSDB18 campaigns, version 4 (museval).

    With `p` the projection of an estimate ŝ on the delays 0 to `taps - 1` of the channels of its reference s, and `P`
    that on those of all references, `SDR = |s|²/|ŝ - s|²`, `ISR = |s|²/|p - s|²`, `SIR = |p|²/|P - p|²` and
    `SAR = |P|²/|ŝ - P|²`, all in dB, the channels of an image pooled. As in museval the filters are those of the whole
    signals and applied to what is in a window, samples at the end that fill no window are left out, signals shorter
    than a window are one frame, and a frame in which any source or estimate is silent (its channels sum to zero at
    every sample) is NaN for all sources. museval refuses signals that are silent throughout; here they are NaN.

    Computed in float64 for float32 signals too. Where channels are equal or filtered copies of one another, or sources
    are a few sines, the normal equations are singular; the filters are then their least-squares solution
    (`toeplitz.solve`), and the ratios still museval's. They are not, and mean little, where a band of the references
    is empty to the last bit of float64 but that of the estimates is not: there museval's filters are rounding errors,
    and its ISR and SIR are off by tens of dB. The noise of 16-bit files fills such bands.

    Args:
        reference: the true images, (..., sources, channels, samples).
        estimate: the estimated ones, of the same shape.
        window: how long a frame is, in samples; by default all is one, and the results have no axis for frames.
        hop: from one frame to the next, in samples; by default `window`.
        filters: "track" for the filters of the whole signals (version 4), "frame" for new ones in each frame
            (version 3, as the older campaigns had it).
        permute: look for the order of the estimates with the highest mean SIR, over all frames that have one (museval
            finds none where a frame is NaN); with filters for each frame, in each.
        taps: the length of the filters.

    Returns:
        The ratios in dB, and the order. Differentiable where finite; elsewhere the derivatives are zero.

    Raises:
        ValueError: shapes that differ or betray swapped axes, no floats, windows or filters that cannot be.

    Source: E. Vincent et al., "First stereo audio source separation evaluation campaign", ICA 2007; F.-R. Stöter,
    A. Liutkus, N. Ito, "The 2018 signal separation evaluation campaign", LVA/ICA 2018.
    """
    found, order = _evaluate("bss_eval_images", reference, estimate, window, hop, filters, permute, taps)
    return ImageRatios(found.sdr, found.isr, found.sir, found.sar, order)


@partial(jax.jit, static_argnames=_STATIC)
def bss_eval_sources(
    reference: Array,
    estimate: Array,
    *,
    window: int | None = None,
    hop: int | None = None,
    filters: Literal["track", "frame"] = "frame",
    permute: bool = False,
    taps: int = 512,
) -> SourceRatios:
    """BSS Eval of sources, up to a filter: version 3 (mir_eval, fast_bss_eval).

    With `p` and `P` as in `bss_eval_images`, `SDR = |p|²/|ŝ - p|²`, `SIR = |p|²/|P - p|²` and `SAR = |P|²/|ŝ - P|²`, in
    dB. Whatever 512 taps can do to a reference is forgiven, the loss of whole octaves included: not for images in a
    mix. The channels of a source are pooled, and its filters go from each of them to each; mono has one channel.

    Args:
        reference: the true sources, (..., sources, channels, samples).
        estimate: the estimated ones, of the same shape.
        window: how long a frame is, in samples; by default all is one, and the results have no axis for frames.
        hop: from one frame to the next, in samples; by default `window`.
        filters: "frame" for new ones in each frame (version 3), "track" for those of the whole signals.
        permute: look for the order of the estimates with the highest mean SIR.
        taps: the length of the filters.

    Returns:
        The ratios in dB, and the order; silence, precision and derivatives are as in `bss_eval_images`.

    Raises:
        ValueError: as `bss_eval_images`.

    Source: E. Vincent, R. Gribonval, C. Févotte, "Performance measurement in blind audio source separation", IEEE
    Transactions on Audio, Speech and Language Processing 14, 2006.
    """
    found, order = _evaluate("bss_eval_sources", reference, estimate, window, hop, filters, permute, taps)
    return SourceRatios(found.source_sdr, found.sir, found.sar, order)


def _evaluate(
    name: str,
    reference: Array,
    estimate: Array,
    window: int | None,
    hop: int | None,
    filters: str,
    permute: bool,
    taps: int,
) -> tuple[Ratios, Array]:
    reference, estimate = check(name, reference, estimate, "sources, channels, samples")
    *batch, sources, channels, samples = reference.shape
    if filters not in ("track", "frame"):
        raise ValueError(f'{name}: expected filters to be "track" or "frame", got {filters!r}')
    if taps < 1 or (window is not None and window < 1) or (hop is not None and hop < 1):
        raise ValueError(f"{name}: expected positive numbers of samples, got {window=}, {hop=}, {taps=}")
    which = pairs(sources, all_of_them=permute)

    def one(truth: Array, guess: Array) -> list[Array]:
        found = _frames(truth, guess, which, window, hop, filters == "frame", taps)
        return [value.astype(reference.dtype) for value in found]

    flat = [signal.reshape(-1, sources, channels, samples) for signal in (reference, estimate)]
    values = jax.vmap(lambda truth, guess: in_double(one, truth, guess))(*flat)
    found = Ratios(*(value.reshape(*batch, *value.shape[1:]) for value in values))
    if permute:
        found, order = _ordered(found, sources, filters == "frame")
    else:
        order = jnp.broadcast_to(jnp.arange(sources), (*batch, sources))
    if window is None:
        found = jax.tree.map(lambda value: value[..., 0], found)
        order = order[..., 0] if order.ndim > len(batch) + 1 else order
    return found, order


def _frames(
    reference: Array, estimate: Array, which: Pairs, window: int | None, hop: int | None, framewise: bool, taps: int
) -> Ratios:
    """The ratios of each pair in each frame, (pairs, frames)."""
    channels, samples = reference.shape[-2:]

    def fitted(truth: Array, guess: Array) -> Filters:
        layout = grid(truth.shape[-1], taps)
        return fit(add_up(lambda r, e: statistics(r, e, layout), truth, guess, layout), which, channels)

    def measured(truth: Array, guess: Array, filters: Filters) -> Ratios:
        layout = grid(truth.shape[-1], taps)
        return ratios(add_up(lambda r, e: energies(r, e, filters, which, layout), truth, guess, layout))

    if window is None or window >= samples:
        found = measured(reference, estimate, fitted(reference, estimate))
        return jax.tree.map(lambda value: value[:, None], found)
    hop = window if hop is None else hop
    shared = None if framewise else fitted(reference, estimate)

    @jax.checkpoint
    def measure(start: Array) -> Ratios:
        truth, guess = (lax.dynamic_slice_in_dim(signal, start, window, axis=-1) for signal in (reference, estimate))
        return measured(truth, guess, fitted(truth, guess) if shared is None else shared)

    starts = jnp.arange((samples - window) // hop + 1) * hop
    return jax.tree.map(lambda value: jnp.moveaxis(value, 0, -1), lax.map(measure, starts))


def _ordered(found: Ratios, sources: int, framewise: bool) -> tuple[Ratios, Array]:
    """The pairs of the best order, of all that there are."""
    table = jax.tree.map(lambda value: value.reshape(*value.shape[:-2], sources, sources, value.shape[-1]), found)
    sir = jnp.moveaxis(table.sir, -1, -3)
    order = best_order(sir) if framewise else best_order(jnp.nanmean(sir, axis=-3, keepdims=True))
    order = jnp.moveaxis(order, -2, -1)

    def choose(value: Array) -> Array:
        index = jnp.broadcast_to(order[..., None, :], (*order.shape[:-1], 1, value.shape[-1]))
        return jnp.take_along_axis(value, index, axis=-2)[..., 0, :]

    return jax.tree.map(choose, table), order if framewise else order[..., 0]

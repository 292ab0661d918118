"""Phase recovery while the signal goes on: frame by frame, with a look at a few frames to come.

Both are streams (`iterate.Stream`) of spectrograms: what goes in and comes out counts `hop` samples a frame, and a
`SynthesisStream` makes samples of it. For each new frame, the last `look_ahead + 1` frames are iterated on a few times
beside what the frames before them, settled for good, have left; then the oldest of them is settled and handed out.
Chunks may have any number of frames; the answer does not depend on how the frames are cut into chunks.
"""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array, lax

from ..numerics import scale, transpose
from ..pytree import hyper, node, static
from ..transforms import STFT
from ..transforms.framing import frame, overlap_add, periodic_sum
from ..transforms.stft import frames_of_spectra, spectra_of_frames, unit_window
from .projections import frames_first, project_magnitude, project_mixture
from .starts import MixturePhase, Start
from .weights import MixtureWeight, Uniform


@node
class Settling:
    """What a stream carries: the sums of settled frames from the oldest open frame on, `(..., samples)`; the open
    frames and what is asked of them, `(..., look_ahead, frequency)`; how many frames are still to be left out.
    """

    settled: Array = hyper()
    spectra: Array = hyper()
    targets: Any = hyper()
    skip: int = static()


@node
class OnlineInversion:
    """What both streams share; abstract.

    Attributes:
        stft: the transform.
        iterations: how many for each new frame.
        look_ahead: frames to wait for.
    """

    stft: STFT = hyper(kw_only=False)
    iterations: int = static(default=5)
    look_ahead: int = static(default=1)

    def validate(self) -> None:
        for field in ("iterations", "look_ahead"):
            if getattr(self, field) < 0:
                raise ValueError(f"{type(self).__name__}: {field} must be at least 0, got {getattr(self, field)}")

    @property
    def latency(self) -> int:
        """By how many samples the output lags behind the input."""
        return self.look_ahead * self.stft.hop

    def flush(self, state: Settling) -> Array:
        """The spectrogram of the frames that are still open, `(..., frequency, frames)`."""
        return transpose(state.spectra[..., min(state.skip, self.look_ahead) :, :])

    def first(self, targets: Any) -> Array:
        """The spectrum that a new frame starts from."""
        raise NotImplementedError

    def analyze(self, frames: Array, again: Array) -> Array:
        """The spectra of the open frames `(..., frames, n_fft)`, of which the newest is empty before it is `again`."""
        return spectra_of_frames(self.stft, frames)

    def project(self, spectra: Array, targets: Any) -> Array:
        """Consistent frames with what is asked of them."""
        raise NotImplementedError


@node
class RTISILA(OnlineInversion):
    """Real-time iterative spectrogram inversion with look-ahead (Zhu, Beauregard and Wyse, 2007).

    For one source or many independent ones. A new frame starts from what the frames before it leave in its place. The
    frames that are not there yet are missing from the sum of windows, which so falls off where the newest frame is.
    That one is therefore analysed with the paper's asymmetric window, the same fall the other way round; all others are
    with the transform's own. The fewer frames to wait for, the more it brings.

    Attributes:
        stft: the transform.
        iterations: how many for each new frame; with none, new frames stay empty.
        look_ahead: frames to wait for; 0 is RTISI. More than those that overlap with a frame serve little.
    """

    iterations: int = static(default=10)
    look_ahead: int = static(default=3)

    def init(self, batch: tuple[int, ...] = (), dtype: Any = jnp.float32) -> Settling:
        """The state before the first frame.

        Args:
            batch: the axes of the magnitudes before frequency and frames.
            dtype: the dtype of the magnitudes.
        """
        return _before(self, batch, jnp.zeros((*batch, self.look_ahead, self.stft.bins), dtype), dtype)

    def push(self, state: Settling, chunk: Array) -> tuple[Settling, Array]:
        """The state after magnitudes `(..., frequency, frames)`, and the spectrogram of the frames that are settled."""
        return _advance(self, state, transpose(chunk))

    def first(self, targets: Array) -> Array:
        return lax.complex(jnp.zeros_like(targets), jnp.zeros_like(targets))

    def analyze(self, frames: Array, again: Array) -> Array:
        empty, filled = mirrored_envelopes(self.stft, frames.dtype)
        newest = dataclasses.replace(self.stft, window=jnp.where(again, filled, empty))
        older = spectra_of_frames(self.stft, frames[..., :-1, :])
        return jnp.concatenate([older, spectra_of_frames(newest, frames[..., -1:, :])], axis=-2)

    def project(self, spectra: Array, targets: Array) -> Array:
        return project_magnitude(spectra, targets)


@node
class OnlineMISI(OnlineInversion):
    """Online multiple input spectrogram inversion (Magron and Virtanen, 2020): the mixture, then the magnitudes.

    Attributes:
        stft: the transform.
        mixture_weight: how the error of the mixture is shared; equally unless given.
        start: the spectra that new frames start from, a function of single frames: the mixture's phase unless given.
        iterations: how many for each new frame (15 in the paper with a look-ahead of 1 are close to offline MISI).
        look_ahead: frames to wait for.
    """

    mixture_weight: MixtureWeight = hyper(default=Uniform())
    start: Start = hyper(default=MixturePhase())

    def init(self, batch: tuple[int, ...], dtype: Any = jnp.float32) -> Settling:
        """The state before the first frame.

        Args:
            batch: the axes of the magnitudes before frequency and frames, `(..., sources, channels)`.
            dtype: the dtype of the magnitudes.
        """
        magnitudes = jnp.zeros((*batch, self.look_ahead, self.stft.bins), dtype)
        none = jnp.zeros_like(magnitudes[..., :1, :, :, :])
        return _before(self, batch, (lax.complex(none, none), magnitudes), dtype)

    def push(self, state: Settling, chunk: tuple[Array, Array]) -> tuple[Settling, Array]:
        """The state after some frames, and the spectrograms of the sources for the frames that are settled.

        Args:
            state: the state before.
            chunk: the mixture `(..., channels, frequency, frames)` and the magnitudes
                `(..., sources, channels, frequency, frames)` of the same frames.
        """
        mixture, magnitudes = chunk
        return _advance(self, state, (transpose(jnp.expand_dims(mixture, -4)), transpose(magnitudes)))

    def first(self, targets: tuple[Array, Array]) -> Array:
        mixture, magnitudes = targets
        return transpose(self.start(transpose(magnitudes), transpose(mixture), None))

    def project(self, spectra: Array, targets: tuple[Array, Array]) -> Array:
        mixture, magnitudes = targets
        weights = frames_first(self.mixture_weight(transpose(magnitudes)), magnitudes.ndim)
        return project_magnitude(project_mixture(spectra, mixture, weights), magnitudes)


def mirrored_envelopes(stft: STFT, dtype: Any) -> tuple[Array, Array]:
    """The windows of the newest frame in RTISI-LA while it is empty, and afterwards, `(n_fft,)` each.

    What frames leave in the newest one's place is weighted by `Σ_q p(n + q · hop)`, where `p` is the product of the
    windows of analysis and synthesis, over the frames `q` before it, and itself (`q = 0`) once it is filled. The window
    is that with `-q` for `q`, so that the weights of the analysed frame are symmetric. With an overlap of two frames or
    none the first one is `p`, for the envelope of one older frame and its mirror image do not meet.
    """
    window, _ = unit_window(stft, dtype)
    product = window**2 / jnp.resize(periodic_sum(window**2, stft.hop), window.shape)
    later = jnp.zeros_like(product)
    for shift in range(stft.hop, stft.n_fft, stft.hop):
        later = later.at[shift:].add(product[: stft.n_fft - shift])
    return (later if 2 * stft.hop < stft.n_fft else product), product + later


def _before(stream: OnlineInversion, batch: tuple[int, ...], targets: Any, dtype: Any) -> Settling:
    stft, open_frames = stream.stft, stream.look_ahead
    settled = jnp.zeros((*batch, stft.n_fft + open_frames * stft.hop), dtype)
    spectra = jnp.zeros((*batch, open_frames, stft.bins), lax.complex(settled[..., 0], settled[..., 0]).dtype)
    return Settling(settled=settled, spectra=spectra, targets=targets, skip=open_frames)


@jax.jit
def _advance(stream: OnlineInversion, state: Settling, chunk: Any) -> tuple[Settling, Array]:
    """Go through the frames of a chunk whose arrays are `(..., frames, frequency)`."""
    stft = stream.stft
    count = jax.tree.leaves(chunk)[0].shape[-2]
    window, peak = unit_window(stft, state.settled.real.dtype)
    length = state.settled.shape[-1]
    gain = jnp.resize(1 / (peak * periodic_sum(window**2, stft.hop)), (length,))
    gain = gain.reshape((1,) * (state.settled.ndim - 1) + gain.shape)

    def step(carry: tuple, new: Any) -> tuple[tuple, Array]:
        settled, spectra, targets = carry
        new = jax.tree.map(lambda array: jnp.expand_dims(array, -2), new)
        targets = jax.tree.map(lambda old, last: jnp.concatenate([old, last], axis=-2), targets, new)
        spectra = jnp.concatenate([spectra, stream.first(new)], axis=-2)

        def iterate(spectra: Array, again: Array) -> tuple[Array, None]:
            sums = settled + overlap_add(frames_of_spectra(stft, spectra), stft.hop)
            consistent = stream.analyze(frame(scale(gain, sums), stft.n_fft, stft.hop), again)
            return stream.project(consistent, targets), None

        spectra, _ = lax.scan(iterate, spectra, jnp.arange(stream.iterations) > 0)
        oldest = frames_of_spectra(stft, spectra[..., :1, :])[..., 0, :]
        settled = settled.at[..., : stft.n_fft].add(oldest)[..., stft.hop :]
        settled = jnp.pad(settled, [(0, 0)] * (settled.ndim - 1) + [(0, stft.hop)])
        later = jax.tree.map(lambda array: array[..., 1:, :], targets)
        return (settled, spectra[..., 1:, :], later), spectra[..., 0, :]

    frames = jax.tree.map(lambda array: jnp.moveaxis(array, -2, 0), chunk)
    carry, out = lax.scan(step, (state.settled, state.spectra, state.targets), frames)
    settled, spectra, targets = carry
    ready = transpose(jnp.moveaxis(out, 0, -2))[..., min(state.skip, count) :]
    return Settling(settled=settled, spectra=spectra, targets=targets, skip=max(0, state.skip - count)), ready

"""Where the frames of a transform stand on a signal."""

import dataclasses

import jax.numpy as jnp
from jax import Array

PADDINGS = ("constant", "reflect", "none")


@dataclasses.dataclass(frozen=True)
class Grid:
    """Frames of `n_fft` samples every `hop`, the first one `offset` samples before the signal.

    Raises:
        ValueError: for options that contradict each other.
    """

    n_fft: int
    hop: int
    centered: bool
    padding: str

    def __post_init__(self) -> None:
        if self.n_fft < 1:
            raise ValueError(f"STFT: n_fft must be at least 1, got {self.n_fft}")
        if not 1 <= self.hop <= self.n_fft:
            raise ValueError(f"STFT: hop must be from 1 to n_fft = {self.n_fft}, got {self.hop}")
        if self.padding not in PADDINGS:
            raise ValueError(f"STFT: padding must be one of {', '.join(PADDINGS)}, got {self.padding!r}")
        if self.centered and self.padding == "none":
            raise ValueError("STFT: padding 'none' needs centered=False, as a centred frame begins before the signal")
        if not self.centered and self.padding == "reflect":
            raise ValueError("STFT: padding 'reflect' needs centered=True; without it there are 'constant' and 'none'")

    @property
    def overlap(self) -> int:
        """In how many frames a sample is, at most."""
        return -(-self.n_fft // self.hop)

    @property
    def offset(self) -> int:
        """By how many samples the first frame begins before the signal."""
        if self.centered:
            return self.n_fft // 2
        return (self.overlap - 1) * self.hop if self.padding == "constant" else 0

    def frames(self, samples: int) -> int:
        """The number of frames of a signal."""
        least = {"constant": 1, "reflect": self.n_fft // 2 + 1, "none": self.n_fft}[self.padding]
        if samples < least:
            raise ValueError(
                f"STFT: the signal must have at least {least} samples (n_fft = {self.n_fft}, padding = "
                f"{self.padding!r}), got {samples}"
            )
        return 1 + (samples + self.offset + self.after(samples) - self.n_fft) // self.hop

    def after(self, samples: int) -> int:
        """By how many samples a signal is continued at its end."""
        if self.centered:
            return self.n_fft // 2
        return (-samples) % self.hop + self.n_fft - self.hop if self.padding == "constant" else 0

    def reach(self, frames: int) -> int:
        """The first sample of the signal that is past all frames."""
        return (frames - 1) * self.hop + self.n_fft - self.offset

    def natural_length(self, frames: int) -> int:
        """The length of a signal with so many frames, where nobody asks for another."""
        if self.centered:
            return self.reach(frames) - self.n_fft // 2
        return (frames - self.overlap + 1) * self.hop if self.padding == "constant" else self.reach(frames)

    def extend(self, signal: Array) -> Array:
        """The signal `(..., samples)` with what stands before and after it."""
        widths = [(0, 0)] * (signal.ndim - 1) + [(self.offset, self.after(signal.shape[-1]))]
        return jnp.pad(signal, widths, mode="reflect" if self.padding == "reflect" else "constant")

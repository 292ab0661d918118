"""How large a problem is."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from tests import problems


@dataclasses.dataclass(frozen=True)
class Size:
    """The numbers that all workloads take theirs from.

    Attributes:
        name: what it is called on the command line.
        rate: samples per second.
        seconds: length of the signal, one channel.
        gradient_seconds: length of the signal where the gradient of a long loop is taken.
        n_fft: samples of a frame and of its Hann window.
        hop: samples from frame to frame.
        components: of a factorisation.
        nmf_steps: iterations of a factorisation.
        gradient_steps: iterations of a factorisation that is differentiated.
        griffin_lim_steps: iterations of phase recovery of one source.
        misi_steps: iterations of phase recovery of several sources, and layers where it is differentiated.
        scored_seconds: length of the song that is scored.
        case_seconds: length of what each algorithm of the table of cases is given.
        case_steps: its iterations.
        sources: of its mixture.
        channels: of its mixture.
        batch: how many such problems at once, in the table of cases and in the kernels; 1 for no batch axis.
    """

    name: str
    rate: int
    seconds: float
    gradient_seconds: float
    n_fft: int
    hop: int
    components: int
    nmf_steps: int
    gradient_steps: int
    griffin_lim_steps: int
    misi_steps: int
    scored_seconds: float
    case_seconds: float
    case_steps: int = 4
    sources: int = 4
    channels: int = 2
    batch: int = 1

    @property
    def batch_axes(self) -> tuple[int, ...]:
        return () if self.batch == 1 else (self.batch,)

    @property
    def case(self) -> problems.Size:
        """What the table of cases is told."""
        samples = round(self.rate * self.case_seconds)
        return problems.Size(
            self.rate,
            samples=samples,
            n_fft=self.n_fft,
            hop=self.hop,
            frequencies=self.n_fft // 2 + 1,
            frames=1 + samples // self.hop,
            components=self.components,
            sources=self.sources,
            channels=self.channels,
        )


SMALL = Size("small", 8000, 1.0, 0.5, 256, 64, 4, 5, 5, 5, 5, 1.0, case_seconds=0.25)
SONG = Size("song", 44100, 30.0, 15.0, 2048, 512, 32, 20, 50, 30, 5, 8.0, case_seconds=4.0)
LONG = Size("long", 44100, 300.0, 60.0, 2048, 512, 128, 20, 50, 30, 5, 240.0, case_seconds=30.0)
SIZES = {size.name: size for size in (SMALL, SONG, LONG)}


def changed(size: Size, assignments: Sequence[str]) -> Size:
    """The size with some of its numbers replaced, `("seconds=60", "components=64")`; its name says which.

    Raises:
        ValueError: for something that is no assignment to a number of a size.
    """
    kinds = {field.name: type(getattr(size, field.name)) for field in dataclasses.fields(size) if field.name != "name"}
    values = {}
    for assignment in assignments:
        name, _, text = assignment.partition("=")
        if name not in kinds:
            raise ValueError(f"{assignment!r}: expected NAME=VALUE with one of the names {', '.join(kinds)}")
        try:
            values[name] = kinds[name](text)
        except ValueError:
            raise ValueError(f"{assignment!r}: {name} is a number ({kinds[name].__name__}), got {text!r}") from None
        if not values[name] > 0:
            raise ValueError(f"{assignment!r}: {name} must be positive")
    return dataclasses.replace(size, name=" ".join((size.name, *assignments)), **values)


def melody(rate: int, seconds: float, seed: int = 0) -> np.ndarray:
    """Four decaying harmonic notes a second over faint noise, `(samples,)`, float32: no bin of its STFT is silent."""
    rng = np.random.default_rng(seed)
    signal = 1e-3 * rng.standard_normal(round(rate * seconds))
    for onset in np.arange(0, seconds, 0.25):
        begin = round(rate * onset)
        time = np.arange(min(rate, signal.size - begin)) / rate
        pitch = 110 * 2 ** (rng.integers(0, 24) / 12)
        harmonics = np.arange(1, 1 + int(min(12, rate / 2 // pitch)))[:, None]
        partials = np.sin(2 * np.pi * pitch * harmonics * time + rng.uniform(0, 2 * np.pi, harmonics.shape)) / harmonics
        signal[begin : begin + time.size] += 0.2 * np.exp(-4 * time) * partials.sum(axis=0)
    return signal.astype(np.float32)

"""The study: which blind method separates talkers in reverberant rooms, on two and on four microphones?

    python examples/reverberant_rooms.py --rooms FOLDER    # FOLDER/test holds a folder for each scene
    python examples/reverberant_rooms.py                   # ./rooms if there is one, or else rooms made up on the spot

A scene is a folder with `talker1.wav`, `talker2.wav`, the images of the talkers at four microphones or more, and
perhaps `scene.json` with its `reverberation_time` in seconds. Made-up rooms are stems of the bundled song through noise
that decays exponentially, other noise to each microphone: a stand-in that shows that everything runs, not a room.

AuxIVA, ILRMA (Gaussian and Student's t), FastMNMF2, and the exact EM from AuxIVA's magnitudes, with free powers and
with powers of low rank. The results go to `reverberant-rooms`: `results.json`, from which a run that was cut off goes
on, a page, and a picture (with the extra `plots`). Those of a whole run are kept in
`examples/reverberant_rooms/results`.
"""

import argparse
import dataclasses
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.signal
from jax import Array
from study.intervals import interval
from study.page import difference, plus_minus, table
from study.pictures import picture
from study.store import Store

import dsp_sep as ds
from dsp_sep import nmf, spatial

RESULTS = Path("reverberant-rooms")
RATE = 16000
STFT = ds.STFT(n_fft=4096, hop=2048)


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is done; `QUICK` only shows that everything runs.

    Attributes:
        rooms: the most of them.
        seconds: of each.
        microphones: how many, from the first on.
        seeds: of what is drawn.
        iterations: of the blind methods.
        refinements: of EM after one of them.
        components: for each source; EM has eight times as many.
        freedom: of Student's t.
    """

    rooms: int = 6
    seconds: float = 6.0
    microphones: tuple[int, ...] = (2, 4)
    seeds: tuple[int, ...] = (0,)
    iterations: int = 50
    refinements: int = 10
    components: int = 2
    freedom: float = 100.0


QUICK = Setting(rooms=2, seconds=1.5, microphones=(2,), iterations=3, refinements=1)


class Room(NamedTuple):
    """The images of the talkers, `(talkers, microphones, samples)`, and the reverberation time in seconds."""

    images: np.ndarray
    reverberation: float


def read(root: Path | None, setting: Setting) -> dict[str, Room]:
    """The scenes of `root/test` by name; made up where there is no folder."""
    size = round(setting.seconds * RATE)
    if root is None:
        return {f"made up {seed}": made_up(seed, size) for seed in range(setting.rooms)}
    found = {}
    for folder in ds.data.songs(root / "test")[: setting.rooms]:
        images = ds.data.read_song(folder, names=("talker1", "talker2"), rate=RATE).sources
        about = folder / "scene.json"
        reverberation = json.loads(about.read_text())["reverberation_time"] if about.exists() else float("nan")
        found[folder.name] = Room(np.asarray(images, np.float32)[..., :size], reverberation)
    return found


def made_up(seed: int, size: int, reverberation: float = 0.2, microphones: int = 4) -> Room:
    """Two stems of the bundled song, of one power, through noise that decays by 60 dB in the reverberation time."""
    rng = np.random.default_rng(seed)
    song = ds.data.example("judge")
    dry = ds.data.resample(np.asarray(song.sources[np.array([1, 2])]).mean(axis=1), song.rate, RATE)
    start = rng.integers(dry.shape[-1] - size)
    dry = dry[:, start : start + size]
    dry /= np.sqrt(np.mean(dry**2, axis=-1, keepdims=True)) + 1e-6
    time = np.arange(round(reverberation * RATE)) / RATE
    responses = 0.03 * rng.standard_normal((len(dry), microphones, len(time))) * 1000 ** (-time / reverberation)
    responses[np.arange(len(dry))[:, None], np.arange(microphones), rng.integers(8, size=responses.shape[:2])] += 1
    images = scipy.signal.fftconvolve(dry[:, None], responses, axes=-1)[..., :size]
    return Room(images.astype(np.float32), reverberation)


Method = Callable[[Array, int, Array], Array]
"""From a mixture `(channels, frequency, frames)`, how many talkers, and a key, to images of the talkers."""


def methods(setting: Setting) -> dict[str, Method]:
    """All that are compared, by name."""
    s = setting
    low_rank = spatial.IndependentLowRank(components=s.components)
    heavy_tailed = spatial.HeavyTailed(components=s.components, freedom=s.freedom)
    return {
        "AuxIVA": partial(demixed, spatial.Laplace(), s.iterations),
        "ILRMA": partial(demixed, low_rank, s.iterations),
        "t-ILRMA": partial(demixed, heavy_tailed, s.iterations),
        "FastMNMF2": partial(diagonalized, s.components, s.iterations),
        "AuxIVA, then EM": partial(refined, None, s.iterations, s.refinements),
        "AuxIVA, then EM, low rank": partial(refined, 8 * s.components, s.iterations, s.refinements),
    }


def demixed(model: spatial.SourceModel, steps: int, mixture: Array, talkers: int, key: Array) -> Array:
    """As many sources as microphones, of which the strongest are taken for the talkers."""
    images = ds.run(spatial.Demixing(model), mixture, steps, key=key).output
    strength = jnp.sum(jnp.abs(images) ** 2, axis=(1, 2, 3))
    return images[jnp.argsort(-strength)[:talkers]]


def diagonalized(components: int, steps: int, mixture: Array, talkers: int, key: Array) -> Array:
    """As many sources as talkers, whatever the microphones."""
    return ds.run(spatial.FastMNMF2(components=components, sources=talkers), mixture, steps, key=key).output


def refined(components: int | None, first: int, steps: int, mixture: Array, talkers: int, key: Array) -> Array:
    """The exact EM from AuxIVA's magnitudes, with powers that are free or have so many components."""
    magnitudes = jnp.abs(demixed(spatial.Laplace(), first, mixture, talkers, key))
    spectral = spatial.Free()
    if components is not None:
        powers = jnp.mean(magnitudes**2, axis=1, keepdims=True) / jnp.mean(jnp.abs(mixture) ** 2)  # EM's units
        factorize = nmf.NMF(components=components, divergence=nmf.ItakuraSaito())
        factors = ds.run(factorize, powers, first, key=key).output
        spectral = spatial.LowRank(components=components, initial=nmf.Given(**factors._asdict()))
    em = spatial.EM(spectral, start=spatial.Estimated(), noise=1e-6)
    return ds.run(em, (mixture, magnitudes), steps).output


@partial(jax.jit, static_argnames="method")
def separate(method: Method, images: Array, key: Array) -> Array:
    """What the first microphone hears of each talker, `(talkers, 1, samples)`."""
    mixture = STFT.analyze(images.sum(axis=0))
    return STFT.synthesize(method(mixture, len(images), key)[:, :1], length=images.shape[-1])


def gained(images: Array, estimates: Array) -> float:
    """The improvement of SDR in dB, mean over talkers (BSS Eval of images at the first microphone, best order)."""
    reference = images[:, :1]
    measure = partial(ds.metrics.bss_eval_images, permute=True)
    return float(jnp.mean(ds.metrics.improvement(measure, reference, estimates, reference.sum(axis=0)).sdr))


def write(records: dict[str, Any], out: Path) -> float:
    """Page and picture; returns the least improvement of any method in dB."""
    about = records["about"]
    setting, rooms = about["setting"], about["rooms"]
    names = list(methods(Setting()))
    found = {
        mics: {name: np.array([records[f"{mics}/{name}"][room] for room in rooms], float).mean(1) for name in names}
        for mics in setting["microphones"]
    }
    times = np.array(list(rooms.values()))
    groups = {f"{time} s": times == time for time in sorted(set(times.tolist()))}
    text = [
        "# Talkers in reverberant rooms\n",
        "Made by `python examples/reverberant_rooms.py`; the numbers are in `results.json`.\n",
        "Improvement of SDR in dB (BSS Eval of images at the first microphone, the order of the talkers solved), means "
        f"over talkers and {len(setting['seeds'])} start(s) that are drawn, then rooms; ± is half the 95 % interval "
        f"over rooms (Student's t), differences are paired. {len(rooms)} rooms of two talkers, {setting['seconds']} s "
        f"of each, STFT {STFT.n_fft}, {STFT.hop}; {setting['iterations']} iterations, {setting['refinements']} of EM. "
        "AuxIVA and ILRMA find as many sources as there are microphones, of which the two strongest are taken.\n",
    ]
    for mics, scores in found.items():
        rows = []
        for name, values in scores.items():
            if not np.all(np.isfinite(values)):
                rows.append([name, "not finite", *("" for _ in groups), ""])
                continue
            above = "" if name == "AuxIVA" else difference(values, scores["AuxIVA"])
            rows.append(
                [name, plus_minus(values), *(f"{values[group].mean():.1f}" for group in groups.values()), above]
            )
        header = ["", "all rooms", *groups, "above AuxIVA"]
        text += [f"## {mics} microphones\n", "By reverberation time.\n", table(header, rows)]
    (out / "README.md").write_text("\n".join(text))
    picture(out / "rooms.png", (5.0 * len(found), 3.6), lambda figure: _paint(figure, found))
    return float(np.nanmin([values.mean() for scores in found.values() for values in scores.values()]))


def _paint(figure: Any, found: dict[int, dict[str, np.ndarray]]) -> None:
    for ax, (mics, scores) in zip(figure.subplots(1, len(found), squeeze=False)[0], found.items(), strict=True):
        for place, values in enumerate(scores.values()):
            middle, low, high = interval(values)
            ax.plot(values, np.full(len(values), place), ".", color="0.6")
            ax.errorbar([middle], [place], xerr=[[middle - low], [high - middle]], fmt="o", color="tab:red", capsize=4)
        ax.set_yticks(range(len(scores)), list(scores))
        ax.set(title=f"{mics} microphones", xlabel="improvement of SDR, dB, by room", ylim=(len(scores) - 0.4, -0.6))
        ax.grid(alpha=0.3, axis="x")


def main(root: Path | None = None, out: Path = RESULTS, setting: Setting = Setting()) -> float:
    """Do what is not done yet, write page and picture; returns the least improvement of any method in dB."""
    rooms = read(root, setting)
    out.mkdir(parents=True, exist_ok=True)
    about = {name: room.reverberation for name, room in rooms.items()}
    store = Store(out / "results.json", about={"rooms": about, "setting": dataclasses.asdict(setting)})

    def judge(method: Method, microphones: int) -> dict[str, list[float]]:
        found = {}
        for name, room in rooms.items():
            images = jnp.asarray(room.images[:, :microphones])
            separated = [separate(method, images, jax.random.key(seed)) for seed in setting.seeds]
            gains = [gained(images, estimates) for estimates in separated]
            found[name] = [round(gain, 3) if np.isfinite(gain) else None for gain in gains]
        return found

    for microphones in setting.microphones:
        for name, method in methods(setting).items():
            store.once(f"{microphones}/{name}", partial(judge, method, microphones))
    return write(store.records, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rooms", type=Path, default=Path("rooms"), help="a folder with test in it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    options = parser.parse_args()
    main(options.rooms if options.rooms.is_dir() else None, options.out, QUICK if options.quick else Setting())

"""The study: does multichannel EM, exact or approximate, improve on ratio masks, and for which magnitudes?

    python examples/multichannel_em.py --songs FOLDER     # FOLDER/train and FOLDER/test hold folders of stems
    python examples/multichannel_em.py                    # ./songs if there is one, or else the bundled song

True magnitudes, those of dictionaries (supervised NMF) and those of a small network, the latter two learned on train
songs; from each the ratio mask, the approximate EM of norbert and Open-Unmix, the exact EM and its loop with weights,
and the exact EM with a model of the powers, after none to five iterations on test songs. The results go to
`multichannel-em`: `results.json`, from which a run that was cut off goes on, a page, and a picture (with the extra
`plots`). Those of a whole run are kept in `examples/multichannel/em`.
"""

import argparse
import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from multichannel import judging, learning, network
from multichannel.network import RATE, STFT
from study import songs
from study.intervals import interval
from study.page import difference, plus_minus, table
from study.pictures import picture
from study.store import Store

import dsp_sep as ds
from dsp_sep import spatial

RESULTS = Path("multichannel-em")
TITLES = {"oracle": "True magnitudes", "nmf": "Supervised NMF", "network": "A small network"}


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is done; `QUICK` only shows that everything runs.

    Attributes:
        judged: seconds of each test song.
        iterations: the most.
        kinds: of magnitudes.
        components: of each source's dictionary.
        activations: updates of the activations.
        hidden: width of the network.
        steps: of training it.
        seconds: of what it is trained on.
    """

    judged: float = 6.0
    iterations: int = 5
    kinds: tuple[str, ...] = ("oracle", "nmf", "network")
    components: int = 32
    activations: int = 30
    hidden: int = 96
    steps: int = 400
    seconds: float = 2.0


QUICK = Setting(judged=0.5, iterations=2, kinds=("nmf",), components=4, activations=3, hidden=8, steps=3, seconds=0.5)


def methods(dictionaries: Array | None) -> dict[str, Any]:
    """Algorithms by name; where there are dictionaries of magnitudes, also an EM whose powers are theirs."""
    estimated = spatial.Estimated()
    found = {
        "approximate EM": spatial.WienerRefinement(),
        "approximate EM, a mask of powers first": spatial.WienerRefinement(start=spatial.Softmask(exponent=2.0)),
        "exact EM": spatial.EM(start=estimated),
        "exact EM, no directions at first": spatial.EM(),
        "exact EM, weighted, two spatial steps": spatial.NestedEM(start=estimated),
    }
    if dictionaries is not None:
        spectral = spatial.Dictionaries(dictionary=dictionaries**2, steps=2)
        found["exact EM, powers of the dictionaries"] = spatial.EM(spectral, start=estimated)
    return found


class Study:
    """Magnitudes of all kinds on the test songs, and what methods make of them.

    Args:
        found: songs of the splits, by name.
        setting: how much is done.
        store: the records.
        models: a folder for what is learned.
    """

    def __init__(self, found: dict[str, dict[str, np.ndarray]], setting: Setting, store: Store, models: Path):
        self.setting, self.store, self.models, self.songs = setting, store, models, found["train"]
        cuts = [songs.where_all_sound(song, setting.judged, rate=RATE) for song in found["test"].values()]
        self.judged = [jnp.asarray(cut) for cut in cuts]

    def judge(self, kind: str) -> None:
        """The scores of each method after none, one, ... iterations, `(iterations + 1, songs)` by measure."""
        magnitudes = {"oracle": _oracle, "nmf": self._supervised, "network": self._network}[kind]
        given = None

        def of(method: Any) -> dict[str, list]:
            nonlocal given
            given = given or [magnitudes(sources) for sources in self.judged]
            pairs = zip(self.judged, given, strict=True)
            return judging.by_measure([_scores(method, s, m, self.setting.iterations) for s, m in pairs])

        for name, method in methods(self.dictionaries if kind == "nmf" else None).items():
            self.store.once(f"{kind}/{name}", lambda method=method: of(method))

    @cached_property
    def dictionaries(self) -> Array:
        """Of magnitudes, from train songs."""
        path, s = self.models / "dictionaries.npz", self.setting
        if not path.exists():
            cuts = [songs.where_all_sound(song, min(3.0, s.judged), rate=RATE) for song in self.songs.values()]
            sources = jnp.asarray(np.concatenate(cuts, axis=1))
            key = jax.random.key(0)
            ds.save(path, ds.separators.learn_dictionaries(STFT, sources, components=s.components, steps=60, key=key))
        return ds.load(path)

    @cached_property
    def network(self) -> ds.pytree.Network:
        """Trained on train songs mixed anew."""
        path, s = self.models / "network.npz", self.setting
        blank = network.blank(len(self.judged[0]), s.hidden, seed=0)
        if not path.exists():
            start = learning.Hybrid(blank)
            trained = learning.train(start, self.songs, steps=s.steps, rate=2e-3, seed=0, seconds=s.seconds)
            ds.save(path, trained.network.params)
        return dataclasses.replace(blank, params=ds.load(path))

    def _supervised(self, sources: Array) -> Array:
        names = songs.STEMS[: len(sources)]
        chain = ds.separators.classic(
            STFT, self.dictionaries, names=names, rate=RATE, iterations=self.setting.activations, inversions=0
        )
        return chain.magnitudes(STFT.analyze(sources.sum(axis=0)))

    def _network(self, sources: Array) -> Array:
        return self.network(STFT.analyze(sources.sum(axis=0)))


def _oracle(sources: Array) -> Array:
    return jnp.abs(STFT.analyze(sources))


def _scores(method: Any, sources: Array, magnitudes: Array, iterations: int) -> Array:
    """Scores after none, one, ... iterations, `(iterations + 1, measures)`."""
    data = (STFT.analyze(sources.sum(axis=0)), magnitudes)
    later = ds.run(method, data, iterations, record=_images).trace
    return judging.score(sources, jnp.concatenate([_first(method, data)[None], later]))


@jax.jit
def _first(method: Any, data: tuple[Array, Array]) -> Array:
    prepared = method.prepare(data)
    return method.readout(method.init(prepared), prepared)


def _images(method: Any, state: Any, data: Any) -> Array:
    return method.readout(state, data)


def write(records: dict[str, Any], out: Path) -> float:
    """Page and picture; returns by how many dB exact EM is above approximate EM, at the best of each."""
    about = records["about"]
    kinds = {kind: _of(kind, records) for kind in about["setting"]["kinds"]}
    text = [
        "# Multichannel EM\n",
        "Made by `python examples/multichannel_em.py`; the numbers are in `results.json`.\n",
        f"Judged on {len(about['songs']['test'])} unseen songs, {about['setting']['judged']} s of each where all "
        f"sound (stereo, {RATE} Hz, STFT {STFT.n_fft}, {STFT.hop}); dictionaries and network learned on "
        f"{len(about['songs']['train'])} others. Means over sources, then songs; ± and what is in brackets are 95 % "
        "intervals over songs (Student's t), paired for differences, whose wins are counted. After no iteration the "
        "approximate EM is a ratio mask, of magnitudes or of powers; the exact ones are a multichannel Wiener filter, "
        "which without directions is the ratio mask of powers.\n",
    ]
    for kind, found in kinds.items():
        text += [f"## {TITLES[kind]}\n", _differences(found), _by_count(found)]
    (out / "README.md").write_text("\n".join(text))
    picture(out / "by_count.png", (4.5 * len(kinds), 4.5), lambda figure: _paint(figure, kinds))
    best = [np.mean(_best(next(iter(kinds.values()))[name])) for name in ("exact EM", "approximate EM")]
    return float(best[0] - best[1])


Scores = dict[str, dict[str, np.ndarray]]
"""By method and measure, `(iterations + 1, songs)`."""


def _of(kind: str, records: dict[str, Any]) -> Scores:
    return {
        key.removeprefix(f"{kind}/"): {measure: np.array(values) for measure, values in record.items()}
        for key, record in records.items()
        if key.startswith(f"{kind}/")
    }


def _best(scores: dict[str, np.ndarray]) -> np.ndarray:
    """SDR of each song after that number of iterations that is best on average."""
    return scores["SDR"][np.argmax(scores["SDR"].mean(axis=1))]


def _differences(found: Scores) -> str:
    """Each method at its best against the ratio mask and against the approximate EM."""
    mask, approximate = found["exact EM, no directions at first"]["SDR"][0], _best(found["approximate EM"])
    rows = []
    for name, scores in found.items():
        ours = _best(scores)
        above = "" if name == "approximate EM" else difference(ours, approximate)
        rows.append([name, str(np.argmax(scores["SDR"].mean(axis=1))), difference(ours, mask), above])
    return table(["SDR, dB", "best at", "above the ratio mask of powers", "above the approximate EM at its best"], rows)


def _by_count(found: Scores) -> str:
    def one(measure: str) -> str:
        rows = [[name, *map(plus_minus, scores[measure])] for name, scores in found.items()]
        return table([f"{measure} by iterations", *map(str, range(len(rows[0]) - 1))], rows)

    return "\n".join(one(measure) for measure in judging.MEASURES)


def _paint(figure: Any, kinds: dict[str, Scores]) -> None:
    for ax, (kind, found) in zip(figure.subplots(1, len(kinds), squeeze=False)[0], kinds.items(), strict=True):
        for place, (name, scores) in enumerate(found.items()):
            middle, low, high = np.array([interval(values) for values in scores["SDR"]]).T
            x = np.arange(len(middle)) + 0.04 * place
            ax.errorbar(x, middle, [middle - low, high - middle], fmt=".-", capsize=2, lw=1, label=name)
        ax.set(title=TITLES[kind], xlabel="iterations", ylabel="SDR, dB")
        ax.grid(alpha=0.3)
    handles = {label: h for ax in figure.axes for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, fontsize="small")


def main(root: Path | None = None, out: Path = RESULTS, setting: Setting = Setting()) -> float:
    """Do what is not done yet, write page and picture; returns what exact EM gains over the approximate one, in dB."""
    found = songs.read_stereo(root, RATE)
    models = out / "models"
    models.mkdir(parents=True, exist_ok=True)
    about = {"songs": {split: sorted(some) for split, some in found.items()}, "setting": dataclasses.asdict(setting)}
    store = Store(out / "results.json", about=about)
    study = Study(found, setting, store, models)
    for kind in setting.kinds:
        study.judge(kind)
    return write(store.records, out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, default=Path("songs"), help="a folder with train and test in it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    options = parser.parse_args()
    main(options.songs if options.songs.is_dir() else None, options.out, QUICK if options.quick else Setting())

"""The study: do the learned constants of unfolded phase recovery beat the best fixed ones, on songs not seen?

    python examples/learned_inversion.py --songs FOLDER     # FOLDER/train and FOLDER/test hold folders of stems
    python examples/learned_inversion.py                    # ./songs if there is one, or else the bundled song

Several kinds of magnitudes, from true to estimated; for each of them the fixed algorithms by number of iterations, the
best point of a grid of 256 (of 768 with a gain, where magnitudes err) and of a search that begins there, and layers
whose constants are trained, tied and untied; for estimated magnitudes also what makes them, trained through the layers.
All choices are made on train songs. The results go to `learned-inversion`: `results.json`, from which a run that was
cut off goes on, a page, and pictures (with the extra `plots`). Those of a whole run are kept in
`examples/learned_inversion/results`.
"""

import argparse
import dataclasses
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
from learned_inversion import estimators, family, judging, learning, page, plots, problems
from learned_inversion.problems import Problem
from study.store import Store

import dsp_sep as ds

RESULTS = Path("learned-inversion")
GIVEN = {"oracle": problems.oracle, "noisy": problems.noisy, "smoothed": problems.smoothed}
"""Magnitudes that need the true sources."""
BIASED = {"noisy"}
"""Those for which a gain is searched and learned."""
MAKERS = {"nmf": "chain", "network": "network"}
"""What makes the others from the mixture, by its name in a tree."""
LEARNED = {"chain": ("activations.dictionary", "mask.exponent"), "network": ("params",)}
"""What of it is trained through the layers."""
RATES = {"chain": 0.02, "network": 3e-4}
"""Learning rates of these."""
RATES_OF_DEEP = {10: 0.02, 20: 0.008}
"""Learning rates of many layers, by their number: a step that is small for few of them is a large one for many."""


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is done; `QUICK` only shows that everything runs.

    Attributes:
        judged: seconds of each test song.
        searched: seconds of each train song for the grid.
        songs: train songs for the grid.
        learned: seconds of an excerpt to train on.
        steps: steps of training for given magnitudes, on excerpts where all sources sound.
        tries: for such an excerpt.
        warm: steps of these that the learning rate rises for.
        shorter: steps of training for masks, and for what makes them.
        counts: numbers of iterations of fixed algorithms.
        depth: of the layers that are looked at closely.
        other_depths: of untied ones beside them.
        deep: depths of further ones where magnitudes err.
        grid: the constants to search.
        kept: points of the grid that go on beyond five iterations.
        atoms: of each source's dictionary.
        activations: updates of the activations.
        hidden: width of the network.
        pretraining: steps of the network alone.
        kinds: of magnitudes.
    """

    judged: float = 2.0
    searched: float = 0.8
    songs: int = 4
    learned: float = 1.0
    steps: int = 156
    tries: int = 4
    warm: int = 10
    shorter: int = 104
    counts: tuple[int, ...] = family.COUNTS
    depth: int = 5
    other_depths: tuple[int, ...] = (1, 2, 3, 10)
    deep: tuple[int, ...] = (20,)
    grid: tuple[tuple[str, tuple[float, ...]], ...] = tuple(family.GRID.items())
    kept: int = 7
    atoms: int = 32
    activations: int = 15
    hidden: int = 256
    pretraining: int = 300
    kinds: tuple[str, ...] = ("oracle", "noisy", "nmf", "network")


QUICK = Setting(
    judged=1.0,
    searched=0.5,
    songs=1,
    learned=0.5,
    steps=6,
    warm=2,
    shorter=6,
    counts=(1, 2),
    depth=2,
    other_depths=(),
    deep=(),
    grid=(("exponent", (0.0, 1.0)), ("relaxation", (-0.3, 0.0)), ("radial", (0.1, 1.0)), ("momentum", (0.0, 0.5))),
    kept=3,
    atoms=4,
    activations=3,
    hidden=8,
    pretraining=4,
    kinds=("network",),
)


class Study:
    """All that is done for one kind of magnitudes, each piece a record of the store.

    Args:
        kind: of magnitudes.
        songs: of the splits, by name.
        setting: how much is done.
        store: the records.
        models: a folder for what makes magnitudes.
    """

    def __init__(
        self, kind: str, songs: dict[str, dict[str, np.ndarray]], setting: Setting, store: Store, models: Path
    ):
        self.kind, self.setting, self.store, self.train_songs = kind, setting, store, songs["train"]
        self.grid = {name: values for name, values in setting.grid if name != "gain" or kind in BIASED}
        self.constants = self.grid | (family.BEYOND if kind in GIVEN else {})
        self.model = {} if kind in GIVEN else {MAKERS[kind]: self.estimator(models / f"{kind}.npz")}
        # masks gain little from iterations, and nothing from many
        self.counts = tuple(count for count in setting.counts if count <= 10 or kind in GIVEN)
        cut = problems.where_all_sound
        some = list(self.train_songs.values())[:: max(len(self.train_songs) // setting.songs, 1)][: setting.songs]
        self.searched = [self.problem(cut(song, setting.searched), 100 + i) for i, song in enumerate(some)]
        self.judged = [self.problem(cut(song, setting.judged), i) for i, song in enumerate(songs["test"].values())]

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        return self.store.once(f"{self.kind}/{name}", make)

    def problem(self, sources: np.ndarray, seed: int) -> Problem:
        """What an algorithm is given of an excerpt."""
        if self.kind in GIVEN:
            return GIVEN[self.kind](jnp.asarray(sources), seed)
        return learning.make_magnitudes(self.model, problems.oracle(jnp.asarray(sources), seed))

    def estimator(self, path: Path) -> Any:
        """What makes the magnitudes, learned on train songs or read from an earlier run."""
        s = self.setting
        if self.kind == "network":
            blank = estimators.blank_network(s.hidden, len(next(iter(self.train_songs.values()))))
            if not path.exists():
                ds.save(path, estimators.train_network(blank, self.train_songs, steps=s.pretraining).params)
            return dataclasses.replace(blank, params=ds.load(path))
        if not path.exists():
            ds.save(path, estimators.learn_dictionaries(self.train_songs, components=s.atoms, seconds=3.0))
        return estimators.chain(ds.load(path), exponent=2.0, iterations=s.activations)

    def fixed(self) -> None:
        """The mixture's phase, and the algorithms with the constants of their papers, or the best for train songs."""
        self.once("mixture phase", lambda: judging.of_mixture_phase(self.judged))
        middle = max(count for count in self.counts if count <= 10)

        def quality(algorithm: Any) -> float:
            return float(np.mean(judging.by_count(algorithm, self.searched, (middle,))[str(middle)]["SDR"]))

        def judge(candidates: list[Any]) -> Any:
            chosen = max(candidates, key=quality) if len(candidates) > 1 else candidates[0]
            return judging.by_count(chosen, self.judged, self.counts)

        for name, candidates in family.fixed().items():
            self.once(f"fixed/{name}", lambda candidates=candidates: judge(candidates))

    def search(self) -> None:
        """The best points of the coarse grid and of the fine one, chosen on train songs, judged on test songs."""
        grid, constants, counts = self.grid, self.constants, self.counts
        early = tuple(count for count in counts if count <= 5)
        last = str(early[-1])

        def reached(kind: str, point: dict[str, float], counts: tuple[int, ...]) -> list[Any]:
            scores = judging.by_count(family.KINDS[kind](**point), self.searched, counts)
            return [kind, point, {count: float(np.mean(s["SDR"])) for count, s in scores.items()}]

        def best(tried: list[Any], count: int) -> dict[str, Any]:
            kind, point, _ = max(tried, key=lambda found: found[2].get(str(count), -np.inf))
            scores = judging.by_count(family.KINDS[kind](**point), self.judged, (count,))[str(count)]
            return {"order": kind, "constants": point, "scores": scores}

        def refine() -> list[Any]:
            tried = [reached("MISI", point, early) for point in begin()]
            for step in (0.5, 0.25):
                point = max(tried, key=lambda found: found[2][last])[1]
                tried += [reached("MISI", p, early) for p in family.neighbours(point, constants, step)]
            return sorted(tried, key=lambda found: -found[2][last])

        def go_on() -> list[Any]:
            """The best few, and the best of each momentum, for what is early ahead need not be later."""
            kept = best_of_each("momentum")
            kept = refined[: self.setting.kept - len(kept)] + kept
            return [reached("MISI", point, counts) for _, point, _ in kept]

        def late() -> list[Any]:
            """For many iterations the same search again."""
            tried = [reached("MISI", point, counts) for point in begin()]
            for step in (0.5, 0.25):
                for count in map(str, counts[-2:]):
                    point = max(tried, key=lambda found, count=count: found[2][count])[1]
                    tried += [reached("MISI", p, counts) for p in family.neighbours(point, constants, step)]
            return tried

        def begin() -> list[dict[str, float]]:
            """The grid's best of each momentum and relaxation, with each value of what is searched beyond the grid."""
            further = family.points({name: constants[name] for name in constants.keys() - grid.keys()})
            return [point | more for _, point, _ in best_of_each("momentum", "relaxation") for more in further]

        def best_of_each(*names: str) -> list[Any]:
            each = {}
            for found in sorted(scanned, key=lambda found: -found[2][last]):
                each.setdefault(tuple(found[1][name] for name in names), found)
            return list(each.values())

        coarse = [(kind, point) for kind in family.KINDS for point in family.points(family.COARSE)]
        some = tuple(count for count in self.setting.counts if count in (5, 20)) or counts
        coarse = self.once("coarse/train", lambda: [reached(*one, some) for one in coarse])
        scanned = self.once("grid/train", lambda: [reached("MISI", point, early) for point in family.points(grid)])
        refined = self.once("grid/refined", refine)
        long = self.once("grid/long", go_on) + (self.once("grid/late", late) if counts[-1] > 10 else [])
        for name, tried, at in (("coarse", coarse, some), ("grid", scanned + refined + long, counts)):
            self.once(name, lambda tried=tried, at=at: {str(count): best(tried, count) for count in at})

    def learn(self) -> None:
        """Layers trained on train songs, from the best point of the grid for their depth."""
        depth = self.setting.depth
        self.once(f"untied/{depth}", lambda: self._learned(depth, tied=False))

    def learn_others(self) -> None:
        """The same with tied layers, and for other depths; not for masks, which gain little from layers alone."""
        if not self.model:
            self.once(f"tied/{self.setting.depth}", lambda: self._learned(self.setting.depth, tied=True))
            for depth in self.setting.other_depths + (self.setting.deep if self.kind in BIASED else ()):
                self.once(f"untied/{depth}", lambda depth=depth: self._learned(depth, tied=False))

    def learn_jointly(self) -> None:
        """What makes the magnitudes, trained with the mixture's phase, and through layers with their constants."""
        depth = self.setting.depth
        layers = {"layers": family.layers(self._start(depth), depth)}
        names = tuple(f"layers.{family.CONSTANTS[name]}" for name in self.constants)
        model = tuple(f"{part}.{name}" for part in self.model for name in LEARNED[part])
        for name, tree, learned in self.model and (
            ("joint/mixture phase", self.model, model),
            ("joint/layers", self.model | layers, model + names),
        ):
            self.once(name, lambda tree=tree, learned=learned: self._trained(tree, learned))

    def _start(self, depth: int) -> dict[str, float]:
        found = self.store.records[f"{self.kind}/grid"]
        return found.get(str(depth), found[max(found, key=int)])["constants"]

    def _learned(self, depth: int, *, tied: bool) -> dict[str, Any]:
        layers = family.layers(self._start(depth), depth, tied=tied)
        return self._trained({"layers": layers}, tuple(f"layers.{family.CONSTANTS[name]}" for name in self.constants))

    def _trained(self, tree: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
        s, joint = self.setting, tree.keys() & self.model.keys()
        steps, tries, warm = (s.shorter, 1, 0) if self.model else (s.steps, s.tries, s.warm)
        cut = problems.remixed if joint else partial(problems.excerpts, tries=tries)
        cuts = cut(self.train_songs, s.learned, steps, seed=0)
        make = problems.oracle if joint else self.problem
        batches = (make(jnp.asarray(cut), 1000 + number) for number, cut in enumerate(cuts))
        rate = RATES_OF_DEEP.get(tree["layers"].depth, 0.05) if "layers" in tree else 0.0
        model_rate = RATES.get("".join(joint), 0.0)
        trained = learning.train(tree, names, batches, steps=steps, warm=warm, rate=rate, model_rate=model_rate)
        record = {
            "scores": judging.of_tree(trained.tree, self.judged),
            "parameters": trained.parameters,
            "seconds": round(trained.seconds, 1),
            "losses": [round(loss, 3) for loss in trained.losses],
        }
        if "layers" in tree:
            record["constants"] = family.constants(trained.tree["layers"], self.constants)
        return record


def main(songs: Path | None = None, out: Path = RESULTS, setting: Setting = Setting()) -> float:
    """Do what is not done yet, write page and pictures; returns the gain in dB of untied layers over the grid."""
    found = problems.read(songs)
    models = out / "models"
    models.mkdir(parents=True, exist_ok=True)
    store = Store(out / "results.json", about=page.about(found, setting))
    studies = [Study(kind, found, setting, store, models) for kind in setting.kinds]
    for part in (Study.search, Study.learn_jointly, Study.learn, Study.fixed, Study.learn_others):
        for study in studies:
            part(study)
    page.write(store.records, out)
    plots.draw(store.records, out)
    return page.gain(store.records)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, default=Path("songs"), help="a folder with train and test in it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    options = parser.parse_args()
    main(options.songs if options.songs.is_dir() else None, options.out, QUICK if options.quick else Setting())

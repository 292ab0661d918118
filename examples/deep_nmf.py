"""The study: deep NMF and task-driven dictionaries against supervised NMF of the same size, on songs not seen.

    python examples/deep_nmf.py --songs FOLDER     # FOLDER/train and FOLDER/test hold folders of stems
    python examples/deep_nmf.py                    # ./songs if there is one, or else the bundled song

Deep NMF: updates of the activations as layers, with dictionary, sparsity and exponent of their own (Hershey, Le Roux
and Weninger, 2014; Le Roux, Hershey and Weninger, 2015). Task-driven: one dictionary, trained through all iterations
(Sprechmann, Bronstein and Sapiro, 2014). All choices are made on train songs. The results go to `deep-nmf`:
`results.json`, from which a run that was cut off goes on, a page, and a picture (with the extra `plots`). Those of a
whole run are kept in `examples/deep_nmf/results`.
"""

import argparse
import dataclasses
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from deep_nmf import dictionaries, judging, learning, models, page, plots, problems
from deep_nmf.dictionaries import Choice
from study.store import Store

import dsp_sep as ds

RESULTS = Path("deep-nmf")


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is done; `QUICK` only shows that everything runs.

    Attributes:
        components: atoms of each source.
        seconds: of each train song for dictionaries.
        updates: of dictionaries by supervised NMF.
        validated: seconds of each train song that choices are made by.
        judged: seconds of each test song.
        counts: numbers of iterations of supervised NMF.
        depths: numbers of layers.
        betas: of the grid.
        sparsities: of the grid, with plain dictionaries.
        sparse: of sparse NMF, the same for dictionaries and activations.
        exponents: of the ratio mask, of the grid.
        variants: that are trained.
        depth: of the layers that are tried.
        tried: divergence, loss and learning rate of each.
        steps: of training at most.
        patience: validations without a better score after which training stops.
        every: steps between validations.
        batch: mixtures in a batch.
        excerpt: seconds of each.
    """

    components: int = 32
    seconds: float = 8.0
    updates: int = 60
    validated: float = 6.0
    judged: float = 6.0
    counts: tuple[int, ...] = (1, 2, 5, 10, 25, 50, 200)
    depths: tuple[int, ...] = (5, 10, 25)
    betas: tuple[float, ...] = (1.0, 2.0)
    sparsities: tuple[float, ...] = (0.1, 1.0)
    sparse: tuple[float, ...] = (0.1, 1.0)
    exponents: tuple[float, ...] = (1.0, 2.0)
    variants: tuple[str, ...] = ("deep", "task-driven", "reconstruction", "task-driven, two", "deep, last 5")
    depth: int = 5
    tried: tuple[tuple[float, str, float], ...] = (
        (1.0, "magnitudes, L2", 0.05),
        (1.0, "magnitudes, L1", 0.05),
        (1.0, "SDR", 0.05),
        (2.0, "magnitudes, L2", 0.05),
    )
    steps: int = 32
    patience: int = 2
    every: int = 8
    batch: int = 8
    excerpt: float = 0.4


QUICK = Setting(
    components=2,
    seconds=1.0,
    updates=4,
    validated=0.5,
    judged=0.5,
    counts=(1, 2),
    depths=(2,),
    variants=("task-driven", "deep"),
    betas=(1.0,),
    sparsities=(0.1,),
    sparse=(0.1,),
    exponents=(1.0,),
    depth=2,
    tried=((1.0, "SDR", 0.03),),
    steps=4,
    every=2,
    batch=1,
    excerpt=0.2,
)


class Study:
    """All that is done, each piece a record of the store.

    Args:
        songs: of the splits, by name.
        setting: how much is done.
        store: the records.
        folder: for dictionaries.
    """

    def __init__(self, songs: dict[str, dict[str, np.ndarray]], setting: Setting, store: Store, folder: Path):
        self.setting, self.store, self.folder = setting, store, folder
        self.songs = songs["train"]
        self.learned, held = problems.split(self.songs)
        self.held = problems.middles(held, setting.validated)
        self.judged = problems.middles(songs["test"], setting.judged)
        self.sources = len(self.judged[0])

    def dictionary(self, choice: Choice, *, held: bool = False) -> Any:
        """Learned by supervised NMF, of the held out songs too if asked for, or read from an earlier run."""
        choice = choice if choice.sparse else choice._replace(sparsity=0.0)
        kind = f"sparse-{choice.sparsity}" if choice.sparse else "plain"
        path = self.folder / f"{choice.beta}-{kind}{'-all' * held}.npz"
        if not path.exists():
            s, songs = self.setting, self.songs if held else self.learned
            learned = dictionaries.learn(songs, choice, components=s.components, seconds=s.seconds, steps=s.updates)
            ds.save(path, learned)
        return ds.load(path)

    def search(self) -> None:
        """The grid of supervised NMF, by the held out songs."""
        s = self.setting
        plain = [Choice(beta, False, weight, 1.0) for beta in s.betas for weight in s.sparsities]
        for choice in plain + [Choice(1.0, True, weight, 1.0) for weight in s.sparse]:
            self.store.once(f"grid/{choice.name}", lambda choice=choice: self._reached(choice))

    def best(self, count: int, *, sparse: bool | None = None, beta: float | None = None) -> Choice:
        """The point of the grid that is best for the held out songs after so many iterations."""
        found = [
            tuple(one) for name, points in self.store.records.items() if name.startswith("grid/") for one in points
        ]
        made = [(score, Choice(*choice)) for choice, at, score in found if at == count]
        return max(one for one in made if sparse in (None, one[1].sparse) and beta in (None, one[1].beta))[1]

    def _reached(self, choice: Choice) -> list[Any]:
        s = self.setting
        scores = judging.by_count(choice.point(self.dictionary(choice)), self.held, s.counts, s.exponents)
        return [
            [choice._replace(exponent=exponent), count, float(np.mean(scores[:, i, j, 0]))]
            for i, count in enumerate(s.counts)
            for j, exponent in enumerate(s.exponents)
        ]

    def judge(self) -> None:
        """Supervised NMF as it comes, the best of the grid, and the best of sparse NMF, on test songs."""
        counts = self.setting.counts
        usual = Choice(1.0, False, 0.0, 1.0)
        self.store.once("plain", lambda: self._judged(dict.fromkeys(counts, usual)))
        self.store.once("grid", lambda: self._judged({count: self.best(count) for count in counts}))
        sparse = {count: self.best(count, sparse=True) for count in counts}
        self.store.once("sparse", lambda: self._judged(sparse))
        self.store.once("sparse, all songs", lambda: self._judged(sparse, held=True))

    def _judged(self, choices: dict[int, Choice], *, held: bool = False) -> dict[str, Any]:
        """Scores on test songs of supervised NMF, for each number of iterations a choice."""
        records = {}
        for choice in dict.fromkeys(choices.values()):
            counts = [count for count, made in choices.items() if made == choice]
            point = choice.point(self.dictionary(choice, held=held))
            scores = judging.by_count(point, self.judged, counts, [choice.exponent])
            for i, count in enumerate(counts):
                records[str(count)] = {"choice": choice, "scores": judging.as_scores(scores[:, i, 0])}
        return records

    def choose(self) -> None:
        """Divergence of the layers, loss and learning rate, for deep NMF, by the held out songs."""
        s = self.setting
        for beta, loss, rate in s.tried:
            train = partial(self._trained, "deep", s.depth, beta, loss, rate)
            self.store.once(f"choice/{beta}/{loss}/{rate}", lambda train=train: train()[1])

    def chosen(self) -> tuple[float, str, float]:
        """The divergence, the loss and the rate that were best."""
        tried = {key: made["best"] for key, made in self.store.records.items() if key.startswith("choice/")}
        beta, loss, rate = max(tried, key=tried.__getitem__).split("/")[1:]
        return float(beta), loss, float(rate)

    def train(self) -> None:
        """Each variant at each depth."""
        for name in self.setting.variants:
            variant = models.VARIANTS[name]
            for depth in self.setting.depths:
                if variant.untied is None or depth > variant.untied:
                    self.store.once(f"{name}/{depth}", lambda name=name, depth=depth: self._learned(name, depth))

    def _learned(self, name: str, depth: int) -> dict[str, Any]:
        separator, record = self._trained(name, depth, *self.chosen())
        return record | {"scores": judging.of_separator(separator, self.judged)}

    def _trained(
        self, name: str, depth: int, beta: float, loss: str, rate: float
    ) -> tuple[models.Separator, dict[str, Any]]:
        s, variant = self.setting, models.VARIANTS[name]
        choice = self.best(depth, beta=beta)
        start = models.separator(choice.point(self.dictionary(choice)), variant, depth, self.sources)

        def score(params: ds.pytree.Free) -> float:
            return float(np.mean(judging.of_separator(ds.constrain(params, start), self.held)["SDR"]))

        trained = learning.train(
            start,
            variant.trained,
            problems.batches(self.learned, s.excerpt, s.batch, s.steps, seed=0),
            steps=s.steps,
            rate=rate,
            loss=loss,
            validation=ds.training.Validation(score, every=s.every, patience=s.patience),
        )
        return trained.separator, {
            "start": score(ds.unconstrain(start, variant.trained)),
            "best": max(found for _, found in trained.scores),
            "parameters": trained.parameters,
            "seconds": round(trained.seconds, 1),
            "losses": [round(value, 4) for value in trained.losses],
            "validations": [[step, round(found, 3)] for step, found in trained.scores],
        }


def main(songs: Path | None = None, out: Path = RESULTS, setting: Setting = Setting()) -> float:
    """Do what is not done yet, write page and picture; the gain in dB of the deepest deep NMF over the grid."""
    found = problems.read(songs)
    folder = out / "dictionaries"
    folder.mkdir(parents=True, exist_ok=True)
    store = Store(out / "results.json", about=page.about(found, setting))
    study = Study(found, setting, store, folder)
    for part in (study.search, study.choose, study.judge, study.train):
        part()
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

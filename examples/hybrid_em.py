"""The study: is a network better trained through the EM that follows it than without?

    python examples/hybrid_em.py --songs FOLDER     # FOLDER/train and FOLDER/test hold folders of stems
    python examples/hybrid_em.py                    # ./songs if there is one, or else the bundled song

One small network gives the powers of the sources, frame by frame, from the mixture; EM turns these into multichannel
filters. From the same start, and on the same mixes for as many steps, it is trained alone and through the unfolded EM;
alone also for as much longer as steps through EM cost. EM follows either, too. All are judged on songs not seen. The
results go to `hybrid-em`: `results.json`, from which a run that was cut off goes on, a page, and a picture (with the
extra `plots`). Those of a whole run are kept in `examples/multichannel/hybrid`.
"""

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from multichannel import judging, learning, network
from multichannel.learning import Hybrid
from multichannel.network import RATE
from study import songs
from study.intervals import paired
from study.page import difference, plus_minus, table
from study.pictures import picture
from study.store import Store

import dsp_sep as ds

RESULTS = Path("hybrid-em")
LEARNED = ("exponent", "noise")
"""What is trained of each layer of EM."""
THROUGH = "trained through EM"


@dataclasses.dataclass(frozen=True)
class Setting:
    """How much is done; `QUICK` only shows that everything runs.

    Attributes:
        seeds: of networks and mixes.
        depth: layers of EM.
        hidden: width of the network.
        first: steps of training it alone, before the ways part.
        steps: of training after that.
        longer: so many times as many cost alone what those through EM do, compiling aside.
        seconds: of a mix to train on.
        judged: seconds of each test song.
    """

    seeds: tuple[int, ...] = (0, 1, 2)
    depth: int = 2
    hidden: int = 96
    first: int = 200
    steps: int = 64
    longer: int = 4
    seconds: float = 2.0
    judged: float = 6.0


QUICK = Setting(seeds=(0,), depth=1, hidden=8, first=4, steps=4, longer=2, seconds=0.5, judged=0.5)


class Study:
    """One seed, each piece of it a record of the store.

    Args:
        seed: of the network and of what it learns on.
        found: songs of the splits, by name.
        setting: how much is done.
        store: the records.
        models: a folder for the network before the ways part.
    """

    def __init__(
        self, seed: int, found: dict[str, dict[str, np.ndarray]], setting: Setting, store: Store, models: Path
    ):
        self.seed, self.setting, self.store, self.songs = seed, setting, store, found["train"]
        cuts = [songs.where_all_sound(song, setting.judged, rate=RATE) for song in found["test"].values()]
        self.judged = [jnp.asarray(cut) for cut in cuts]
        em = ds.spatial.EM(start=ds.spatial.Estimated(), noise=1e-3, exponent=0.0)
        self.layers = ds.unfold(em, setting.depth, untied=LEARNED)
        self.start = Hybrid(self._begun(models / f"{seed}.npz"))

    def learn(self) -> None:
        """The three ways to go on, and what EM makes of the network where it was trained without."""
        steps = self.setting.steps
        for name, count in (("alone", steps), ("alone, longer", self.setting.longer * steps)):
            self.store.once(f"{self.seed}/{name}", lambda count=count: self._alone(count))
        self.store.once(f"{self.seed}/{THROUGH}", self._through)

    def _alone(self, steps: int) -> dict[str, Any]:
        hybrid, seconds = self._trained(self.start, steps)
        after = hybrid._replace(layers=self.layers)
        return {"scores": self._judge(hybrid), "then EM": self._judge(after), "seconds": seconds}

    def _through(self) -> dict[str, Any]:
        hybrid, seconds = self._trained(self.start._replace(layers=self.layers), self.setting.steps, LEARNED)
        constants = {name: np.round(getattr(hybrid.layers.layers, name), 5).tolist() for name in LEARNED}
        return {"scores": self._judge(hybrid), "seconds": seconds, "constants": constants}

    def _trained(self, start: Hybrid, steps: int, layers: tuple[str, ...] = ()) -> tuple[Hybrid, float]:
        """Trained on, and the processor's seconds that took."""
        begun = time.process_time()
        seed, seconds = 1000 + self.seed, self.setting.seconds
        hybrid = learning.train(start, self.songs, steps=steps, rate=1e-3, seed=seed, seconds=seconds, layers=layers)
        return hybrid, round(time.process_time() - begun, 1)

    def _judge(self, hybrid: Hybrid) -> dict[str, list[float]]:
        return judging.by_measure([_judged(hybrid, sources) for sources in self.judged])

    def _begun(self, path: Path) -> ds.pytree.Network:
        s = self.setting
        fresh = network.blank(len(self.judged[0]), s.hidden, self.seed)
        if not path.exists():
            first = learning.train(
                Hybrid(fresh), self.songs, steps=s.first, rate=2e-3, seed=self.seed, seconds=s.seconds
            )
            ds.save(path, first.network.params)
        return dataclasses.replace(fresh, params=ds.load(path))


@jax.jit
def _judged(hybrid: Hybrid, sources: jax.Array) -> jax.Array:
    return judging.score(sources, learning.separate(hybrid, sources.sum(axis=0)))


def rows(records: dict[str, Any], measure: str) -> dict[str, np.ndarray]:
    """Scores by way, `(seeds, songs)`."""
    seeds = records["about"]["setting"]["seeds"]
    found = {}
    for name in ("alone", "alone, longer"):
        found[f"network {name}"] = [records[f"{seed}/{name}"]["scores"][measure] for seed in seeds]
        found[f"network {name}, then EM"] = [records[f"{seed}/{name}"]["then EM"][measure] for seed in seeds]
    found[f"network {THROUGH}"] = [records[f"{seed}/{THROUGH}"]["scores"][measure] for seed in seeds]
    return {name: np.array(values) for name, values in found.items()}


def write(records: dict[str, Any], parameters: int, out: Path) -> float:
    """Page and picture; returns by how many dB the network trained through EM is above the best other one."""
    about = records["about"]
    setting, seeds = about["setting"], about["setting"]["seeds"]
    sdr, si_sdr = (rows(records, measure) for measure in judging.MEASURES)
    ours = sdr[f"network {THROUGH}"].mean(0)
    extra = len(LEARNED) * setting["depth"]
    steps = {name: setting["steps"] * (setting["longer"] if "longer" in name else 1) for name in sdr}
    spent = {name: np.mean([records[f"{seed}/{_way(name)}"]["seconds"] for seed in seeds]) for name in sdr}
    cost = {name: f"{seconds / spent['network alone']:.1f}" for name, seconds in spent.items()}
    lines = []
    for name, values in sdr.items():
        through = name.endswith(THROUGH)
        each = ", ".join(f"{value:.2f}" for value in values.mean(1))
        above = "" if through else difference(ours, values.mean(0))
        scores = [plus_minus(values.mean(0)), each, plus_minus(si_sdr[name].mean(0)), above]
        lines.append([name, str(parameters + extra * through), str(steps[name]), cost[name], *scores])
    header = ["", "parameters", "steps", "cost", "SDR, dB", "each seed", "SI-SDR, dB", "trained through EM above it"]
    learned = [records[f"{seed}/{THROUGH}"]["constants"] for seed in seeds]
    text = [
        "# A network and EM\n",
        "Made by `python examples/hybrid_em.py`; the numbers are in `results.json`.\n",
        f"Judged on {len(about['songs']['test'])} unseen songs, {setting['judged']} s of each where all sound (stereo, "
        f"{RATE} Hz), learned on {len(about['songs']['train'])} others. The network was trained alone for "
        f"{setting['first']} steps before the ways parted; steps and cost (the processor's time, compiling included, "
        f"beside the network's alone) are those after that. {setting['depth']} layers of EM, of which exponents and "
        "noise are trained. Means over sources, seeds, then songs; ± and what is in brackets are 95 % intervals over "
        "songs (Student's t), paired for differences, whose wins are counted.\n",
        table(header, lines),
        "Trained constants by seed: "
        + "; ".join(", ".join(f"{name} {np.round(values, 4).tolist()}" for name, values in c.items()) for c in learned)
        + ".\n",
    ]
    (out / "README.md").write_text("\n".join(text))
    others = {name: values.mean(0) for name, values in sdr.items() if THROUGH not in name}
    picture(out / "differences.png", (7.0, 3.2), lambda figure: _paint(figure, ours, others))
    return float(ours.mean() - max(values.mean() for values in others.values()))


def _way(name: str) -> str:
    """The part of a row's name that its record has."""
    return name.removeprefix("network ").removesuffix(", then EM")


def _paint(figure: Any, ours: np.ndarray, others: dict[str, np.ndarray]) -> None:
    ax = figure.subplots()
    for place, values in enumerate(others.values()):
        middle, low, high = paired(ours, values)
        ax.plot(ours - values, np.full(len(ours), place), ".", color="0.6")
        ax.errorbar([middle], [place], xerr=[[middle - low], [high - middle]], fmt="o", color="tab:red", capsize=4)
    ax.set_yticks(range(len(others)), list(others))
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="SDR of training through EM above it, dB, by song", ylim=(-0.6, len(others) - 0.4))
    ax.grid(alpha=0.3, axis="x")


def main(root: Path | None = None, out: Path = RESULTS, setting: Setting = Setting()) -> float:
    """Do what is not done yet, write page and picture; returns what training through EM gains over the best other."""
    found = songs.read_stereo(root, RATE)
    models = out / "models"
    models.mkdir(parents=True, exist_ok=True)
    about = {"songs": {split: sorted(some) for split, some in found.items()}, "setting": dataclasses.asdict(setting)}
    store = Store(out / "results.json", about=about)
    for seed in setting.seeds:
        study = Study(seed, found, setting, store, models)
        study.learn()
    return write(store.records, learning.parameters(study.start.network.params), out)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--songs", type=Path, default=Path("songs"), help="a folder with train and test in it")
    parser.add_argument("--out", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--quick", action="store_true", help="only see that everything runs")
    options = parser.parse_args()
    main(options.songs if options.songs.is_dir() else None, options.out, QUICK if options.quick else Setting())

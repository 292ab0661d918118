"""`dsp-sep learn`: a model from songs with known stems."""

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .config import Config, read_config

if TYPE_CHECKING:
    from ..data import Excerpts, Part
    from ..separators import Supervised

HELP = """Learn a model from songs with known stems, as CONFIG says.

CONFIG is a TOML file with the sections model, data and training; only the stems and the folders have no default:

\b
    [model]
    stems = ["drums", "bass", "guitar", "vocals"]
    [data]
    train = "example"          # or a folder of songs, each a folder of stems
    validation = "example"
    mix = 0.5                  # half of the excerpts from several songs
    [training]
    steps = 300

DIR then holds model.npz, which 'dsp-sep separate --model' and 'dsp-sep evaluate' take, the history, a manifest of what
made it, and checkpoints: the same command goes on from the last one if it was interrupted.
"""


@click.command(help=HELP)
@click.argument("config", type=click.Path(path_type=Path))
@click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where the model goes.")
def learn(config: Path, out: Path) -> None:
    """See `HELP`."""
    settings = read_config(config)
    from ..report import progress
    from .stems import make_folder

    make_folder(out)
    _check_same(out, settings)
    with progress() as bars:
        bar = bars.add_task("Learning", total=settings.training.steps)
        score = train(settings, out, lambda step: bars.update(bar, completed=step + 1))
    click.echo(f"{out / 'model.npz'}: {score:.2f} dB SDR on the songs for validation (median, mean over stems)")


def train(config: Config, out: Path, on_step: Callable[[int], None]) -> float:
    """Learn a model into a folder, or go on with it; its score on the validation songs."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from .. import training
    from ..data import batches
    from ..pytree import constrain, save, unconstrain

    songs = _parts(config.data.train, "learn"), _parts(config.data.validation, "hold")
    items = _excerpts(config, songs[0], augmented=True)
    if not (out / "start.npz").exists():
        save(out / "start.npz", _start(config, _excerpts(config, songs[0], augmented=False)))
    layers = _load(out / "start.npz")
    measure = _loss(config, layers.stft)

    def loss(params: Any, sources: Any) -> Any:
        return jnp.mean(measure(sources, constrain(params, layers)(jnp.sum(sources, axis=-3))))

    def score(params: Any) -> float:
        model = constrain(params, layers)
        return float(np.nanmean([measures["SDR"] for measures in _evaluate(model, songs[1])["median"].values()]))

    try:
        params = unconstrain(layers, train=config.model.train)
    except ValueError as error:
        raise click.ClickException(f"model.train: {error}") from None
    how = config.training
    if how.devices > len(jax.devices()):
        raise click.ClickException(f"training.devices is {how.devices}, and there are {len(jax.devices())}")
    found = training.fit(
        loss,
        params,
        lambda first: batches(items, how.batch, first=first, count=how.steps - first, workers=config.data.workers),
        _optimizer(config),
        accumulate=how.accumulate,
        devices=jax.devices()[: how.devices] if how.devices > 1 else None,
        validation=training.Validation(score, every=min(how.validate, how.steps), patience=how.patience or None),
        folder=out,
        every=how.checkpoint,
        about={"settings": asdict(config), "seed": how.seed, "data": items.digest()},
        on_step=lambda step, _: on_step(step),
    )
    save(out / "model.npz", constrain(found.best, layers), overwrite=True)
    return max(value for _, value in found.scores)


def _parts(where: str, use: str) -> "list[Part]":
    from ..data import Part, songs
    from ..data.example import BOUNDARY, FOLDER

    if where != "example":
        return [Part(folder) for folder in songs(where)]
    end = BOUNDARY / 44100  # the rest is there to be judged on
    return [Part(FOLDER, *((0.0, end / 2) if use == "learn" else (end / 2, end)))]


def _excerpts(config: Config, songs: "list[Part]", *, augmented: bool) -> "Excerpts":
    from ..data import Augmentation, Excerpts

    data, model = config.data, config.model
    try:
        how = Augmentation(mix=data.mix, gain=data.gain, swap=data.swap, flip=data.flip, speed=data.speed)
    except ValueError as error:
        raise click.ClickException(f"data: {error}") from None
    return Excerpts(
        songs,
        names=model.stems,
        seconds=data.seconds,
        rate=model.rate,
        seed=config.training.seed,
        augmentation=how if augmented else Augmentation(),
    )


def _start(config: Config, items: "Excerpts") -> "Supervised":
    """The classic chain with dictionaries learned from some excerpts, its layers untied."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from ..iterate import unfold
    from ..separators import classic, learn_dictionaries
    from ..transforms import STFT

    model = config.model
    stft = STFT(n_fft=model.n_fft, hop=model.n_fft // 4)
    sources = np.concatenate([items[number] for number in range(model.dictionary_excerpts)], axis=1)
    key = jax.random.key(config.training.seed)
    W = learn_dictionaries(
        stft, jnp.asarray(sources), components=model.components, steps=model.dictionary_steps, key=key
    )
    size = {"iterations": model.iterations, "inversions": model.inversions}
    chain = classic(stft, W, names=model.stems, rate=model.rate, **size)

    def untie(part: str, layers: int) -> Any:
        names = [name.removeprefix(f"{part}.") for name in model.untied if name.startswith(f"{part}.")]
        return unfold(getattr(chain, part)[0], layers, untied=names)

    for name in model.untied:
        if not name.startswith(("activations.", "inversion.") if model.inversions else "activations."):
            raise click.ClickException(f"model.untied: {name!r} is not in activations or inversion, which have layers")
    try:
        activations = untie("activations", model.iterations)
        inversion = untie("inversion", model.inversions) if model.inversions else None
    except ValueError as error:
        raise click.ClickException(f"model.untied: {error}") from None
    return replace(chain, activations=activations, inversion=inversion)


def _loss(config: Config, stft: Any) -> Callable[[Any, Any], Any]:
    from .. import training
    from ..nmf import KullbackLeibler

    makers: dict[str, Callable[[], Any]] = {
        "sdr": lambda: training.negative_sdr,
        "si-sdr": lambda: training.negative_si_sdr,
        "l1": lambda: training.SpectralL1(stft),
        "l2": lambda: training.SpectralL2(stft),
        "multi-resolution": training.MultiResolutionSTFT,
        "kullback-leibler": lambda: training.SpectralDivergence(stft, KullbackLeibler()),
    }
    return makers[config.training.loss]()


def _optimizer(config: Config) -> Any:
    import optax

    how = config.training
    rate = optax.cosine_decay_schedule(how.learning_rate, how.steps) if how.schedule == "cosine" else how.learning_rate
    return optax.chain(optax.clip_by_global_norm(how.clip), getattr(optax, how.optimizer)(rate))


def _evaluate(model: "Supervised", songs: "list[Part]") -> Any:
    from ..separators import evaluate_song, summary
    from .methods import chunks_of

    return summary({song.folder.name: evaluate_song(chunks_of(model), song, model.names) for song in songs})


def _load(path: Path) -> "Supervised":
    from ..pytree import load

    return load(path)


def _check_same(out: Path, config: Config) -> None:
    """A folder that another config has begun is not gone on with."""
    import json

    manifest, settings = out / "manifest.json", json.loads(json.dumps(asdict(config)))
    if manifest.exists() and (known := json.loads(manifest.read_text())["settings"]) != settings:
        changed = [
            f"{section}.{name}"
            for section, values in settings.items()
            for name, value in values.items()
            if known.get(section, {}).get(name) != value
        ]
        raise click.ClickException(f"{out} was begun with another {', '.join(changed)}: choose another --out")

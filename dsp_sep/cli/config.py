"""The file that says what `dsp-sep learn` does: TOML, every field checked."""

import difflib
import tomllib
import typing
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

import click

LOSSES = ("sdr", "si-sdr", "l1", "l2", "multi-resolution", "kullback-leibler")
OPTIMIZERS = ("adam", "adamw", "sgd", "lion")
SCHEDULES = ("constant", "cosine")


def _number(default: Any, least: float, *, above: bool = False) -> Any:
    return field(default=default, metadata={"least": least, "above": above})


def _one_of(default: str, choices: tuple[str, ...]) -> Any:
    return field(default=default, metadata={"choices": choices})


@dataclass(frozen=True)
class Model:
    """The separator: dictionaries, unfolded activations, a mask, unfolded MISI (see `separators.Supervised`).

    Attributes:
        stems: what to separate, in order.
        rate: Hz; songs of other rates are resampled.
        n_fft: samples of a frame; the hop is a quarter of it.
        components: atoms for each stem.
        dictionary_steps: iterations of NMF for the dictionaries.
        dictionary_excerpts: excerpts they are learned from.
        iterations: layers of multiplicative updates.
        inversions: layers of MISI; 0 keeps the mixture's phase.
        untied: leaves that each layer has for itself.
        train: leaves that are trained.
    """

    stems: tuple[str, ...]
    rate: int = _number(44100, 1)
    n_fft: int = _number(4096, 16)
    components: int = _number(16, 1)
    dictionary_steps: int = _number(100, 1)
    dictionary_excerpts: int = _number(8, 1)
    iterations: int = _number(10, 1)
    inversions: int = _number(3, 0)
    untied: tuple[str, ...] = ("activations.dictionary",)
    train: tuple[str, ...] = ("activations.dictionary", "activations.penalties", "mask.exponent")


@dataclass(frozen=True)
class Data:
    """Songs to learn from, and how excerpts of them are made new (see `data.Augmentation`).

    Attributes:
        train: a folder of songs, each a folder of stems; or "example", the bundled one.
        validation: another, that decides which parameters are best.
        seconds: of an excerpt.
        mix, gain, swap, flip, speed: as in `data.Augmentation`.
        workers: threads that read.
    """

    train: str
    validation: str
    seconds: float = _number(2.0, 0, above=True)
    mix: float = _number(0.0, 0)
    gain: tuple[float, float] = (0.0, 0.0)
    swap: float = _number(0.0, 0)
    flip: float = _number(0.0, 0)
    speed: tuple[float, float] = (1.0, 1.0)
    workers: int = _number(2, 1)


@dataclass(frozen=True)
class Training:
    """How it is trained.

    Attributes:
        steps: of the optimiser.
        batch: excerpts in a step.
        accumulate: parts that a batch is gone through in.
        devices: how many share a batch.
        loss: what is to be small.
        optimizer: of optax, with its defaults.
        learning_rate: at the start.
        schedule: constant, or a cosine down to zero.
        clip: the largest norm of a gradient.
        seed: of all that is drawn.
        validate: steps between two validations.
        patience: validations without a better score after which it stops; 0 goes on to the end.
        checkpoint: steps between two checkpoints.
    """

    steps: int = _number(1000, 1)
    batch: int = _number(4, 1)
    accumulate: int = _number(1, 1)
    devices: int = _number(1, 1)
    loss: str = _one_of("sdr", LOSSES)
    optimizer: str = _one_of("adam", OPTIMIZERS)
    learning_rate: float = _number(0.05, 0, above=True)
    schedule: str = _one_of("cosine", SCHEDULES)
    clip: float = _number(10.0, 0, above=True)
    seed: int = _number(0, 0)
    validate: int = _number(50, 1)
    patience: int = _number(0, 0)
    checkpoint: int = _number(25, 1)


@dataclass(frozen=True)
class Config:
    """A whole file."""

    model: Model
    data: Data
    training: Training


def read_config(path: Path) -> Config:
    """Read and check a file.

    Raises:
        click.ClickException: for a file that cannot be read, a name that is not known (with the nearest that is), a
            field that is missing, of another type, or out of its range.
    """
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{path} is not TOML: {error}") from None
    sections = typing.get_type_hints(Config)
    _check_known(path, "section", content, sections)
    made = {name: _section(path, name, content.get(name, {}), kind) for name, kind in sections.items()}
    config = Config(**made)
    if config.training.batch % (config.training.accumulate * config.training.devices):
        raise click.ClickException(f"{path}: training.batch must be divisible by accumulate times devices")
    return config


def _section(path: Path, section: str, values: Any, kind: type) -> Any:
    if not isinstance(values, dict):
        raise click.ClickException(f"{path}: {section} must be a section, [{section}]")
    types = typing.get_type_hints(kind)
    _check_known(path, f"field of {section}", values, types)
    made = {}
    for each in fields(kind):
        name = f"{section}.{each.name}"
        if each.name in values:
            made[each.name] = _convert(f"{path}: {name}", values[each.name], types[each.name], each.metadata)
        elif each.default is MISSING:
            raise click.ClickException(f"{path}: {name} is missing")
    return kind(**made)


def _check_known(path: Path, what: str, given: Any, known: Any) -> None:
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0)[0]
            raise click.ClickException(f"{path}: there is no {what} named {name!r}; the nearest is {near!r}")


def _convert(name: str, value: Any, kind: Any, limits: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    inner = typing.get_args(kind)
    if inner:
        length = None if inner[-1] is Ellipsis else len(inner)
        if not isinstance(value, list) or not value or length not in (None, len(value)):
            raise click.ClickException(f"{name} must be a list of {length or 'one or more'}, got {value!r}")
        return tuple(_convert(name, item, inner[0], limits) for item in value)
    if type(value) is not kind:
        raise click.ClickException(f"{name} must be of type {kind.__name__}, got {value!r}")
    if "choices" in limits and value not in limits["choices"]:
        near = difflib.get_close_matches(value, limits["choices"], n=1, cutoff=0)[0]
        raise click.ClickException(f"{name}: there is no {value!r}; the nearest is {near!r}")
    if "least" in limits and not (value > limits["least"] if limits["above"] else value >= limits["least"]):
        bound = "above" if limits["above"] else "at least"
        raise click.ClickException(f"{name} must be {bound} {limits['least']}, got {value}")
    return value

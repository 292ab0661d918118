"""`dsp-sep separate`: audio files in, stems out."""

import difflib
import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from .methods import Method


class Entry(NamedTuple):
    """A method: the function of `methods` that makes it, what `--help` says of it, and the option that is its own."""

    make: str
    when: str
    option: str | None = None


METHODS = {
    "harmonic-percussive": Entry(
        "harmonic_percussive",
        "what sounds on and what strikes: instruments, drums. Quick, and needs to know nothing.",
    ),
    "voice": Entry(
        "voice",
        "a voice, and the accompaniment that comes back under it: loops, riffs, chords. Solos go with the voice.",
    ),
    "blind": Entry(
        "blind",
        "N groups of similar sounds, found in the file itself. For few instruments that sound different.",
        "sources",
    ),
    "supervised": Entry(
        "supervised",
        "the stems a model was trained for. The best where there is one: 'dsp-sep demo' trains and writes one for its "
        "song, 'dsp-sep learn' one for yours.",
        "model",
    ),
}
WIDTH = max(map(len, METHODS)) + 4
LISTED = "\n".join(
    textwrap.fill(entry.when, 78, initial_indent=f"  {name}".ljust(WIDTH), subsequent_indent=" " * WIDTH)
    for name, entry in METHODS.items()
)


class Name(click.Choice):
    """A choice whose error proposes the nearest name."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        near = difflib.get_close_matches(str(value), self.choices, n=1, cutoff=0.4)
        return f"there is no {value!r}: choose {near[0] if near else ' or '.join(self.choices)}"


HELP = f"""Separate audio files into stems.

Each INPUT becomes a folder of its own in DIR, with a file for each stem: song.wav becomes DIR/song/harmonic.wav and
so on. The stems sum to the input. Files may be of any length, rate and number of channels.

\b
Which method when:
{LISTED}

\b
Examples:
  dsp-sep separate song.mp3 --out stems
  dsp-sep separate song.mp3 --out stems --method voice
  dsp-sep separate song.mp3 --out stems --method voice --refine 1
  dsp-sep separate duo.wav --out stems --method blind --sources 2
  dsp-sep separate song.wav --out stems --model dsp-sep-demo/model.npz
"""


@click.command(help=HELP)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where the stems go.")
@click.option(
    "--method",
    metavar="METHOD",
    type=Name(tuple(METHODS)),
    help="How to separate. [default: harmonic-percussive, or supervised with --model]",
)
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="The model of the method supervised.")
@click.option(
    "--sources", metavar="N", type=click.IntRange(1, 32), help="How many stems the method blind looks for. [default: 2]"
)
@click.option(
    "--refine",
    metavar="N",
    type=click.IntRange(1, 100),
    help="Refine the stems of any method by where their sources are, with N iterations of multichannel EM on each "
    "chunk; 1 or 2 are enough. Needs two channels or more. Good after the methods that know nothing; it can harm the "
    "stems of a trained model. [default: not at all]",
)
@click.option(
    "--format",
    "extension",
    metavar="FORMAT",
    type=Name(("wav", "flac")),
    default="wav",
    help="Of the stems: wav (32-bit float, the default) or flac (24 bits).",
)
@click.option("--overwrite", is_flag=True, help="Replace stems that are there already.")
def separate(
    inputs: tuple[Path, ...],
    out: Path,
    method: str | None,
    model: Path | None,
    sources: int | None,
    refine: int | None,
    extension: str,
    overwrite: bool,
) -> None:
    """See `HELP`."""
    method = method or ("supervised" if model else "harmonic-percussive")
    options = {name: value for name, value in (("model", model), ("sources", sources)) if value is not None}
    _check_options(method, options)
    _check_inputs(inputs, extension, several_channels=refine is not None)
    chosen = _choose(method, options, refine)
    targets = [[out / path.stem / f"{name}.{extension}" for name in chosen.names] for path in inputs]
    _check_targets(inputs, targets, overwrite)
    _separate_all(inputs, targets, chosen, overwrite)


def _check_options(method: str, options: Mapping[str, Any]) -> None:
    if method == "supervised" and "model" not in options:
        raise click.UsageError("the method supervised needs --model FILE: 'dsp-sep demo' writes one")
    for name, entry in METHODS.items():
        if entry.option in options and name != method:
            raise click.UsageError(
                f"--{entry.option} is for the method {name}: leave it out, or choose --method {name}"
            )


def _check_inputs(inputs: Sequence[Path], extension: str, *, several_channels: bool) -> None:
    """Whether they can be opened and separated as asked, before the work on the first begins."""
    from ..data import Reader
    from ..data.writer import SIZE_LIMIT

    for path in inputs:
        with Reader(path) as file:
            if extension == "wav" and 4 * file.samples * file.channels > SIZE_LIMIT:
                raise click.ClickException(
                    f"{path} is too long for stems as wav, which ends at 4 GiB: take --format flac"
                )
            if several_channels and file.channels == 1:
                raise click.ClickException(
                    f"{path} has one channel: --refine goes by where sources are, and needs two or more; leave it out"
                )


def _choose(method: str, options: Mapping[str, Any], refine: int | None) -> "Method":
    from . import methods

    chosen = getattr(methods, METHODS[method].make)(**options)
    return methods.refined(chosen, refine) if refine else chosen


def _check_targets(inputs: Sequence[Path], targets: Sequence[Sequence[Path]], overwrite: bool) -> None:
    """All that can be known before the work begins."""
    same = defaultdict(list)
    for path, stems in zip(inputs, targets, strict=True):
        same[stems[0].parent].append(str(path))
    for folder, paths in same.items():
        if len(paths) > 1:
            raise click.ClickException(f"{' and '.join(paths)} would both go to {folder}: give each a --out of its own")
    for stem in (stem for stems in targets for stem in stems if stem.exists()):
        if not overwrite:
            raise click.ClickException(f"{stem} exists: choose another --out, or allow --overwrite")
        if any(stem.samefile(path) for path in inputs):
            raise click.ClickException(f"{stem} is an input: choose another --out")


def _separate_all(inputs: Sequence[Path], targets: Sequence[Sequence[Path]], method: "Method", overwrite: bool) -> None:
    from rich.console import Console

    from ..data import Reader
    from ..report import levels_table, progress
    from .stems import separate_file

    levels = {}
    try:
        with progress() as bars:
            for path, stems in zip(inputs, targets, strict=True):
                with Reader(path) as file:
                    bar = bars.add_task(path.name, total=file.samples)
                    levels[path.name] = separate_file(
                        file, method.prepare(file), stems, overwrite=overwrite, advance=partial(bars.advance, bar)
                    )
    finally:
        if levels:
            Console().print(levels_table(levels))

"""`dsp-sep separate`: audio files in, stems out."""

import difflib
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from .methods import Method

METHODS = ("harmonic-percussive", "blind", "supervised")


class Name(click.Choice):
    """A choice whose error proposes the nearest name."""

    def get_invalid_choice_message(self, value: Any, ctx: click.Context | None) -> str:
        near = difflib.get_close_matches(str(value), self.choices, n=1, cutoff=0.4)
        return f"there is no {value!r}: choose {near[0] if near else ' or '.join(self.choices)}"


HELP = """Separate audio files into stems.

Each INPUT becomes a folder of its own in DIR, with a file for each stem: song.wav becomes DIR/song/harmonic.wav and
so on. The stems sum to the input. Files may be of any length, rate and number of channels.

\b
Which method when:
  harmonic-percussive  what sounds on and what strikes: instruments, drums.
                       Quick, and needs to know nothing.
  blind                N groups of similar sounds, found in the file itself.
                       For few instruments that sound different.
  supervised           the stems a model was trained for. The best where
                       there is one: 'dsp-sep demo' trains and writes one
                       for its song.

\b
Examples:
  dsp-sep separate song.mp3 --out stems
  dsp-sep separate duo.wav --out stems --method blind --sources 2
  dsp-sep separate song.wav --out stems --model dsp-sep-demo/model.npz
"""


@click.command(help=HELP)
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", metavar="DIR", required=True, type=click.Path(path_type=Path), help="Where the stems go.")
@click.option(
    "--method",
    metavar="METHOD",
    type=Name(METHODS),
    help="How to separate. [default: harmonic-percussive, or supervised with --model]",
)
@click.option("--model", metavar="FILE", type=click.Path(path_type=Path), help="The model of the method supervised.")
@click.option(
    "--sources", metavar="N", type=click.IntRange(1, 32), help="How many stems the method blind looks for. [default: 2]"
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
    extension: str,
    overwrite: bool,
) -> None:
    """See `HELP`."""
    method = method or ("supervised" if model else "harmonic-percussive")
    _check_options(method, model, sources)
    _check_inputs(inputs, extension)
    chosen = _choose(method, model, sources or 2)
    targets = [[out / path.stem / f"{name}.{extension}" for name in chosen.names] for path in inputs]
    _check_targets(inputs, targets, overwrite)
    _separate_all(inputs, targets, chosen, overwrite)


def _check_options(method: str, model: Path | None, sources: int | None) -> None:
    if method == "supervised" and model is None:
        raise click.UsageError("the method supervised needs --model FILE: 'dsp-sep demo' writes one")
    if method != "supervised" and model is not None:
        raise click.UsageError(f"--model is for the method supervised: leave it out, or --method {method}")
    if method != "blind" and sources is not None:
        raise click.UsageError("--sources is for the method blind: leave it out, or choose --method blind")


def _check_inputs(inputs: Sequence[Path], extension: str) -> None:
    """Whether they can be opened, before the work on the first begins."""
    from ..data import Reader
    from ..data.writer import SIZE_LIMIT

    for path in inputs:
        with Reader(path) as file:
            if extension == "wav" and 4 * file.samples * file.channels > SIZE_LIMIT:
                raise click.ClickException(
                    f"{path} is too long for stems as wav, which ends at 4 GiB: take --format flac"
                )


def _choose(method: str, model: Path | None, sources: int) -> "Method":
    from . import methods

    if method == "blind":
        return methods.blind(sources)
    return methods.supervised(model) if model else methods.harmonic_percussive()


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

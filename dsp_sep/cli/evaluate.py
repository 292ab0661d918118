"""`dsp-sep evaluate`: how well a model does on songs with known stems."""

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.table import Table

HELP = """Separate the songs in FOLDER with MODEL and hold the stems against the true ones.

FOLDER has a folder for each song, with a file for each stem, and perhaps mixture.wav; "example" is the half of the
bundled song that nothing is learned from.

\b
What the table shows, in dB, medians (and means) over songs, the higher the better:
  SDR     median over seconds, as museval has it
  uSDR    of the whole song, as in the Music Demixing Challenges
  SI-SDR  of the whole song, mean over channels
"""


@click.command(help=HELP)
@click.argument("model", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write the scores of each song.")
@click.option("--overwrite", is_flag=True, help="Replace the FILE if there is one.")
def evaluate(model: Path, folder: Path, file: Path | None, overwrite: bool) -> None:
    """See `HELP`."""
    if file and file.exists() and not overwrite:
        raise click.ClickException(f"{file} exists: choose another --json, or allow --overwrite")
    if file and not file.parent.is_dir():
        raise click.ClickException(f"{file.parent} is not a folder: make it, or choose another --json")
    from rich.console import Console

    from ..data import Part, songs
    from ..data.example import BOUNDARY, FOLDER
    from ..report import progress
    from ..separators import evaluate_song, summary
    from .methods import supervised

    method = supervised(model)
    example = str(folder) == "example" and not folder.exists()
    parts = [Part(FOLDER, start=BOUNDARY / 44100)] if example else [Part(song) for song in songs(folder)]
    scores = {}
    with progress() as bars:
        for part in bars.track(parts, description="Evaluating"):
            scores[part.folder.name] = evaluate_song(method.prepare, part, method.names)
    overall = summary(scores)
    if file:
        temporary = file.with_name(f".{file.name}.part")
        temporary.write_text(json.dumps(_defined({"model": str(model), "songs": scores, **overall}), indent=2) + "\n")
        temporary.replace(file)
    Console().print(_table(overall, len(scores)))


def _defined(value: Any) -> Any:
    """The same without NaN and infinity, which JSON does not have: null."""
    if isinstance(value, dict):
        return {key: _defined(item) for key, item in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _table(overall: Any, songs: int) -> "Table":
    from rich.table import Table

    table = Table(caption=f"dB; median (mean) over {songs} {'song' if songs == 1 else 'songs'}")
    table.add_column("stem")
    for measure in next(iter(overall["median"].values())):
        table.add_column(measure, justify="right")
    for stem, medians in overall["median"].items():
        means = overall["mean"][stem]
        table.add_row(stem, *(f"{medians[measure]:.2f} ({means[measure]:.2f})" for measure in medians))
    return table

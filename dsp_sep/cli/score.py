"""`dsp-sep score`: how good stems are, beside the true ones."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from ..metrics import Scores

HELP = """Score the stems in ESTIMATE_DIR against those in REFERENCE_DIR.

Both hold a file for each stem, of the same names, rates, lengths and channels: drums.wav, vocals.wav and so on. A
mixture among them is left out.

\b
What the table shows, in dB, the higher the better:
  SDR ISR SIR SAR  BSS Eval version 4, as museval has it: medians over frames
  SDR mean         of the same frames
  uSDR             of the whole song, as in the Music Demixing Challenges

\b
Examples:
  dsp-sep score song/stems song/separated
  dsp-sep score song/stems song/separated --json scores/test/song.json
"""


@click.command(help=HELP)
@click.argument("reference_dir", type=click.Path(path_type=Path))
@click.argument("estimate_dir", type=click.Path(path_type=Path))
@click.option(
    "--window",
    metavar="SECONDS",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0, min_open=True),
    help="How long a frame is.",
)
@click.option(
    "--hop",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    help="From one frame to the next. [default: the window]",
)
@click.option("--json", "file", metavar="FILE", type=click.Path(path_type=Path), help="Write all frames for museval.")
@click.option("--overwrite", is_flag=True, help="Replace the FILE if there is one.")
def score(
    reference_dir: Path, estimate_dir: Path, window: float, hop: float | None, file: Path | None, overwrite: bool
) -> None:
    """Score the stems in a folder against those in another."""
    if file and file.exists() and not overwrite:
        raise click.ClickException(f"{file} exists: choose another --json, or allow --overwrite")
    if file and not file.parent.is_dir():
        raise click.ClickException(f"{file.parent} is not a folder: make it, or choose another --json")
    from rich.console import Console

    from .. import metrics
    from ..data import AudioError
    from ..report import progress

    with progress() as bars:
        bar = bars.add_task("Scoring", total=1.0)
        try:
            scores = metrics.score(
                reference_dir,
                estimate_dir,
                window=window,
                hop=hop,
                progress=lambda done: bars.update(bar, completed=done),
            )
        except AudioError:
            raise
        except ValueError as error:
            raise click.ClickException(str(error)) from None
    if file:
        scores.save(file)
    Console().print(_table(scores))


def _table(scores: "Scores") -> "Table":
    from rich.table import Table

    frames = scores.frames["SDR"].shape[1]
    table = Table(caption=f"dB; SDR, ISR, SIR, SAR: medians over {frames} frames of {scores.window:g} s")
    table.add_column("stem")
    for column in (*scores.frames, "SDR mean", "uSDR"):
        table.add_column(column, justify="right")
    medians, means = scores.median(), scores.mean()
    for name, usdr in zip(scores.names, scores.usdr, strict=True):
        numbers = (*medians[name].values(), means[name]["SDR"], usdr)
        table.add_row(name, *(f"{number:.2f}" if number == number else "-" for number in numbers))
    return table

"""The command line: `python -m benchmarks`."""

import fnmatch
import json
import os
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from . import compare, environment, memory, page, table
from .session import measure
from .sizes import SIZES
from .workload import Workload
from .workloads import WORKLOADS

SIZE = click.option("--size", type=click.Choice(list(SIZES)), default="song", show_default=True, help="How large.")
THREADS = click.option(
    "--threads", type=int, default=os.cpu_count(), show_default="all cores", help="For torch; XLA takes all cores."
)


class RunByDefault(click.Group):
    """`python -m benchmarks nmf-1` is `python -m benchmarks run nmf-1`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or args[0] not in (*self.commands, "--help"):
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group(cls=RunByDefault)
def main() -> None:
    """Measure dsp_sep beside other libraries, and beside what the machine allows.

    Without a command: run.
    """


@main.command()
@click.argument("names", nargs=-1)
@click.option("--list", "listing", is_flag=True, help="Say which workloads there are, and stop.")
@SIZE
@THREADS
@click.option("--repeats", type=click.IntRange(min=1), help="Samples of each; as many as 20 s allow by default.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Keep all figures in this file.")
@click.option("--peers/--no-peers", default=True, help="Whether other libraries take part.")
def run(
    names: tuple[str, ...],
    listing: bool,
    size: str,
    threads: int,
    repeats: int | None,
    file: Path | None,
    peers: bool,
) -> None:
    """Run the workloads of these NAMES, which may be patterns such as 'nmf*'; all of them by default."""
    workloads = _chosen(names)
    console = Console()
    if listing:
        return console.print(table.listing(workloads))
    record: dict[str, Any] = {"environment": environment.describe(threads), "workloads": []}
    for warning in environment.warnings():
        console.print(f"[yellow]{warning}")
    options: dict[str, Any] = {"size": SIZES[size], "peers": peers, "threads": threads, "repeats": repeats}
    with console.status("") as status:
        for workload in workloads:
            result = measure(workload, **options, say=status.update)
            record["workloads"].append(result)
            console.print(table.of(result))
    record["environment"]["blas"] = environment.blas()
    if file:
        file.write_text(json.dumps(record, indent=1) + "\n")


@main.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def report(results: tuple[Path, ...]) -> None:
    """Write the page of results from the files that `run --json` left, one or more RESULTS."""
    page.PATH.write_text(page.of([(result, json.loads(result.read_text())) for result in results]))
    click.echo(f"written: {page.PATH}")


@main.command(name="compare")
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare_files(before: Path, after: Path) -> None:
    """Say what changed from one file of `run --json` to another, BEFORE and AFTER, beyond their noise."""
    records = [json.loads(path.read_text()) for path in (before, after)]
    console = Console()
    console.print(*compare.differences(*records), sep="\n")
    console.print(compare.table(*records))


@main.command(hidden=True)
@click.argument("workload", type=click.Choice(list(WORKLOADS)))
@click.argument("contestant")
@SIZE
@THREADS
def peak(workload: str, contestant: str, size: str, threads: int) -> None:
    """Measure the memory of this process; `run` starts one for each contestant."""
    used = memory.measure_here(WORKLOADS[workload], contestant, SIZES[size], threads)
    click.echo(json.dumps({"bytes": used}))


def _chosen(names: tuple[str, ...]) -> list[Workload]:
    for name in names:
        if not fnmatch.filter(WORKLOADS, name):
            raise click.BadParameter(f"no workload is called {name!r}; --list names them", param_hint="NAMES")
    wanted = [name for name in WORKLOADS if not names or any(fnmatch.fnmatchcase(name, one) for one in names)]
    return [WORKLOADS[name] for name in wanted]


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")

"""The command line: `python -m benchmarks`."""

import fnmatch
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
import jax
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from tests.cases import CASES

from . import compare, environment, machine, memory, page, roofline, scaling, scaling_table, sharding, table
from .precision import DTYPES
from .session import PASSES, Settings, measure
from .sizes import SIZES, Size, changed
from .workload import Workload
from .workloads import WORKLOADS

WIDTH = 120
"""Of what is written to a file."""


def sized(command: Callable[..., Any]) -> Callable[..., Any]:
    """What every command that measures is told."""
    for option in (
        click.option("--size", type=click.Choice(list(SIZES)), default="song", show_default=True, help="How large."),
        click.option(
            "--set",
            "assignments",
            multiple=True,
            metavar="NAME=VALUE",
            help="Another number for the size, such as seconds=60, components=64, channels=4, batch=8, case_steps=20.",
        ),
        click.option(
            "--dtype", type=click.Choice(DTYPES), default="float32", show_default=True, help="Of the numbers."
        ),
        click.option("--device", help="cpu, gpu or tpu; what JAX chooses by default."),
        click.option(
            "--threads",
            type=int,
            default=os.cpu_count(),
            show_default="all cores",
            help="For torch; XLA takes all cores.",
        ),
    ):
        command = option(command)
    return command


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
@sized
@click.option("--repeats", type=click.IntRange(min=1), help="Samples of each; as many as a budget allows by default.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Keep all figures in this file.")
@click.option("--peers/--no-peers", default=True, help="Whether other libraries take part.")
@click.option("--pass", "passes", type=click.Choice(PASSES), default="both", help="What is differentiated, or is not.")
@click.option("--compile-only", is_flag=True, help="Trace, lower and compile, and run nothing.")
@click.option("--keep-hlo", type=click.Path(path_type=Path), help="Keep the optimised programs in this folder.")
@click.option("--profile", type=click.Path(path_type=Path), help="Keep a trace of each program in this folder.")
def run(
    names: tuple[str, ...],
    listing: bool,
    size: str,
    assignments: tuple[str, ...],
    dtype: str,
    device: str | None,
    threads: int,
    repeats: int | None,
    file: Path | None,
    peers: bool,
    passes: str,
    compile_only: bool,
    keep_hlo: Path | None,
    profile: Path | None,
) -> None:
    """Run the workloads of these NAMES, which may be patterns such as 'nmf*', 'kernel/*' or 'case/misi*'.

    By default all but those of the table of cases, which are as many as there are algorithms.
    """
    workloads = _chosen(names) if names or listing else [w for w in WORKLOADS.values() if w.group != "case"]
    console = _console()
    if listing:
        return console.print(table.listing(workloads))
    settings = Settings(
        _size(size, assignments),
        threads,
        peers=peers and not compile_only,
        repeats=repeats,
        passes=passes,
        dtype=dtype,
        compile_only=compile_only,
        hlo=keep_hlo,
        profile=profile,
    )
    _configure(dtype, device)
    for warning in environment.warnings():
        console.print(f"[yellow]{warning}")
    rates = machine.measure(dtype)
    record: dict[str, Any] = {"environment": environment.describe(threads), "machine": rates._asdict(), "workloads": []}
    try:
        for number, workload in enumerate(workloads, 1):
            result = _watched(console, workload, settings, rates, f"{number} of {len(workloads)}")
            if result["entries"]:
                record["workloads"].append(result)
    finally:
        record["environment"]["blas"] = environment.blas()
        if file:
            file.write_text(json.dumps(record, indent=1) + "\n")


def _watched(
    console: Console, workload: Workload, settings: Settings, rates: machine.Machine, place: str
) -> dict[str, Any]:
    """The table grows while the samples come in; it is drawn between them only, so as not to disturb them."""
    with Live(console=console, auto_refresh=False, transient=True) as live:

        def watch(text: str, record: dict[str, Any]) -> None:
            if console.is_terminal:
                line = Text(f"{place}, {workload.name}: {text}", style="dim")
                live.update(Group(table.of(record, rates), line), refresh=True)

        result = measure(workload, settings, watch)
    if result["entries"]:
        console.print(table.of(result, rates))
    return result


@main.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def report(results: tuple[Path, ...]) -> None:
    """Write the page of results from the files that `run --json` left, one or more RESULTS."""
    page.PATH.write_text(page.of([(result, json.loads(result.read_text())) for result in results]))
    click.echo(f"written: {page.PATH}")


@main.command(name="roofline")
@click.argument("result", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="A PNG; where the page expects it.")
def draw_roofline(result: Path, out: Path | None) -> None:
    """Draw how near the programs of a file of `run --json` came to the machine's limits (extra `plots`)."""
    out = out or page.roofline_of(result)
    try:
        roofline.draw(json.loads(result.read_text()), out)
    except ModuleNotFoundError as error:
        raise click.ClickException(f'{error}; pip install -e ".[plots]"') from None
    click.echo(f"written: {out}")


@main.command(name="scaling")
@click.argument("names", nargs=-1)
@click.option("--axis", "axes", type=click.Choice(list(scaling.AXES)), multiple=True, help="Along which; all of them.")
@click.option("--devices/--no-devices", default=True, help="Whether to look at two devices too.")
@sized
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Keep all figures in this file.")
def scale(
    names: tuple[str, ...],
    axes: tuple[str, ...],
    devices: bool,
    size: str,
    assignments: tuple[str, ...],
    dtype: str,
    device: str | None,
    threads: int,
    file: Path | None,
) -> None:
    """Say what an iteration costs as its problem grows, and what two devices make of it.

    NAMES are cases of the table of cases, or patterns; one of each kind by default.
    """
    known = [name.partition("/")[2] for name, workload in WORKLOADS.items() if workload.group == "case"]
    chosen = [one for one in known if any(fnmatch.fnmatchcase(one, name) for name in names or scaling.CASES)]
    if not chosen:
        raise click.BadParameter("no such case; 'python -m benchmarks --list case/*' names them", param_hint="NAMES")
    _configure(dtype, device)
    console, shape = _console(), _size(size, assignments)
    record: dict[str, Any] = {"kind": "scaling", "environment": environment.describe(threads), "size": shape.name}
    record |= {"machine": machine.measure(dtype)._asdict(), "sweeps": {}, "devices": {}}
    for name in chosen:
        case = next(case for case in CASES if case.name == name)
        for axis in axes or scaling.AXES:
            points = scaling.sweep(case, shape, axis, lambda text: console.print(text, style="dim"))
            if points:
                record["sweeps"].setdefault(name, {})[axis] = points
        if devices:
            console.print(f"{name}, devices", style="dim")
            options = ["--size", size, *(f"--set={assignment}" for assignment in assignments)]
            record["devices"][name] = sharding.measure(name, options)
    console.print(*scaling_table.tables(record))
    if file:
        record["environment"]["blas"] = environment.blas()
        file.write_text(json.dumps(record, indent=1) + "\n")


@main.command(hidden=True)
@click.argument("name")
@sized
def shards(name: str, size: str, assignments: tuple[str, ...], dtype: str, device: str | None, threads: int) -> None:
    """Measure a case on the devices of this process; `scaling` starts one for each setting."""
    case = next(case for case in CASES if case.name == name)
    click.echo(json.dumps(sharding.measure_here(case, _size(size, assignments))))


@main.command(name="compare")
@click.argument("before", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("after", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def compare_files(before: Path, after: Path) -> None:
    """Say what changed from one file of `run --json` to another, BEFORE and AFTER, beyond their noise."""
    records = [json.loads(path.read_text()) for path in (before, after)]
    console = _console()
    console.print(*compare.differences(*records), sep="\n")
    console.print(compare.table(*records))


@main.command(hidden=True)
@click.argument("workload", type=click.Choice(list(WORKLOADS)))
@click.argument("contestant")
@sized
def peak(
    workload: str,
    contestant: str,
    size: str,
    assignments: tuple[str, ...],
    dtype: str,
    device: str | None,
    threads: int,
) -> None:
    """Measure the memory of this process; `run` starts one for each contestant."""
    _configure(dtype, device)
    used = memory.measure_here(WORKLOADS[workload], contestant, _size(size, assignments), threads, dtype)
    click.echo(json.dumps({"bytes": used}))


def _console() -> Console:
    return Console(width=None if Console().is_terminal else WIDTH)


def _configure(dtype: str, device: str | None) -> None:
    jax.config.update("jax_enable_x64", dtype == "float64")
    if device:
        jax.config.update("jax_platforms", device)


def _size(name: str, assignments: Sequence[str]) -> Size:
    try:
        return changed(SIZES[name], assignments)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--set") from None


def _chosen(names: Sequence[str]) -> list[Workload]:
    for name in names:
        if not fnmatch.filter(WORKLOADS, name):
            raise click.BadParameter(f"no workload is called {name!r}; --list names them", param_hint="NAMES")
    wanted = [name for name in WORKLOADS if not names or any(fnmatch.fnmatchcase(name, one) for one in names)]
    return [WORKLOADS[name] for name in wanted]


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")

"""One file separated, piece by piece, into files that appear together or not at all."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from ..data import Reader, writers
from ..iterate import pour
from ..report import Levels
from ..separators import Chunked
from .errors import last_word


def separate_file(
    file: Reader, separator: Chunked, paths: Sequence[Path], *, overwrite: bool, advance: Callable[[int], None]
) -> Levels:
    """Separate a file and write its stems.

    Args:
        file: what to separate.
        separator: the separator.
        paths: a file for each stem, all in one folder, which is made if there is none.
        overwrite: whether files that exist may be replaced.
        advance: is told of the samples that are done, as they are.

    Returns:
        How loud the stems are, and how well they sum to the mixture.
    """
    levels, done = Levels(separator.names), 0
    outputs = writers(paths, file.rate, file.channels, overwrite=overwrite)
    with new_folder(paths[0].parent), last_word() as hold, Reader(file.path) as again, outputs as stem_files:
        for stems in pour(separator, file.blocks(separator.advance), separator.init(file.channels)):
            for stem_file, stem in zip(stem_files, stems, strict=True):
                stem_file.append(stem)
            levels.add(again.read(done, stems.shape[-1]), stems)
            done += stems.shape[-1]
            advance(stems.shape[-1])
        hold()
    return levels


@contextmanager
def new_folder(folder: Path) -> Iterator[None]:
    """Make a folder and those it is in; those that were not there before go again if the block fails."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        make_folder(folder)
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):
                each.rmdir()
        raise


def make_folder(folder: Path) -> None:
    """Make a folder and those it is in, if there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be made ({error.strerror}): choose another --out") from None

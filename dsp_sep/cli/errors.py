"""How a command ends: what went wrong, said in one line, with exit code 2; 130 when it is interrupted."""

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import click

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def answer(command: Callable[[], Any]) -> NoReturn:
    """Run a command and exit.

    What a person can mend (a wrong option, a file, a full disk) is one line on the standard error. Anything else is a
    fault of this program, and keeps its traceback.
    """
    _quiet()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    try:
        code = command()
    except (KeyboardInterrupt, click.Abort):
        _say("interrupted: nothing was left half-written")
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _say(error.format_message() + _see_help(error))
        sys.exit(2)
    except Exception as error:
        if (message := _for_people(error)) is None:
            raise
        _say(message)
        sys.exit(2)
    sys.exit(code if isinstance(code, int) else 0)


@contextmanager
def last_word() -> Iterator[Callable[[], None]]:
    """What is done after calling the function it gives, up to the end of the block, is not interrupted half-way.

    A signal that comes meanwhile interrupts after the block.
    """
    came: list[int] = []

    def hold() -> None:
        for number in SIGNALS:
            signal.signal(number, lambda number, frame: came.append(number))

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield hold
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


def _interrupt(number: int, frame: Any) -> NoReturn:
    """Interrupt once: whoever presses Ctrl-C again does not interrupt the tidying up."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _for_people(error: Exception) -> str | None:
    """What to say of an error that is not the program's fault."""
    from ..data import AudioError  # here, for help must not wait for what these import
    from ..pytree import ModelFileError

    if isinstance(error, (AudioError, ModelFileError)) or _of_training(error):
        return str(error)
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename else str(error)
    if isinstance(error, MemoryError):
        return "not enough memory: close other programs, or use a machine with more"
    return None


def _of_training(error: Exception) -> bool:
    training = sys.modules.get("dsp_sep.training")  # whose errors come from nowhere else
    return training is not None and isinstance(error, (training.CheckpointError, training.TrainingError))


def _see_help(error: click.ClickException) -> str:
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return ""
    return f" (see {error.ctx.command_path} --help)"


def _say(message: str) -> None:
    click.echo("dsp-sep: " + " ".join(message.split()), err=True)


def _quiet() -> None:
    """No log lines of the libraries on the terminal."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for name in ("jax", "absl"):
        logging.getLogger(name).setLevel(logging.ERROR)

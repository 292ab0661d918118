"""The command line as a process of its own, and within this one."""

import dataclasses
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from dsp_sep.cli import main
from dsp_sep.cli.errors import SIGNALS

RATE = 8000
ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "dsp_sep"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str

    @property
    def complaint(self) -> str:
        """The only line on the standard error of a command that came to nothing."""
        assert self.stdout == ""
        assert len(self.stderr.splitlines()) == 1, self.stderr
        assert self.stderr.startswith("dsp-sep: ")
        return self.stderr.removeprefix("dsp-sep: ").strip()


def start(*arguments, through=(), **options) -> subprocess.Popen:
    """Start a command, through another one if need be."""
    return subprocess.Popen(
        [*through, *COMMAND, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **{"env": ENVIRONMENT, **options},
    )


def finish(process: subprocess.Popen) -> Outcome:
    """Wait for what a command answers."""
    stdout, stderr = process.communicate(timeout=120)
    return Outcome(process.returncode, stdout, stderr)


@pytest.fixture
def run(tmp_path):
    """Run a command in an empty folder."""
    return lambda *arguments, **options: finish(start(*arguments, cwd=tmp_path, **options))


@pytest.fixture
def ask(tmp_path, monkeypatch, capfd):
    """The same without a process, for commands that are refused before they compute: importing takes them seconds."""

    def within(*arguments):
        with pytest.raises(SystemExit) as end:
            main(list(map(str, arguments)))
        return Outcome(end.value.code, *capfd.readouterr())

    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    yield within
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def audio():
    """Some seconds of a tone with clicks, `(samples, channels)`."""

    def make(seconds: float = 1.0, channels: int = 1) -> np.ndarray:
        time = np.arange(round(seconds * RATE)) / RATE
        tone = 0.3 * np.sin(2 * np.pi * 440 * time)
        clicks = np.where(np.arange(time.size) % 2000 < 20, 0.5, 0)
        mixture = tone + clicks * np.random.default_rng(0).normal(size=time.size)
        return np.stack([mixture * (1 - channel / 5) for channel in range(channels)], axis=-1).clip(-0.99, 0.99)

    return make


@pytest.fixture
def song(tmp_path, audio):
    """A second of a tone with clicks."""
    path = tmp_path / "song.wav"
    soundfile.write(path, audio(), RATE)
    return path


def files(folder: Path) -> set[str]:
    """All files below a folder, hidden ones too."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}

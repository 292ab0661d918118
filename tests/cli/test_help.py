import resource
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from dsp_sep.cli.separate import METHODS

from .conftest import COMMAND, ENVIRONMENT

HEAVY = ("jax", "numpy", "rich", "soundfile")


@pytest.mark.parametrize("arguments", [["--help"], ["separate", "--help"], ["separate", "-h"], ["demo", "--help"]])
def test_help_answers_at_once(run, arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome = run(*arguments)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert outcome.code == 0
    assert outcome.stdout.startswith("Usage: dsp-sep")
    assert outcome.stderr == ""
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.5


def test_help_imports_nothing_heavy():
    code = (
        "import sys, atexit\n"
        "from dsp_sep.cli import main\n"
        f"atexit.register(lambda: print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr))\n"
        "main(['separate', '--help'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.stderr == "[]\n"


def test_help_says_which_method_when(run):
    text = run("separate", "--help").stdout
    for method in METHODS:
        assert f"\n    {method} " in text


def test_version(run):
    try:
        expected = version("dsp-sep")
    except PackageNotFoundError:
        pytest.skip("dsp-sep is not installed here")
    assert run("--version").stdout == f"dsp-sep, version {expected}\n"


def test_no_command_shows_the_help():
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=ENVIRONMENT)
    assert done.returncode == 2
    assert "Commands:" in done.stderr

"""The command line. Commands are imported when they are asked for, and what they compute with when they run."""

import importlib

import click

from .errors import answer

COMMANDS = {
    "separate": "dsp_sep.cli.separate:separate",
    "demo": "dsp_sep.cli.demo:demo",
    "score": "dsp_sep.cli.score:score",
    "learn": "dsp_sep.cli.learn:learn",
    "evaluate": "dsp_sep.cli.evaluate:evaluate",
}


class Commands(click.Group):
    """A group that imports its commands by need and answers errors in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        return getattr(importlib.import_module(module), name)

    def main(self, *args, **kwargs):
        answer(
            lambda: super(Commands, self).main(*args, **{"prog_name": "dsp-sep", **kwargs, "standalone_mode": False})
        )


HELP = """Separate sounds: a song in, its stems out.

To hear what it does, without a song of your own:

\b
    dsp-sep demo

To take your own apart:

\b
    dsp-sep separate song.wav --out stems
"""


@click.command(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="dsp-sep")
def main() -> None:
    """`dsp-sep`; the command that is named does the work."""

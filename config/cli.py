"""The `safe-campus` command: a group whose subcommands are found in config/commands and imported when used.

Exit codes: 0 done, 1 the input or a check is bad, 2 the command line itself is wrong. Answers go to standard
output, everything else to standard error.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import click

from config.invocation import Invocation, language, report
from safety.errors import BadInput, Conflict, NotAllowed, NotFound

COMMANDS = Path(__file__).with_name("commands")


class LazyGroup(click.Group):
    """A group that knows its commands by their file names and imports one only when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return sorted(_command_name(file) for file in COMMANDS.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        for file in COMMANDS.glob("[a-z]*.py"):
            if _command_name(file) == cmd_name:
                command: click.Command = importlib.import_module(f"config.commands.{file.stem}").command
                return command
        return None


def _command_name(file: Path) -> str:
    return file.stem.rstrip("_").replace("_", "-")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--lang", type=click.Choice(["zh", "en"]), help="Language of messages; by default that of LANG."
)
@click.version_option(version("safe-campus"), message="%(version)s")
@click.pass_obj
def cli(invocation: Invocation, lang: str | None) -> None:
    """School safety records, scored against what was due, sealed each quarter and sent to the bureau."""
    if lang:
        invocation.lang = lang


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: run the command line and leave with its exit code."""
    os.environ.setdefault("PICCOLO_CONF", "config.piccolo_conf")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    # Piccolo greets at every start with the database's version.
    logging.getLogger("piccolo").setLevel(logging.WARNING)
    # The scheduler says at every tick that it ticked.
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    # It greets too.
    logging.getLogger("pikepdf").setLevel(logging.WARNING)
    # Each of their connections is told in a dozen lines; what came of it is told by who made it.
    for name in ("asyncssh", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    invocation = Invocation(lang=language(os.environ))
    try:
        outcome = cli.main(arguments, prog_name="safe-campus", obj=invocation, standalone_mode=False)
    except BadInput as error:
        report(invocation, error)
    except (Conflict, NotAllowed, NotFound) as error:
        report(invocation, BadInput.one(None, error.code, **error.values))
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo(err=True)
    else:
        # click hands back the code of `ctx.exit(code)`, and otherwise whatever the command returned.
        return outcome if isinstance(outcome, int) else 0
    return 1

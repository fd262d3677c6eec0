"""What every subcommand needs from the command line it was called by: settings, clock, language, output."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import click

from config.settings import Settings, read_settings
from safety.clock import Clock, parse_instant
from safety.errors import BadInput, Refusal

Result = TypeVar("Result")
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass
class Invocation:
    """One call of the command line. `lang` is `zh` or `en`; with `json`, standard output is one document."""

    lang: str
    json: bool = False

    @cached_property
    def settings(self) -> Settings:
        """Read on first use, so that `--help` works where the settings are bad. Raises BadInput."""
        return read_settings()

    @cached_property
    def clock(self) -> Clock:
        """The process's clock; a command asks it once."""
        return self.settings.clock()

    def say(self, key: str, /, **values: Any) -> str:
        """The sentence under `key` in the language of this command line."""
        from safety.text import t

        return t(key, self.lang, **values)

    def emit(self, document: Any, text: str) -> None:
        """Print the answer: the JSON document if one was asked for, else the text."""
        click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str) if self.json else text)

    def run(self, work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Run `work` with the database open, and close it whatever happens."""
        _ = self.settings
        return asyncio.run(_with_database(work))


async def _with_database(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    from config import piccolo_conf
    from config.rules import put_in_use
    from safety.database import close_engine, open_engine

    put_in_use()
    try:
        await open_engine(piccolo_conf.DB)
    except Exception as error:
        raise BadInput.one("SAFE_CAMPUS_DATABASE", "database-unreachable", error=_said(error)) from error
    try:
        return await work()
    except (Refusal, click.ClickException, click.exceptions.Exit):
        raise
    except Exception as error:
        if await _schema_is_behind():
            raise BadInput.one("SAFE_CAMPUS_DATABASE", "database-behind") from error
        raise
    finally:
        await close_engine(piccolo_conf.DB)


async def _schema_is_behind() -> bool:
    """Whether a failure has the plainest of causes: nobody ran `migrate`."""
    from safety.migrations import pending

    return bool(await pending())


def _said(error: Exception) -> str:
    # Some errors of the network say nothing but their name.
    return str(error) or type(error).__name__


def _remember_json(context: click.Context, _option: click.Parameter, wanted: bool) -> bool:
    context.ensure_object(Invocation).json = wanted
    return wanted


def _as_instant(_context: click.Context, _option: click.Parameter, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError as error:
        raise click.BadParameter("an instant such as 2026-09-30T15:59:00Z or 2026-09-30T23:59") from error


def json_option(command: Decorated) -> Decorated:
    """`--json`: one JSON document on standard output. Kept on the Invocation, not passed as an argument."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_remember_json,
        help="One JSON document on stdout.",
    )(command)


def instant_option(name: str, help: str) -> Callable[[Decorated], Decorated]:  # noqa: A002
    """An option such as `--at T`: an aware datetime in UTC, or None."""
    return click.option(name, callback=_as_instant, metavar="T", help=help)


def language(environ: Mapping[str, str]) -> str:
    """`zh` or `en`, from the first of LC_ALL, LC_MESSAGES and LANG that says anything."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if environ.get(name):
            return "zh" if environ[name].lower().startswith("zh") else "en"
    return "en"


def report(invocation: Invocation, error: BadInput) -> None:
    """Every problem as `place: message` on standard error, or as one JSON document if that was asked for."""
    problems = [
        {
            "place": found.field,
            "code": found.code,
            "message": invocation.say(f"problem.{found.code}", **found.values),
        }
        for found in error.problems
    ]
    if invocation.json:
        click.echo(json.dumps({"problems": problems}, ensure_ascii=False, indent=2))
        return
    for problem in problems:
        place = f"{problem['place']}: " if problem["place"] else ""
        click.echo(f"{place}{problem['message']}", file=sys.stderr)

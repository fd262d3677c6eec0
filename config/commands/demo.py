"""`safe-campus demo`: load the made-up county into an empty database, and say who may sign in."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from config.invocation import Invocation, json_option
from safety.clock import local_day
from safety.errors import BadInput

if TYPE_CHECKING:
    from config.demo.county import Loaded, Wish

MOST_SCHOOLS, MOST_QUARTERS = 200, 12


@click.command(help="Load a made-up county into an empty database, and print its random passwords.")
@click.option("--schools", default=12, show_default=True, type=click.IntRange(1, MOST_SCHOOLS))
@click.option(
    "--quarters", default=2, show_default=True, type=click.IntRange(0, MOST_QUARTERS), help="Past quarters."
)
@click.option("--seed", default="1", show_default=True, help="The same seed and day make the same county.")
@click.option("--today", "today", metavar="D", help="Its last day, not begun yet; by default today.")
@json_option
@click.pass_obj
def command(invocation: Invocation, schools: int, quarters: int, seed: str, today: str | None) -> None:
    from config.demo.county import Wish

    day = _day(today, local_day(invocation.clock.now()))
    loaded = invocation.run(lambda: _load(invocation, Wish(day, schools, quarters, seed)))
    place = invocation.settings.data / "demo-logins.json"
    keep_logins(place, loaded.logins)
    lines = [invocation.say("command.demo.login", **login, place=_place(login)) for login in loaded.logins]
    lines.append(invocation.say("command.demo.done", acts=loaded.acts, file=place))
    invocation.emit(loaded.logins, "\n".join(lines))


def _day(text: str | None, now: date) -> date:
    """The day that was named. Raises BadInput for one that is none or has not come."""
    if text is None:
        return now
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadInput.one("--today", "day-form", text=text) from error
    if day > now:
        raise BadInput.one("--today", "demo-in-future", day=now.isoformat())
    return day


async def _load(invocation: Invocation, wish: Wish) -> Loaded:
    from config.demo.county import load
    from config.scheduler import open_press

    shown = ("", "")

    def progress(stage: str, done: int, total: int) -> None:
        nonlocal shown
        share = f"{100 * done // total:>3} %"
        if (stage, share) != shown:
            click.echo(f"\r{invocation.say(f'command.demo.{stage}')} {share}  ", err=True, nl=False)
            shown = (stage, share)

    async with open_press(invocation.settings) as press:
        try:
            return await load(wish, press, progress)
        finally:
            click.echo(err=True)


def _place(login: dict[str, str]) -> str:
    return login["school"] or login["bureau"]


def keep_logins(place: Path, logins: list[dict[str, str]]) -> None:
    """Write them where only the owner reads them, whole or not at all."""
    place.parent.mkdir(parents=True, exist_ok=True)
    aside = place.with_name(f".{place.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(logins, file, ensure_ascii=False, indent=1)
    aside.replace(place)

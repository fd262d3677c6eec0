"""`safe-campus due`: what schools owe on a day, who owes it, until when, and by which rule."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from config.invocation import Invocation, json_option
from safety.calendar import Period
from safety.clock import local_day
from safety.errors import BadInput

if TYPE_CHECKING:
    from safety.due import Due


@click.command(help="What is open or overdue at a school (or at all): who, until when, and why.")
@click.argument("school", required=False)
@click.option("--on", "day_text", metavar="DATE", help="The day looked at; by default today.")
@json_option
@click.pass_obj
def command(invocation: Invocation, school: str | None, day_text: str | None) -> None:
    from config.rules import put_in_use
    from safety.database import fetch_tuples, read_only_door
    from safety.dues import dues, names_of

    put_in_use()
    now = invocation.clock.now()
    day = _day(day_text) if day_text else local_day(now)

    async def work() -> list[tuple[str, list[Due], Mapping[int, str]]]:
        async with read_only_door():
            schools = await fetch_tuples(None, "select id, code from school order by code")
            if school is not None and school not in {code for _, code in schools}:
                raise BadInput.one("SCHOOL", "unknown-code", code=school)
            found = []
            for id_, code in schools:
                if school in {None, code}:
                    owed = await dues(id_, day, now)
                    found.append((code, owed, await names_of(owed)))
            return found

    by_school = invocation.run(work)
    documents = [_document(invocation, code, item, names) for code, owed, names in by_school for item in owed]
    lines = [_line(invocation, found) for found in documents]
    text = "\n".join(lines) or invocation.say("command.due.none")
    invocation.emit({"on": day.isoformat(), "school": school, "due": documents}, text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("a date such as 2026-09-30", param_hint="--on") from error


def _document(invocation: Invocation, code: str, item: Due, names: Mapping[int, str]) -> dict[str, Any]:
    from safety import in_use
    from safety.due import RULED_BY
    from safety.rulebook import Rulebook

    ledger = in_use.registry()[item.ledger]
    book = Rulebook.of(in_use.standards(), Period.parse(item.period))
    rule = book.line_on(RULED_BY.get(item.line, item.line), item.due)
    return {
        "school": code,
        "line": item.line,
        # A measured line that several lines of the sheet share goes by its ledger's name.
        "title": ledger.title.to(invocation.lang) if item.line in RULED_BY else rule.name(invocation.lang),
        "ledger": item.ledger,
        "period": item.period,
        "unit": item.unit,
        "name": _name(invocation, item, names),
        "since": item.since,
        "through": item.through,
        "due": item.due,
        "until": item.until,
        "by_close": item.by_close,
        "expected": item.expected,
        "done": item.done,
        "state": item.state,
        "timing": item.timing,
        "roles": sorted(item.roles),
        "rule": rule.rule(invocation.lang),
        "source": rule.citation(invocation.lang),
    }


def _name(invocation: Invocation, item: Due, names: Mapping[int, str]) -> str:
    from safety import in_use

    if item.unit == "meal":
        choices = in_use.registry()[item.ledger].field_named("meal").choices
        labels = {choice.value: choice.label.to(invocation.lang) for choice in choices}
        return labels.get(item.unit_name, item.unit_name)
    return item.unit_name or names.get(item.person or 0, "")


def _line(invocation: Invocation, found: Mapping[str, Any]) -> str:
    closes = invocation.say("limit.by-close") if found["by_close"] else ""
    values = {
        **found,
        "until": f"{found['until']}{closes}",
        "state": invocation.say(f"command.due.{found['state']}"),
        "roles": "/".join(invocation.say(f"role.{role}") for role in found["roles"]),
    }
    return invocation.say("command.due.line", **values)

"""`safe-campus score`: a school's score of a quarter, with every line's counts, rule and entries."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import click

from config.commands.return_ import quarter_of
from config.invocation import Invocation, instant_option, json_option
from safety.calendar import Period
from safety.errors import BadInput

if TYPE_CHECKING:
    from safety.comparing import Comparison
    from safety.scoring import Score
    from safety.standards import Record

COUNTS = ("expected", "on_time", "late", "backfilled", "missing", "open")


@click.command(
    help="A school's score of a quarter; --recompute counts the entries anew and must agree; --standards-of sets "
    "beside it what another day's standards would come to, for comparison only."
)
@click.argument("school")
@click.argument("period")
@instant_option("--as-of", "The ledgers as they stood at this instant; by default now.")
@click.option("--recompute", is_flag=True, help="From the entries; exit 1 if the kept tallies say otherwise.")
@click.option("--standards-of", "standards_of", metavar="DATE", help="Compare with this day's standards.")
@json_option
@click.pass_obj
def command(
    invocation: Invocation,
    school: str,
    period: str,
    as_of: datetime | None,
    recompute: bool,
    standards_of: str | None,
) -> None:
    from config.rules import put_in_use
    from safety.database import read_only_door
    from safety.scoring import as_json

    put_in_use()
    quarter = quarter_of(period)
    now = invocation.clock.now()

    if standards_of is not None:
        _compare(invocation, school, quarter, as_of, _day(standards_of))
        return

    async def work() -> tuple[Score, tuple[str, ...]]:
        async with read_only_door():
            return await _score(school, quarter, as_of, recompute, now)

    found, differing = invocation.run(work)
    invocation.emit(as_json(found), "\n".join(_table(invocation, found, quarter)))
    if differing:
        click.echo(invocation.say("command.score.differs", lines=", ".join(differing)), err=True)
        raise click.exceptions.Exit(1)


async def _score(
    school: str, period: Period, as_of: datetime | None, recompute: bool, now: datetime
) -> tuple[Score, tuple[str, ...]]:
    """The score, and the lines on which tallies and entries differ."""
    from safety.scores import measured_score, tallied_score

    id_ = await _school_id(school)
    if as_of is not None:
        return (await measured_score(id_, period, as_of, now=False))[1], ()
    kept = await tallied_score(id_, period, now)
    if not recompute:
        return kept, ()
    measured = (await measured_score(id_, period, now, now=True))[1]
    return measured, tuple(_differing(kept, measured))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter("a date such as 2026-09-30", param_hint="--standards-of") from error


def _compare(invocation: Invocation, school: str, period: Period, as_of: datetime | None, day: date) -> None:
    from safety.comparing import comparison, comparison_json
    from safety.database import read_only_door

    async def work() -> Comparison:
        async with read_only_door():
            at = as_of or invocation.clock.now()
            return await comparison(await _school_id(school), period, day, at, now=as_of is None)

    found = invocation.run(work)
    invocation.emit(comparison_json(found), "\n".join(_compared(invocation, found)))


def _differing(kept: Score, measured: Score) -> Iterable[str]:
    for group in measured.groups:
        for line in group.lines:
            other = kept.line(line.id)
            if (other.count, other.points, other.status) != (line.count, line.points, line.status):
                yield line.id
    if kept.total != measured.total:
        yield "total"


async def _school_id(code: str) -> int:
    from safety.database import fetch_tuples

    rows = await fetch_tuples(None, "select id from school where code = $1", [code])
    if not rows:
        raise BadInput.one("SCHOOL", "unknown-code", code=code)
    return int(rows[0][0])


# ---------------------------------------------------------------- for people
def _compared(invocation: Invocation, found: Comparison) -> list[str]:
    from safety.scoring import decimal

    def total(score: Score) -> str:
        return "—" if score.total is None else decimal(score.total)

    head = [
        invocation.say("command.score.compared", school=found.standing.school, period=found.standing.period),
        invocation.say("compare.only"),
    ]
    differing = [
        invocation.say(
            "command.score.differing", id=item.id, here=_values(*item.standing), there=_values(item.other)
        )
        for item in found.differing
    ] or [invocation.say("compare.same")]
    rows = [["", invocation.say("compare.standing"), str(found.day), invocation.say("compare.difference")]]
    rows += [
        [
            f"  {line.id} {line.name(invocation.lang)}",
            "—" if line.standing is None or not line.standing.applies else _of(line.standing),
            "—" if line.other is None or not line.other.applies else _of(line.other),
            decimal(line.difference) if line.difference else "",
        ]
        for line in found.moved
    ]
    difference = decimal(found.difference) if found.difference else ""
    rows.append([invocation.say("board.total"), total(found.standing), total(found.other), difference])
    return [*head, "", *differing, "", *aligned(rows)]


def _values(*records: Record | None) -> str:
    found = (None if record is None else record.value for record in records)
    return " → ".join("—" if v is None else "、".join(v) if isinstance(v, tuple) else str(v) for v in found)


def _table(invocation: Invocation, score: Score, period: Period) -> list[str]:
    from safety import in_use
    from safety.rulebook import Rulebook
    from safety.scoring import decimal

    sheet = Rulebook.of(in_use.standards(), period).sheet
    rows = [["", *(invocation.say(f"command.score.{name}") for name in (*COUNTS, "points", "status"))]]
    for group in score.groups:
        rows.append([f"{sheet.group(group.id).record.name(invocation.lang)}", *[""] * 6, _of(group), ""])
        for line in group.lines:
            counts = [str(getattr(line.count, name)) if line.applies else "" for name in COUNTS]
            points = _of(line) if line.applies else ""
            status = invocation.say(f"return.status.{line.status}")
            rows.append([f"  {line.id} {sheet.line(line.id).name(invocation.lang)}", *counts, points, status])
    total = "—" if score.total is None else decimal(score.total)
    grade = invocation.say(f"return.grade.{score.grade}") if score.grade else "—"
    head = invocation.say(
        "command.score.head", school=score.school, period=score.period, total=total, grade=grade
    )
    costs = [
        invocation.say("command.score.penalty", cause=found.cause, points=decimal(found.points))
        for found in score.penalties
    ]
    costs += [invocation.say("command.score.veto", cause=found.cause) for found in score.veto]
    return [head, "", *aligned(rows), *costs]


def _of(scored: object) -> str:
    from safety.scoring import decimal

    return f"{decimal(scored.points)}/{decimal(scored.max)}"  # type: ignore[attr-defined]


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of even width, Chinese letters counted as two; all but the first to the right."""
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            _padded(cell, width, n > 0) for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space

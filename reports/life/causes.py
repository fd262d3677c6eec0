"""Why lines have exceptions, in the school's own words: written while the draft or a correction is open, then frozen.

A text is never overwritten: the last one of a line holds, the ones before it stay, and an empty one takes it back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from reports import queries
from reports.actions import may_be_drafted
from reports.document import ReturnDocument
from reports.life import standing
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem
from safety.ids import new_id
from safety.submission import checked_key

LENGTH = 200
WRITERS = frozenset({"officer", "principal"})
ALL = """select line, text, writer, written_at from return_remark where school = $1 and period = $2
order by written_at, id"""
SAVE = """insert into return_remark (id, school, period, line, text, written_by, writer, written_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (school, line, submission_key) do nothing returning id"""


@dataclass(frozen=True, slots=True)
class Written:
    """A text as somebody wrote it."""

    line: str
    text: str
    writer: str
    written_at: datetime


async def history(scope: Scope, school_id: int, period: Period) -> list[Written]:
    """Every text of a quarter, oldest first. NotFound for a school out of scope."""
    if not scope.may(school_id):
        raise NotFound
    return [Written(*row) for row in await fetch_tuples(None, ALL, [school_id, period.id])]


def lines_asking(document: ReturnDocument) -> tuple[str, ...]:
    """The lines that have exceptions, in the order of the sheet."""
    asking = {item.line for item in document.exceptions}
    named = [line.id for group in document.score.groups for line in group.lines]
    return tuple(line for line in named if line in asking)


async def write(
    scope: Scope, school_id: int, period: Period, texts: Mapping[str, str], now: datetime, *, key: str
) -> int:
    """Keep the texts (by line) that differ from those that hold; returns how many did.

    Raises:
        NotFound: a school out of scope, or a line that the sheet does not have.
        NotAllowed: not an officer or principal of this school.
        BadInput: a text that is too long.
        Conflict: `causes-frozen` unless the draft or a correction is open.
    """
    _check(scope, school_id, texts, key)
    if not texts.keys() <= set(standing.sheet_lines(period)):
        raise NotFound
    async with transaction():
        await queries.chain_head(school_id, locked=True)
        if not await _open(scope, school_id, period, now):
            raise Conflict("causes-frozen")
        last = {cause.line: cause.text for cause in await queries.causes_of(school_id, period)}
        changed = {line: text for line, text in texts.items() if text != last.get(line, "")}
        kept = {
            line: text
            for line, text in changed.items()
            if await _save(scope, school_id, period, line, text, now, key)
        }
        if kept:
            await append(school_id, scope, "return.causes", f"returns/{period.id}", {"causes": kept}, now)
        return len(kept)


def _check(scope: Scope, school_id: int, texts: Mapping[str, str], key: str) -> None:
    if not scope.may(school_id):
        raise NotFound
    if not scope.roles_at(school_id) & WRITERS:
        raise NotAllowed("correctors-only")
    checked_key(key)
    problems = [
        Problem(f"cause-{line}", "text-long", {"maximum": LENGTH, "length": len(text)})
        for line, text in texts.items()
        if len(text) > LENGTH
    ]
    if problems:
        raise BadInput(problems)


async def _open(scope: Scope, school_id: int, period: Period, now: datetime) -> bool:
    if may_be_drafted(period, now):
        return True
    sealed = await standing.versions(scope, school_id, period)
    return bool(sealed) and await standing.correction_of(sealed[0]) is not None


async def _save(
    scope: Scope, school_id: int, period: Period, line: str, text: str, now: datetime, key: str
) -> bool:
    values = [new_id(), school_id, period.id, line, text, scope.account_id, scope.name, now, key]
    return bool(await fetch_tuples(None, SAVE, values))

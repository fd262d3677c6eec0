"""Where a return stands after its sealing: what was received, what the bureau said of it, what has come since.

Received and accepted are two things: a receipt says that the file arrived, a clerk's decision that the bureau takes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from reports import queries
from reports.document import ReturnDocument, parse
from reports.life.known import gather
from reports.life.rules import ACCEPTED, WITHDRAWN, Outcome, Remark, holding, remarks
from reports.queries import InboxLine, Sent
from safety import in_use
from safety.access.scope import Scope
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.rulebook import Rulebook

MADE_HERE = """select d.id, d.item, i.school_code, i.period, i.version, d.outcome, d.reasons, d.lines, d.decider,
d.decided_at from return_decision d join inbox_item i on i.id = d.item"""
"""What the bureaus of this instance decided: all that counts for them. Whoever tells a decision of another instance
chooses the number of its receipt, which may be that of a receipt given here.
"""
RULINGS = f"""({MADE_HERE}
union all select d.id, d.item, s.code, r.period, r.version, d.outcome, d.reasons, d.lines, d.decider, d.decided_at
from told_decision d join school_return r on r.id = d.sealed join school s on s.id = r.school)"""  # noqa: S608
"""Every decision that a school goes by: those, and what another instance told of its returns."""
DECISIONS = """select d.id, d.item, d.version, d.outcome, d.reasons, d.lines, d.decider, d.decided_at
from {rulings} d where {where} order by d.decided_at, d.id"""
OF_SCHOOL = DECISIONS.format(
    rulings=RULINGS, where="d.period = $1 and d.school_code = (select code from school where id = $2)"
)
# Ordered by columns that are selected too: else SQLite gathers every decision there is before it looks whose they are.
OUTCOMES = f"""select d.period, d.version, d.outcome, d.decided_at, d.id from {RULINGS} d
where d.school_code = (select code from school where id = $1) order by d.decided_at, d.id"""  # noqa: S608
OF_QUARTER = DECISIONS.format(rulings=f"({MADE_HERE})", where="d.period = $1")
OF_ITEM = DECISIONS.format(rulings=f"({MADE_HERE})", where="d.item = $1")
OF_STORY = DECISIONS.format(
    rulings=f"({MADE_HERE})",
    where="(d.school_code, d.period) = (select school_code, period from inbox_item where id = $1)",
)
SEALED = """select s.code, max(r.version) from school_return r join school s on s.id = r.school
where r.period = $1 group by s.code"""
IDS = "select version, id from school_return where school = $1 and period = $2"
CORRECTION = """select c.reason, c.opener, c.opened_at from return_correction c
where c.sealed = $1 order by c.opened_at desc, c.id desc limit 1"""
ITEM = "select period, school_code, bureau from inbox_item where id = $1"
OUTCOMES_OF_QUARTER = f"""select d.school_code, d.version, d.outcome, d.decided_at, d.id from ({MADE_HERE}) d
where d.period = $1 order by d.decided_at, d.id"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Ruled:
    """A decision as it is read: on which receipt and version, what, why, by whom, when."""

    id: UUID
    item: UUID
    version: int
    outcome: Outcome
    reasons: str
    lines: Mapping[str, str]
    decider: str
    decided_at: datetime


def _ruled(row: tuple[Any, ...]) -> Ruled:
    id_, item, version, outcome, reasons, lines, decider, decided_at = row
    return Ruled(id_, item, version, outcome, reasons, msgspec.json.decode(lines), decider, decided_at)


def _holding(last: Ruled | None) -> Ruled | None:
    return None if last is None or last.outcome == WITHDRAWN else last


def sheet_lines(period: Period) -> tuple[str, ...]:
    """The lines of the scoring sheet of a quarter: what a reason or a cause can be about."""
    return tuple(line.id for line in Rulebook.of(in_use.standards(), period).sheet.lines)


# ---------------------------------------------------------------- at the school
@dataclass(frozen=True, slots=True)
class Version:
    """One sealed version of a return with its receipt (in `sent`) and every decision on it, oldest first."""

    id: UUID
    sent: Sent
    rulings: tuple[Ruled, ...]

    @property
    def ruling(self) -> Ruled | None:
        """The decision that holds."""
        return _holding(self.rulings[-1] if self.rulings else None)

    @property
    def state(self) -> str:
        """underway, received, accepted or returned."""
        if self.ruling is not None:
            return self.ruling.outcome
        return "received" if self.sent.received_at is not None else "underway"


async def versions(scope: Scope, school_id: int, period: Period) -> list[Version]:
    """Every sealed version of a school's quarter, the newest first. NotFound for a school out of scope."""
    sent = await queries.sent(scope, school_id, period)
    if not sent:
        return []
    ids = dict(await fetch_tuples(None, IDS, [school_id, period.id]))
    said = [_ruled(row) for row in await fetch_tuples(None, OF_SCHOOL, [period.id, school_id])]
    return [
        Version(ids[item.version], item, tuple(ruled for ruled in said if ruled.version == item.version))
        for item in sent
    ]


async def outcomes(scope: Scope, school_id: int) -> dict[tuple[str, int], str]:
    """The decision that holds on each of a school's returns, by quarter and version. NotFound out of scope."""
    if not scope.may(school_id):
        raise NotFound
    rows = await fetch_tuples(None, OUTCOMES, [school_id])
    return holding(((period, version), outcome) for period, version, outcome, *_ in rows)


async def document(version: Version) -> ReturnDocument:
    """The frozen document of a version that the viewer was let in to."""
    rows = await fetch_tuples(None, "select document from school_return where id = $1", [version.id])
    return parse(rows[0][0].encode())


@dataclass(frozen=True, slots=True)
class Opened:
    """A correction that is under way: what the bureau asked for, if it did, and what the school prepared, if it has."""

    corrects: Version
    asked: Ruled | None
    reason: str = ""
    opener: str = ""
    opened_at: datetime | None = None


async def correction_of(newest: Version) -> Opened | None:
    """Whether the newest version is being corrected: returned by the bureau, or reopened by the school itself."""
    asked = newest.ruling if newest.state == "returned" else None
    rows = await fetch_tuples(None, CORRECTION, [newest.id])
    if rows:
        return Opened(newest, asked, *rows[0])
    return Opened(newest, asked) if asked else None


# ---------------------------------------------------------------- at the bureau
@dataclass(frozen=True, slots=True)
class DeskLine:
    """A school on the clerk's desk: what came from it last, and what was decided on that.

    `coming`: the version that is sealed and not here yet. `remarks`: what to look at before deciding.
    """

    line: InboxLine
    ruling: Ruled | None
    coming: int | None
    remarks: tuple[Remark, ...]

    @property
    def state(self) -> str:
        """missing, received, accepted, returned, or coming (a newer version is on its way)."""
        if self.line.item is None:
            return "missing"
        if self.coming is not None:
            return "coming"
        return self.ruling.outcome if self.ruling else "received"

    @property
    def plain(self) -> bool:
        """Waits for a decision, and nothing asks for a second look."""
        return self.state == "received" and not any(remark.holds for remark in self.remarks)

    @property
    def among_many(self) -> bool:
        """May be accepted unopened; one that was accepted already stays so."""
        return self.plain or self.state == ACCEPTED


async def desk(
    scope: Scope, bureau_id: int, period: Period, now: datetime, data: Path | None = None
) -> list[DeskLine]:
    """The inbox of a quarter with what was decided on it, in order of the schools' codes. NotFound out of scope.

    `data`: the folder in which files are kept, for what returns of other instances say of themselves.
    """
    found = await decided(scope, bureau_id, period)
    came = [each.line for each in found if each.line.item is not None]
    outcomes = await fetch_tuples(None, OUTCOMES_OF_QUARTER, [period.id])
    holds = holding(((code, version), outcome) for code, version, outcome, *_ in outcomes)
    known = await gather(came, holds, period, now, data)
    return [
        replace(each, remarks=remarks(known[each.line.school_id])) if each.line.item else each
        for each in found
    ]


async def decided(scope: Scope, bureau_id: int, period: Period) -> list[DeskLine]:
    """The same without remarks: nobody's score is looked at."""
    said = [_ruled(row) for row in await fetch_tuples(None, OF_QUARTER, [period.id])]
    last = {ruled.item: ruled for ruled in said}
    sealed = dict(await fetch_tuples(None, SEALED, [period.id]))
    return [
        DeskLine(line, _holding(last.get(line.item.id)) if line.item else None, _coming(line, sealed), ())
        for line in await queries.inbox(scope, bureau_id, period)
    ]


def _coming(line: InboxLine, sealed: Mapping[str, int]) -> int | None:
    newest = sealed.get(line.school_code)
    return newest if line.item is not None and newest is not None and newest > line.item.version else None


@dataclass(frozen=True, slots=True)
class Story:
    """Something received: by which bureau, of which quarter and school, and every decision on that school's quarter,
    oldest first.
    """

    bureau: int
    period: Period
    school_code: str
    said: tuple[Ruled, ...]


async def story(scope: Scope, item_id: UUID) -> Story:
    """What is known here of something received. NotFound out of scope."""
    rows = await fetch_tuples(None, ITEM, [item_id])
    if not rows or not scope.may_bureau(rows[0][2]):
        raise NotFound
    said = await fetch_tuples(None, OF_STORY, [item_id])
    period, code, bureau = rows[0]
    return Story(bureau, Period.parse(period), code, tuple(_ruled(row) for row in said))


async def rulings_on(item_id: UUID) -> list[Ruled]:
    """Every decision of this instance on something received, oldest first."""
    return [_ruled(row) for row in await fetch_tuples(None, OF_ITEM, [item_id])]

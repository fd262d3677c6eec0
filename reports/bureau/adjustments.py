"""A bureau's score of a school's closed quarter, beside the school's own; the school's appeal, and the answer to it.

Nothing here changes what the school's return says, and nothing is ever rewritten: the last adjustment of a quarter
holds, and one that is taken back is followed by a row that says so.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples, transaction
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.scoring import decimal
from safety.submission import checked_key
from safety.web.calls import Call

MOST = 100_00
REASON_LENGTH, TEXT_LENGTH = 400, 1000
UPHELD, REJECTED = "upheld", "rejected"
TOLD_FOR = timedelta(days=14)
POINTS = re.compile(r"(\d{1,3})(?:\.(\d{1,2}))?", re.ASCII)

OF_SCHOOL = """select a.id, a.total, a.own, a.reason, a.maker, a.made_at, p.id, p.text, p.maker, p.made_at,
w.outcome, w.reason, w.maker, w.made_at from score_adjustment a
left join adjustment_appeal p on p.adjustment = a.id left join appeal_answer w on w.appeal = p.id
where a.school = $1 and a.period = $2 order by a.made_at desc, a.id desc"""
STANDING = """select school, total from score_adjustment where period = $1 and school between $2 and $3
order by made_at, id"""
APPEALS = """select a.school, p.made_at, w.outcome from adjustment_appeal p
join score_adjustment a on a.id = p.adjustment left join appeal_answer w on w.appeal = p.id
where a.period = $1 and a.school between $2 and $3 order by p.made_at, p.id"""
OWN = "select total from school_return where school = $1 and period = $2 order by version desc limit 1"
SENT_BEFORE = "select total, reason, period from score_adjustment where school = $1 and submission_key = $2"
ADJUST = """insert into score_adjustment
(id, school, period, total, own, reason, made_by, maker, made_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (school, submission_key) do nothing returning id"""
ADD_APPEAL = """insert into adjustment_appeal (id, adjustment, text, made_by, maker, made_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (adjustment) do nothing returning id"""
APPEALED = "select submission_key from adjustment_appeal where adjustment = $1"
ANSWERED = """select w.id from appeal_answer w join adjustment_appeal p on p.id = w.appeal
join score_adjustment a on a.id = p.adjustment where a.school = $1 and a.period = $2 and w.submission_key = $3"""
ADD_ANSWER = """insert into appeal_answer (id, appeal, outcome, reason, made_by, maker, made_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (appeal) do nothing returning id"""


@dataclass(frozen=True, slots=True)
class Said:
    """What somebody said, and when."""

    text: str
    maker: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """An adjustment with what followed. `total` and `own` in hundredths; `total` None: the one before is taken back."""

    id: UUID
    total: int | None
    own: int | None
    said: Said
    appeal_id: UUID | None
    appeal: Said | None
    outcome: str | None
    answer: Said | None


# ---------------------------------------------------------------- reading
async def steps(scope: Scope, school_id: int, period: Period) -> list[Step]:
    """A school's adjustments of a quarter, the one that holds first. NotFound out of scope."""
    if not scope.may(school_id):
        raise NotFound
    return [_step(row) for row in await fetch_tuples(None, OF_SCHOOL, [school_id, period.id])]


def _step(row: Sequence[Any]) -> Step:
    id_, total, own, reason, maker, made_at, appeal_id, text, appellant, appealed_at, outcome, *answer = row
    return Step(
        id_,
        total,
        own,
        Said(reason, maker, made_at),
        appeal_id,
        Said(text, appellant, appealed_at) if appeal_id else None,
        outcome,
        Said(*answer) if outcome else None,
    )


async def adjusted_totals(school_ids: Sequence[int], period: Period) -> dict[int, int]:
    """The adjusted scores that hold, in hundredths, of schools that the caller was let in to."""
    # Later rows come later, so that the last one of a school is what stays.
    last: dict[int, int | None] = dict(await _rows(STANDING, school_ids, period))
    return {school: total for school, total in last.items() if total is not None}


async def appeals(school_ids: Sequence[int], period: Period) -> list[tuple[int, datetime, str | None]]:
    """(school, when, the answer's outcome or None) of every appeal of a quarter, oldest first."""
    return [(row[0], row[1], row[2]) for row in await _rows(APPEALS, school_ids, period)]


async def _rows(sql: str, school_ids: Sequence[int], period: Period) -> list[tuple[Any, ...]]:
    if not school_ids:
        return []
    wanted = set(school_ids)
    rows = await fetch_tuples(None, sql, [period.id, min(wanted), max(wanted)])
    return [row for row in rows if row[0] in wanted]


async def calls(scope: Scope, school_id: int, code: str, now: datetime) -> list[Call]:
    """For a while the first page tells officer and principal that the score of the quarter closed last was adjusted."""
    if not {"officer", "principal"} & scope.roles_at(school_id):
        return []
    period = Period.of(local_day(now)).previous()
    for step in (await steps(scope, school_id, period))[:1]:
        if step.total is not None and step.appeal is None and now - step.said.made_at < TOLD_FOR:
            own = "—" if step.own is None else decimal(step.own)
            said = {"period": period.id, "total": decimal(step.total), "own": own}
            return [
                Call("adjustment.call", said, f"/schools/{code}/adjustments/{period.id}", "adjustment.open")
            ]
    return []


def read_points(text: str) -> int:
    """Points from 0 to 100 with at most two decimals, in hundredths. Raises BadInput naming `total`."""
    folded = unicodedata.normalize("NFKC", text).strip()
    if not folded:
        raise BadInput.one("total", "required")
    match = POINTS.fullmatch(folded)
    hundredths = int(match[1]) * 100 + int((match[2] or "").ljust(2, "0")) if match else MOST + 1
    if hundredths > MOST:
        raise BadInput.one("total", "points-form", text=text[:20])
    return hundredths


# ---------------------------------------------------------------- the bureau adjusts
async def adjust(
    scope: Scope, school_id: int, period: Period, total: int | None, reason: str, key: str, now: datetime
) -> bool:
    """Put a score of the bureau's beside the school's own, or (`total` None) take the one that holds back.

    False if the same form had been sent before. Raises NotFound out of scope; NotAllowed but for the bureau's clerks;
    BadInput; Conflict (`quarter-open`, `no-return`, `not-adjusted`, `same-key-other-body`).
    """
    _let_in(scope, school_id, {"clerk"}, "clerk-only")
    _check(key, reason, "reason", REASON_LENGTH)
    if total is not None and not 0 <= total <= MOST:
        raise BadInput.one("total", "points-form", text=decimal(total))
    if now < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    async with transaction():
        before = await fetch_tuples(None, SENT_BEFORE, [school_id, key])
        if before:
            return _repeated(before[0], (total, reason, period.id))
        own = await fetch_tuples(None, OWN, [school_id, period.id])
        if not own:
            raise Conflict("no-return", {"period": period.id})
        if total is None and school_id not in await adjusted_totals([school_id], period):
            raise Conflict("not-adjusted")
        return await _add(scope, school_id, period, (total, own[0][0]), reason, key, now)


async def _add(
    scope: Scope,
    school_id: int,
    period: Period,
    scores: tuple[int | None, int | None],
    reason: str,
    key: str,
    now: datetime,
) -> bool:
    total, own = scores
    values = [new_id(), school_id, period.id, total, own, reason, scope.account_id, scope.name, now, key]
    if not await fetch_tuples(None, ADJUST, values):
        rows = await fetch_tuples(None, SENT_BEFORE, [school_id, key])
        return _repeated(rows[0], (total, reason, period.id))
    told = {"total": total, "own": own, "reason": reason}
    action = "score.adjusted" if total is not None else "score.adjustment-withdrawn"
    await append(school_id, scope, action, f"adjustments/{period.id}", told, now)
    return True


def _repeated(before: tuple[Any, ...], now_said: tuple[Any, ...]) -> bool:
    if tuple(before) != now_said:
        raise Conflict("same-key-other-body")
    return False


# ---------------------------------------------------------------- the school appeals, the bureau answers
async def appeal(scope: Scope, school_id: int, period: Period, text: str, key: str, now: datetime) -> bool:
    """The school appeals against the adjustment that holds. False if the same form had been sent before.

    Raises NotFound out of scope; NotAllowed but for officer and principal; BadInput; Conflict (`not-adjusted`,
    `appealed-already`).
    """
    _let_in(scope, school_id, {"officer", "principal"}, "school-only")
    _check(key, text, "text", TEXT_LENGTH)
    async with transaction():
        step = await _standing(scope, school_id, period)
        values = [new_id(), step.id, text, scope.account_id, scope.name, now, key]
        if not await fetch_tuples(None, ADD_APPEAL, values):
            return await _appealed_before(step.id, key)
        told = {"adjustment": step.id, "text": text}
        await append(school_id, scope, "adjustment.appealed", f"adjustments/{period.id}", told, now)
    return True


async def answer(
    scope: Scope, school_id: int, period: Period, outcome: str, reason: str, key: str, now: datetime
) -> bool:
    """The bureau answers the oldest appeal that waits; one that is upheld takes its adjustment back.

    False if the same form had been sent before. Raises NotFound out of scope; NotAllowed but for the bureau's clerks;
    BadInput; Conflict (`no-appeal`).
    """
    _let_in(scope, school_id, {"clerk"}, "clerk-only")
    _check(key, reason, "reason", TEXT_LENGTH)
    if outcome not in {UPHELD, REJECTED}:
        raise BadInput.one("outcome", "required")
    async with transaction():
        if await fetch_tuples(None, ANSWERED, [school_id, period.id, key]):
            return False
        history = await steps(scope, school_id, period)
        waiting = [step for step in history if step.appeal_id is not None and step.outcome is None]
        if not waiting:
            raise Conflict("no-appeal")
        step = waiting[-1]
        values = [new_id(), step.appeal_id, outcome, reason, scope.account_id, scope.name, now, key]
        if not await fetch_tuples(None, ADD_ANSWER, values):
            raise Conflict("no-appeal")
        told = {"appeal": step.appeal_id, "outcome": outcome, "reason": reason}
        await append(school_id, scope, "appeal.answered", f"adjustments/{period.id}", told, now)
        if outcome == UPHELD and history[0].id == step.id:
            await _add(scope, school_id, period, (None, step.own), reason[:REASON_LENGTH], key, now)
    return True


async def _standing(scope: Scope, school_id: int, period: Period) -> Step:
    found = await steps(scope, school_id, period)
    if not found or found[0].total is None:
        raise Conflict("not-adjusted")
    return found[0]


async def _appealed_before(adjustment: UUID, key: str) -> bool:
    if await fetch_tuples(None, APPEALED, [adjustment]) != [(key,)]:
        raise Conflict("appealed-already")
    return False


def _let_in(scope: Scope, school_id: int, roles: set[str], code: str) -> None:
    if not scope.may(school_id):
        raise NotFound
    if not roles & scope.roles_at(school_id):
        raise NotAllowed(code)


def _check(key: str, text: str, name: str, most: int) -> None:
    checked_key(key)
    if not text.strip():
        raise BadInput.one(name, "required")
    if len(text) > most:
        raise BadInput.one(name, "text-long", maximum=most, length=len(text))

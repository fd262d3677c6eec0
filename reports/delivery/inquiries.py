"""Asking the bureau's instance what it decided on what it received, until there is no more to learn.

Asked about is every return that went by a way whose other side can be asked: for an hour each minute, for a month each
hour, then each day. An acceptance can still be withdrawn, so asking goes on for a while after one. Once a newer
version has arrived nothing more can be decided on the older one, which is asked about a last time.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from reports.delivery.signed import BadAnswer
from reports.life import told
from reports.life.rules import ACCEPTED
from reports.press import Press
from reports.transports import Answering, Told, TransportError
from safety.database import fetch_tuples

log = logging.getLogger(__name__)

ANSWERED_BY: Final = "https"
"""The way whose receipts come from another instance."""
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOLLOWED = 100 * DAY
"""For how long an accepted return is asked about: until the next quarter's is due."""
AT_ONCE = 50
ERROR_LENGTH = 2000
DUE = f"""select o.message, r.id, r.school, r.period, r.version, c.number, c.answer, c.stored_at, coalesce(q.asked, 0),
exists (select 1 from school_return n join outbox p on p.kind = 'return' and p.subject = n.id
join receipt e on e.message = p.message where n.school = r.school and n.period = r.period and n.version > r.version)
from outbox o join receipt c on c.message = o.message join school_return r on r.id = o.subject
left join inquiry q on q.message = o.message
where o.kind = 'return' and c.way = '{ANSWERED_BY}' and (q.message is null or q.next_at <= $1)
order by coalesce(q.next_at, c.stored_at), o.message limit {AT_ONCE}"""  # noqa: S608
TAKE = """insert into inquiry (message, asked, asked_at, next_at, error) values ($1, 1, $2, $3, '')
on conflict (message) do update set asked = inquiry.asked + 1, asked_at = $2, next_at = $3
where inquiry.asked = $4 returning asked"""
FAILED = "update inquiry set error = $2 where message = $1"
ANSWERED = "update inquiry set error = '', next_at = $2 where message = $1"
OF_MESSAGE = "select asked_at, next_at, error from inquiry where message = $1"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A version that is asked about: `answer` is its receipt as it came, `superseded` that a newer one has arrived."""

    message: UUID
    sealed: UUID
    school: int
    period: str
    version: int
    item: UUID
    answer: str
    since: datetime
    asked: int
    superseded: bool


async def ask_due(press: Press, now: datetime) -> int:
    """Ask about every version that is due; returns how many decisions were new. To be repeated at will."""
    way = press.upward
    if not isinstance(way, Answering):
        return 0
    rows = await fetch_tuples(None, DUE, [now])
    return sum([await _ask(way, _Asked(*row), now) for row in rows])


async def _ask(way: Answering, about: _Asked, now: datetime) -> int:
    """Its next turn is noted before it is asked about, so that of several processes one asks."""
    turn = now + _pause(about.since, now)
    if not await fetch_tuples(None, TAKE, [about.message, now, turn, about.asked]):
        return 0
    try:
        said = await way.ask(about.message)
        new = await _keep(about, said, now)
    except (TransportError, BadAnswer) as error:
        log.warning("what was decided on message %s: %s", about.message, error)
        await fetch_tuples(None, FAILED, [about.message, str(error)[:ERROR_LENGTH]])
        return 0
    except Exception as error:
        # What one answer breaks must not keep the others from being asked about.
        log.exception("what was decided on message %s could not be asked for", about.message)
        await fetch_tuples(None, FAILED, [about.message, type(error).__name__])
        return 0
    await fetch_tuples(None, ANSWERED, [about.message, _next(about, said, now)])
    return new


async def _keep(about: _Asked, said: Told, now: datetime) -> int:
    if said.body.receipt != about.answer:
        raise BadAnswer("the answer is about something else than the receipt that was given")
    version = told.Version(about.sealed, about.school, about.period, about.version, about.item)
    return await told.keep(version, said.body.decisions, said.answer, now)


def _pause(since: datetime, now: datetime) -> timedelta:
    age = now - since
    if age < HOUR:
        return MINUTE
    return HOUR if age < 30 * DAY else DAY


def _next(about: _Asked, said: Told, now: datetime) -> datetime | None:
    last = said.body.decisions[-1] if said.body.decisions else None
    if about.superseded:
        return None
    if last is None or last.outcome != ACCEPTED:
        return now + _pause(about.since, now)
    return now + DAY if now - last.decided_at < FOLLOWED else None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """When a decision was last asked for, when it is again (None: no more), and why the last answer was none."""

    asked_at: datetime
    next_at: datetime | None
    error: str


async def of_message(message: UUID) -> Inquiry | None:
    """How it stands with asking about a message; None before the first time, and where nobody can be asked."""
    rows = await fetch_tuples(None, OF_MESSAGE, [message])
    return Inquiry(*rows[0]) if rows else None

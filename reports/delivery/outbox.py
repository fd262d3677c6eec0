"""The outbox: messages of several kinds, claimed by one process at a time, tried until they are answered.

A message keeps its id for good. Whoever posts one does so in the transaction that makes what it carries, so that
nothing sealed is ever without its message.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.ids import new_id
from safety.jobs.owner import is_gone
from safety.jobs.rules import backoff

Kind = Literal["return", "rollup"]
"""What a message carries: a school's return (`subject` is a row of `school_return`), or a bureau's roll-up."""

LEASE = timedelta(minutes=5)
ERROR_LENGTH = 2000
POST = """insert into outbox (message, kind, subject, bureau, posted_at, state, attempts, next_at, claimed_by, error)
values ($1, $2, $3, $4, $5, 'waiting', 0, $5, '', '')"""
CLAIM = """update outbox set claimed_by = $1, lease_until = $2, tried_at = $3, attempts = attempts + 1
where message = $4 and state = 'waiting' and claimed_by = $5 and attempts = $6 returning message"""
RELEASE = """update outbox set claimed_by = '', lease_until = null, state = $3, next_at = $4, error = $5
where message = $1 and claimed_by = $2 and state = 'waiting' returning message"""
FAILED = "insert into failed_attempt (id, message, at, error) values ($1, $2, $3, $4)"
DELIVERED = """update outbox set state = 'delivered', claimed_by = '', lease_until = null, error = ''
where message = $1"""
WAITING = """select o.message, o.attempts, o.claimed_by, o.lease_until from outbox o
left join bureau b on b.id = o.bureau left join school_return r on o.kind = 'return' and r.id = o.subject
where o.state = 'waiting' {more} order by o.next_at, o.message"""
HERE = "b.elsewhere = false"
"""Whom it is for lives here. For the others there is the way upward, or none: then they wait, and nothing failed."""

OVERDUE = """select count(*) from outbox o left join bureau b on b.id = o.bureau
where o.state = 'waiting' and o.posted_at < $1"""
TELL = """update outbox set alerted_at = $1 where alerted_at is null
and (state = 'dead' or (state = 'waiting' and posted_at < $2)) {more} returning message, error"""
TELL_HERE = f"and bureau in (select b.id from bureau b where {HERE})"  # noqa: S608
ALERT_AFTER = timedelta(hours=1)

Candidate = tuple[UUID, int, str, datetime | None]


async def post(kind: Kind, subject_id: UUID, bureau: int | None, now: datetime) -> UUID:
    """Put a message in the outbox, inside the caller's transaction, and return its id.

    `bureau` is whom it is for; None is the level above this instance.
    """
    message = new_id()
    await fetch_tuples(None, POST, [message, kind, subject_id, bureau, now])
    return message


async def waiting(
    now: datetime, *, upward: bool, period: Period | None = None, everything: bool = False
) -> list[Candidate]:
    """What waits and is due for an attempt, the longest due first. `upward`: there is a way for what is not for this
    instance; `everything`: also what is not due yet; `period`: only the returns of that quarter.
    """
    more, args = "" if upward else f"and {HERE} ", list[object]()
    if not everything:
        args.append(now)
        more += f"and o.next_at <= ${len(args)} "
    if period is not None:
        args.append(period.id)
        more += f"and r.period = ${len(args)} "
    return await fetch_tuples(None, WAITING.format(more=more), args)


def is_held(candidate: Candidate, now: datetime) -> bool:
    """Whether a living process has a message in hand."""
    _, _, holder, lease = candidate
    return bool(holder) and lease is not None and lease > now and not is_gone(holder)


async def claim(candidate: Candidate, owner: str, now: datetime) -> bool:
    """Take a message in hand for the time of a lease. False: somebody else was quicker."""
    message, attempts, holder, _ = candidate
    values = [owner, now + LEASE, now, message, holder, attempts]
    return bool(await fetch_tuples(None, CLAIM, values))


async def give_back(message: UUID, owner: str, now: datetime) -> None:
    """Let go of a message whose attempt was cut off; it is due at once."""
    await fetch_tuples(None, RELEASE, [message, owner, "waiting", now, ""])


async def put_off(message: UUID, owner: str, error: str, now: datetime, *, dead: bool = False) -> None:
    """Note a failed attempt: the next one is 2ⁿ seconds away, an hour at most. `dead`: there is none until somebody
    sends the message again.
    """
    said = error[:ERROR_LENGTH]
    async with transaction():
        rows = await fetch_tuples(None, "select attempts from outbox where message = $1", [message])
        values = [message, owner, "dead" if dead else "waiting", now + backoff(rows[0][0]), said]
        if await fetch_tuples(None, RELEASE, values):
            await fetch_tuples(None, FAILED, [new_id(), message, now, said])


async def settle(message: UUID) -> None:
    """The message has arrived; inside the transaction that stores its receipt."""
    await fetch_tuples(None, DELIVERED, [message])


async def overdue(now: datetime, *, upward: bool) -> int:
    """How many messages have waited for longer than an hour; those for which no way is set do not count."""
    rows = await fetch_tuples(None, OVERDUE if upward else f"{OVERDUE} and {HERE}", [now - ALERT_AFTER])
    return int(rows[0][0])


async def dead() -> int:
    """How many messages were refused for good."""
    return int((await fetch_tuples(None, "select count(*) from outbox where state = 'dead'"))[0][0])


async def take_unalerted(now: datetime, *, upward: bool) -> list[tuple[UUID, str]]:
    """What the operator has to be told of and was not yet, each with its last error; from now on it counts as told."""
    sql = TELL.format(more="" if upward else TELL_HERE)
    return await fetch_tuples(None, sql, [now, now - ALERT_AFTER])

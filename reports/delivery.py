"""From the outbox to the bureau's inbox: drawn in a worker process, received once, acknowledged with a receipt.

Every step may be cut off and repeated. A message keeps its id, the receiver answers the same id with the same receipt,
and a row leaves the outbox only in the transaction that stores the receipt.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from reports.document import ReturnDocument, parse
from reports.pdf import WORKERS, RenderError
from reports.press import Press, sealed_file
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.ids import new_id
from safety.jobs.owner import is_gone
from safety.jobs.rules import backoff

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
LOOK_AGAIN_SECONDS = 0.2
GIVE_UP_AFTER = 6
WAITING = """select o.message, o.attempts, o.claimed_by, o.lease_until, r.period from outbox o
join school_return r on r.id = o.sealed where o.state = 'waiting' order by o.next_at, o.message"""
DUE = """select o.message, o.attempts, o.claimed_by, o.lease_until, r.period from outbox o
join school_return r on r.id = o.sealed where o.state = 'waiting' and o.next_at <= $1 order by o.next_at, o.message"""
CLAIM = """update outbox set claimed_by = $1, lease_until = $2, attempts = attempts + 1
where message = $3 and state = 'waiting' and claimed_by = $4 and attempts = $5 returning message"""
RELEASE = """update outbox set claimed_by = '', lease_until = null, next_at = $3, error = $4
where message = $1 and claimed_by = $2 and state = 'waiting'"""
MESSAGE = """select o.bureau, r.id, r.school, r.document from outbox o join school_return r on r.id = o.sealed
where o.message = $1"""
RECEIVE = """insert into inbox_item
(id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (message) do nothing"""
ANSWER = "select id, bytes_digest, received_at from inbox_item where message = $1"
KEEP = """insert into receipt (message, number, bytes_digest, received_at, stored_at) values ($1, $2, $3, $4, $5)
on conflict (message) do nothing returning message"""
DELIVERED = """update outbox set state = 'delivered', claimed_by = '', lease_until = null, error = ''
where message = $1"""

Progress = Callable[[str, int, int], None]
"""Called with what is being done (`seal`, `deliver`), how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The receiver's answer to a message; the same message always gets the same one."""

    number: UUID
    bytes_digest: str
    received_at: datetime


@dataclass
class Deliveries:
    """What a round came to: how many were delivered, and which were not, each with its error."""

    delivered: int = 0
    failed: dict[UUID, str] = field(default_factory=dict)
    in_a_row: int = 0

    @property
    def hopeless(self) -> bool:
        """So many failures one after another are not the messages' fault: the rest waits for the next round."""
        return self.in_a_row >= GIVE_UP_AFTER


async def deliver_waiting(
    press: Press,
    now: datetime,
    *,
    period: Period | None = None,
    everything: bool = False,
    progress: Progress | None = None,
) -> Deliveries:
    """Deliver what waits, each message tried once. `everything`: those too whose next attempt is not due yet, and wait
    for those that another process has in hand.
    """
    found, tried = Deliveries(), set[UUID]()
    total = len(await _waiting(now, period, everything))

    async def work() -> None:
        while not found.hopeless:
            message = await _next(press, now, period, everything, tried)
            if message is None:
                return
            await _attempt(press, message, now, found)
            if progress:
                progress("deliver", found.delivered + len(found.failed), total)

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    return found


Row = tuple[UUID, int, str, datetime | None, str]


async def _waiting(now: datetime, period: Period | None, everything: bool) -> list[Row]:
    rows = await (fetch_tuples(None, WAITING) if everything else fetch_tuples(None, DUE, [now]))
    return [(m, n, by, until, p) for m, n, by, until, p in rows if period is None or p == period.id]


async def _next(
    press: Press, now: datetime, period: Period | None, everything: bool, tried: set[UUID]
) -> UUID | None:
    """Claim one message that this round has not tried; None when there is no more to do."""
    while True:
        others = False
        for message, attempts, holder, lease, _ in await _waiting(now, period, everything):
            if message in tried:
                continue
            if holder and lease is not None and lease > now and not is_gone(holder):
                others = others or holder != press.owner
                continue
            values = [press.owner, now + LEASE, message, holder, attempts]
            if await fetch_tuples(None, CLAIM, values):
                tried.add(message)
                return message
            others = True
        if not (everything and others):
            return None
        await asyncio.sleep(LOOK_AGAIN_SECONDS)


async def _attempt(press: Press, message: UUID, now: datetime, found: Deliveries) -> None:
    try:
        await deliver(press, message, now)
    except asyncio.CancelledError:
        await asyncio.shield(_release(press, message, now, ""))
        raise
    except RenderError as error:
        log.warning("message %s was not drawn: %s", message, error)
        await _put_off(press, message, now, found, error)
    except Exception as error:
        log.exception("message %s was not delivered", message)
        await _put_off(press, message, now, found, error)
    else:
        found.delivered += 1
        found.in_a_row = 0


async def _put_off(press: Press, message: UUID, now: datetime, found: Deliveries, error: Exception) -> None:
    found.failed[message] = f"{type(error).__name__}: {error}"
    found.in_a_row += 1
    rows = await fetch_tuples(None, "select attempts from outbox where message = $1", [message])
    await _release(press, message, now + backoff(rows[0][0]), found.failed[message][:2000])


async def _release(press: Press, message: UUID, next_at: datetime, error: str) -> None:
    await fetch_tuples(None, RELEASE, [message, press.owner, next_at, error])


async def deliver(press: Press, message: UUID, now: datetime) -> Answer:
    """Make a sealed return's file, hand it to its bureau and keep the receipt."""
    rows = await fetch_tuples(None, MESSAGE, [message])
    bureau, sealed, school, text = rows[0]
    document = parse(text.encode())
    file = await sealed_file(press, sealed, now)
    async with transaction():
        answer = await receive(bureau, message, document, file.bytes_digest, file.size, now)
        if await fetch_tuples(
            None, KEEP, [message, answer.number, answer.bytes_digest, answer.received_at, now]
        ):
            told = {"receipt": answer.number, "file": answer.bytes_digest, "version": document.version}
            await append(school, None, "return.received", f"returns/{document.period.id}", told, now)
        await fetch_tuples(None, DELIVERED, [message])
    return answer


async def receive(
    bureau: int, message: UUID, document: ReturnDocument, bytes_digest: str, size: int, now: datetime
) -> Answer:
    """Put a return in a bureau's inbox, inside the caller's transaction; a message that came before is answered."""
    values = [new_id(), bureau, message, document.school.code, document.period.id, document.version]
    await fetch_tuples(None, RECEIVE, [*values, document.facts_digest, bytes_digest, size, now])
    rows = await fetch_tuples(None, ANSWER, [message])
    return Answer(*rows[0])

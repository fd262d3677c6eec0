"""From the outbox to whom a message is for: its file made, handed over, received once, acknowledged with a receipt.

Every step may be cut off and repeated. A message keeps its id, the receiver answers the same id with the same receipt,
and a row leaves the outbox only in the transaction that stores the receipt.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from reports import outbox
from reports.contents import Content, content_of
from reports.pdf import WORKERS, RenderError
from reports.press import Press
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.ids import new_id

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2
GIVE_UP_AFTER = 6
MESSAGE = "select kind, subject, bureau from outbox where message = $1"
RECEIVE = """insert into inbox_item
(id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (message) do nothing"""
ANSWER = "select id, bytes_digest, received_at from inbox_item where message = $1"
KEEP = """insert into receipt (message, number, bytes_digest, received_at, stored_at, way, answer)
values ($1, $2, $3, $4, $5, 'inbox', '') on conflict (message) do nothing returning message"""

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
    """Deliver what waits, each message tried once; with `period` only the returns of that quarter. `everything`: those
    too whose next attempt is not due yet, and wait for those that another process has in hand.
    """
    found, tried = Deliveries(), set[UUID]()
    total = len(await outbox.waiting(now, period=period, everything=everything))

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


async def _next(
    press: Press, now: datetime, period: Period | None, everything: bool, tried: set[UUID]
) -> UUID | None:
    """Claim one message that this round has not tried; None when there is no more to do."""
    while True:
        others = False
        for candidate in await outbox.waiting(now, period=period, everything=everything):
            message, _, holder, _ = candidate
            if message in tried:
                continue
            if outbox.is_held(candidate, now):
                others = others or holder != press.owner
                continue
            if await outbox.claim(candidate, press.owner, now):
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
        await asyncio.shield(outbox.give_back(message, press.owner, now))
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
    await outbox.put_off(message, press.owner, "inbox", found.failed[message], now)


async def deliver(press: Press, message: UUID, now: datetime) -> Answer:
    """Make a message's file, hand it to whom it is for and keep the receipt."""
    kind, subject, bureau = (await fetch_tuples(None, MESSAGE, [message]))[0]
    content = await content_of(press, kind, subject, now)
    async with transaction():
        answer = await receive(bureau, message, content, now)
        if await fetch_tuples(
            None, KEEP, [message, answer.number, answer.bytes_digest, answer.received_at, now]
        ):
            told = {"receipt": answer.number, "file": answer.bytes_digest, "version": content.version}
            await append(content.chain, None, f"{content.kind}.received", content.path, told, now)
        await outbox.settle(message)
    return answer


async def receive(bureau: int, message: UUID, content: Content, now: datetime) -> Answer:
    """Put a return in a bureau's inbox, inside the caller's transaction; a message that came before is answered."""
    values = [
        new_id(),
        bureau,
        message,
        content.sender,
        content.period,
        content.version,
        content.facts_digest,
    ]
    await fetch_tuples(None, RECEIVE, [*values, content.bytes_digest, content.size, now])
    rows = await fetch_tuples(None, ANSWER, [message])
    return Answer(*rows[0])

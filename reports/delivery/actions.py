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

from reports import files
from reports.delivery import outbox
from reports.delivery.contents import Content, content_of
from reports.pdf import WORKERS, RenderError
from reports.press import Press
from reports.transports import Envelope, Receipt, Transport, TransportError
from reports.transports.inbox import Inbox
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.2
GIVE_UP_AFTER = 6
MESSAGE = """select o.kind, o.subject, o.posted_at, o.bureau, b.elsewhere
from outbox o left join bureau b on b.id = o.bureau where o.message = $1"""
KEEP = """insert into receipt (message, number, bytes_digest, received_at, stored_at, way, answer)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (message) do nothing returning message"""

Progress = Callable[[str, int, int], None]
"""Called with what is being done (`seal`, `deliver`), how much of it is done, and how much there is."""


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
    total = len(await _waiting(press, now, period, everything))

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


async def _waiting(
    press: Press, now: datetime, period: Period | None, everything: bool
) -> list[outbox.Candidate]:
    upward = press.upward is not None
    return await outbox.waiting(now, upward=upward, period=period, everything=everything)


async def _next(
    press: Press, now: datetime, period: Period | None, everything: bool, tried: set[UUID]
) -> UUID | None:
    """Claim one message that this round has not tried; None when there is no more to do."""
    while True:
        others = False
        for candidate in await _waiting(press, now, period, everything):
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
    except (TransportError, RenderError) as error:
        log.warning("message %s: %s", message, error)
        await _put_off(press, message, now, found, error)
    except Exception as error:
        log.exception("message %s was not delivered", message)
        await _put_off(press, message, now, found, error)
    else:
        found.delivered += 1
        found.in_a_row = 0


async def _put_off(press: Press, message: UUID, now: datetime, found: Deliveries, error: Exception) -> None:
    refused = isinstance(error, TransportError)
    found.failed[message] = str(error) if refused else f"{type(error).__name__}: {error}"
    found.in_a_row += 1
    dead = isinstance(error, TransportError) and error.permanent
    await outbox.put_off(message, press.owner, found.failed[message], now, dead=dead)


async def deliver(press: Press, message: UUID, now: datetime) -> Receipt:
    """Make a message's file, hand it to whom it is for and keep the receipt.

    Raises TransportError if it was not taken, and what making its file raises.
    """
    kind, subject, posted_at, bureau, elsewhere = (await fetch_tuples(None, MESSAGE, [message]))[0]
    content = await content_of(press, kind, subject, now)
    envelope = _envelope(message, content, posted_at, now)
    data = await asyncio.to_thread(files.read, press.data, content.bytes_digest)
    way = _way(press, None if elsewhere else bureau)
    receipt = await way.send(envelope, data)
    if receipt.bytes_digest != content.bytes_digest:
        raise TransportError("the receipt is for other bytes")
    await _keep(message, content, receipt, now)
    return receipt


def _way(press: Press, bureau: int | None) -> Transport:
    """To a bureau that lives here, its inbox; else the way upward."""
    if bureau is not None:
        return Inbox(bureau, press.key)
    if press.upward is None:
        raise TransportError("no way upward is set")
    return press.upward


def _envelope(message: UUID, content: Content, posted_at: datetime, now: datetime) -> Envelope:
    return Envelope(
        message=message,
        kind=content.kind,
        sender=content.sender,
        sender_name=content.sender_name,
        period=content.period,
        version=content.version,
        file_name=content.file_name,
        bytes_digest=content.bytes_digest,
        size=content.size,
        facts_digest=content.facts_digest,
        posted_at=posted_at,
        now=now,
    )


async def _keep(message: UUID, content: Content, receipt: Receipt, now: datetime) -> None:
    """The receipt stored, told in the trail, and the message settled: all at once."""
    values = [
        message,
        receipt.number,
        receipt.bytes_digest,
        receipt.received_at,
        now,
        receipt.way,
        receipt.answer,
    ]
    async with transaction():
        if await fetch_tuples(None, KEEP, values):
            told = {"receipt": receipt.number, "file": receipt.bytes_digest, "version": content.version}
            told |= {"way": receipt.way}
            await append(content.chain, None, f"{content.kind}.received", content.path, told, now)
        await outbox.settle(message)

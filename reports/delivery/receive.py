"""Receiving: a message is put into the books once, and answered with the same receipt whenever it comes again.

Its sender may ask later what was decided on what it brought.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports.delivery import decided, receipts, signed
from reports.life.standing import Ruled, rulings_on
from reports.sealing.keys import SigningKey
from safety.database import fetch_tuples
from safety.errors import Conflict, NotFound
from safety.ids import new_id

SAVE = """insert into received_delivery (number, message, kind, sender, peer, bureau, period, version, facts_digest,
bytes_digest, size, received_at, receipt) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
on conflict (message) do nothing returning number"""
KNOWN = """select number, bytes_digest, received_at, receipt, sender, peer from received_delivery where message = $1"""
GIVEN = "select number, receipt from received_delivery where message = $1 and kind = $2 and sender = $3"
FILE_RETURN = """insert into inbox_item
(id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, received_at)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
FILE_ROLLUP = """insert into received_rollup (message, bureau, sender, period, version, document, document_digest,
facts_digest, bytes_digest, received_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
VERSION = (
    """select 1 from received_delivery where kind = $1 and sender = $2 and period = $3 and version = $4"""
)
CODE = "select code from bureau where id = $1"


@dataclass(frozen=True, slots=True)
class Parcel:
    """What came: from whom (`peer` None: from this instance), for which bureau, and the file by its digest.

    The file is on the disk already; one that nothing speaks of does no harm. `document` is the data attached to it, if
    it comes from another instance and is all that is known of it here.
    """

    message: UUID
    kind: str
    sender: str
    peer: int | None
    bureau: int
    period: str
    version: int
    facts_digest: str
    bytes_digest: str
    size: int
    document: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The receipt for a message: its number, of which bytes, when, and its text. `repeated`: it was given before."""

    number: UUID
    bytes_digest: str
    received_at: datetime
    receipt: str
    repeated: bool = False


async def receive(parcel: Parcel, key: SigningKey | None, now: datetime) -> Answer:
    """Put a message into the books, inside the caller's transaction, or answer it as it was answered before.

    Raises Conflict: `same-message-other-file` if it came before with another file or from somebody else;
    `version-known` if another message brought that version.
    """
    before = await answered(parcel)
    if before is not None:
        return before
    if await fetch_tuples(None, VERSION, [parcel.kind, parcel.sender, parcel.period, parcel.version]):
        raise Conflict("version-known", {"period": parcel.period, "version": parcel.version})
    number = new_id()
    receiver = (await fetch_tuples(None, CODE, [parcel.bureau]))[0][0]
    body = receipts.Body(
        number, parcel.message, parcel.kind, parcel.sender, receiver, parcel.period, parcel.version,
        parcel.bytes_digest, parcel.size, now,
    )  # fmt: skip
    text = signed.issue(body, key)
    values = [number, parcel.message, parcel.kind, parcel.sender, parcel.peer, parcel.bureau, parcel.period]
    values += [parcel.version, parcel.facts_digest, parcel.bytes_digest, parcel.size, now, text]
    if await fetch_tuples(None, SAVE, values):
        await FILED[parcel.kind](parcel, number, now)
        return Answer(number, parcel.bytes_digest, now, text)
    # Another process was quicker by a moment.
    before = await answered(parcel)
    assert before is not None
    return before


async def answered(parcel: Parcel) -> Answer | None:
    """The answer that a message has had; None if it is new. Raises Conflict as `receive` does."""
    rows = await fetch_tuples(None, KNOWN, [parcel.message])
    if not rows:
        return None
    number, digest, received_at, receipt, sender, peer = rows[0]
    if (digest, sender, peer) != (parcel.bytes_digest, parcel.sender, parcel.peer):
        raise Conflict("same-message-other-file")
    return Answer(number, digest, received_at, receipt, repeated=True)


async def decided_on(message: UUID, kind: str, sender: str) -> decided.Body:
    """What there is to tell the sender of a message: its receipt, and what was decided on what it brought.

    Raises NotFound unless that sender's message was received here.
    """
    rows = await fetch_tuples(None, GIVEN, [message, kind, sender])
    if not rows:
        raise NotFound
    number, receipt = rows[0]
    return decided.Body(receipt, tuple(_decision(ruled) for ruled in await rulings_on(number)))


def _decision(ruled: Ruled) -> decided.Decision:
    lines = tuple(decided.LineReason(line, text) for line, text in ruled.lines.items())
    return decided.Decision(ruled.id, ruled.outcome, ruled.reasons, lines, ruled.decider, ruled.decided_at)


async def _file_return(parcel: Parcel, number: UUID, now: datetime) -> None:
    values = [number, parcel.bureau, parcel.message, parcel.sender, parcel.period, parcel.version]
    values += [parcel.facts_digest, parcel.bytes_digest, parcel.size, now]
    await fetch_tuples(None, FILE_RETURN, values)


async def _file_rollup(parcel: Parcel, number: UUID, now: datetime) -> None:
    """One made on this instance is in its own table; of one from elsewhere the attached data are kept."""
    del number
    if parcel.peer is None:
        return
    digest = hashlib.sha256(parcel.document.encode()).hexdigest()
    values = [parcel.message, parcel.bureau, parcel.sender, parcel.period, parcel.version, parcel.document]
    await fetch_tuples(None, FILE_ROLLUP, [*values, digest, parcel.facts_digest, parcel.bytes_digest, now])


FILED: dict[str, Callable[[Parcel, UUID, datetime], Awaitable[None]]] = {
    "return": _file_return,
    "rollup": _file_rollup,
}
"""What else is written down when a message of a kind is received, in the same transaction."""

"""What messages of each kind carry: the file, and what its envelope says. A further kind is a line in `CONTENTS`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports import queries
from reports.delivery.outbox import Kind
from reports.document import parse
from reports.press import Press, sealed_file
from reports.rollup import press as rollup_press
from safety.database import fetch_tuples
from safety.errors import NotFound

RETURN = "select school, document from school_return where id = $1"


@dataclass(frozen=True, slots=True)
class Content:
    """A sealed file on its way.

    `sender` is the code of the school or bureau that it speaks for, `chain` that school's id (None: a bureau's, told in
    the instance's trail), `path` its subject in the trail. `bytes_digest` names the file in the data folder;
    `facts_digest` is what it states of itself.
    """

    kind: Kind
    sender: str
    sender_name: str
    period: str
    version: int
    file_name: str
    bytes_digest: str
    size: int
    facts_digest: str
    chain: int | None
    path: str


async def content_of_return(press: Press, return_id: UUID, now: datetime) -> Content:
    """A school's sealed return, its file made now unless it was made before. Raises what `sealed_file` raises."""
    rows = await fetch_tuples(None, RETURN, [return_id])
    if not rows:
        raise NotFound
    school, text = rows[0]
    document = parse(text.encode())
    file = await sealed_file(press, return_id, now)
    code, period = document.school.code, document.period.id
    return Content(
        kind="return",
        sender=code,
        sender_name=document.school.name.zh,
        period=period,
        version=document.version,
        file_name=queries.file_name(code, period, document.version),
        bytes_digest=file.bytes_digest,
        size=file.size,
        facts_digest=document.facts_digest,
        chain=school,
        path=f"returns/{period}",
    )


async def content_of_rollup(press: Press, rollup_id: UUID, now: datetime) -> Content:
    """A bureau's sealed roll-up. Raises what `printed` raises."""
    made = await rollup_press.printed(press, rollup_id, now)
    document, code, period = made.document, made.document.bureau.code, made.document.period.id
    return Content(
        kind="rollup",
        sender=code,
        sender_name=document.bureau.name.zh,
        period=period,
        version=document.version,
        file_name=rollup_press.file_name(code, period, document.version),
        bytes_digest=made.file.bytes_digest,
        size=made.file.size,
        facts_digest=document.facts_digest,
        chain=None,
        path=f"rollups/{code}/{period}",
    )


CONTENTS: dict[Kind, Callable[[Press, UUID, datetime], Awaitable[Content]]] = {
    "return": content_of_return,
    "rollup": content_of_rollup,
}


async def content_of(press: Press, kind: Kind, subject: UUID, now: datetime) -> Content:
    """What a message carries. Raises NotFound where there is no such thing, and whatever making its file raises."""
    return await CONTENTS[kind](press, subject, now)

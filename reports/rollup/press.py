"""From a sealed roll-up to its one file: drawn, signed, stored and recorded once; asked for again, the same bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reports import files
from reports.kinds import RollupJob
from reports.press import Press, SealedFile
from reports.rollup.document import RollupDocument, parse
from reports.seal import sign
from safety.database import fetch_tuples
from safety.errors import NotFound

ROLLUP = "select document from rollup where id = $1"
MISSING = """select r.id from rollup r where not exists (select 1 from rollup_file f where f.rollup = r.id)
order by r.id"""
FILE = "select bytes_digest, size, signed_at, fingerprint from rollup_file where rollup = $1"
SAVE = """insert into rollup_file (rollup, bytes_digest, size, signed_at, fingerprint) values ($1, $2, $3, $4, $5)
on conflict (rollup) do nothing"""


@dataclass(frozen=True, slots=True)
class Printed:
    """A sealed roll-up and its file."""

    document: RollupDocument
    file: SealedFile


async def printed(press: Press, rollup_id: UUID, now: datetime) -> Printed:
    """The file of a sealed roll-up, made now unless it has been made before; safe to cut off and call again.

    Raises NotFound, MissingGlyph, RenderError.
    """
    rows = await fetch_tuples(None, ROLLUP, [rollup_id])
    if not rows:
        raise NotFound
    document = parse(rows[0][0].encode())
    made = await file_of(rollup_id)
    if made is None:
        drawn = await press.renderer.render(RollupJob(document))
        content = await asyncio.to_thread(sign, drawn, press.key, now) if press.key else drawn
        digest = await asyncio.to_thread(files.store, press.data, content)
        fingerprint = press.key.fingerprint if press.key else ""
        await fetch_tuples(None, SAVE, [rollup_id, digest, len(content), now, fingerprint])
        made = await file_of(rollup_id)
    assert made is not None
    return Printed(document, made)


async def print_missing(press: Press, now: datetime) -> int:
    """Make the files of sealed roll-ups that have none yet; how many were. Delivery makes them as well, but there is
    not always a level above to which a roll-up goes.
    """
    missing = await fetch_tuples(None, MISSING)
    for (rollup_id,) in missing:
        await printed(press, rollup_id, now)
    return len(missing)


async def file_of(rollup_id: UUID) -> SealedFile | None:
    """What is recorded of a sealed roll-up's file; None before it was made."""
    rows = await fetch_tuples(None, FILE, [rollup_id])
    return SealedFile(*rows[0]) if rows else None


def file_name(code: str, period: str, version: int) -> str:
    """What a roll-up's file is called: letters, digits and hyphens only."""
    safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in code)
    return f"rollup-{safe}-{period}-v{version}.pdf"

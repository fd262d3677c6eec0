"""From a sealed return to its one file: drawn, signed, stored and recorded once; asked for again, the same bytes."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from reports import files
from reports.delivery.mail import Operator
from reports.document import parse
from reports.pdf import Renderer
from reports.seal import sign
from reports.sealing.keys import SigningKey
from reports.transports import Transport
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.ids import new_id

DOCUMENT = "select document from school_return where id = $1"
FILE = "select bytes_digest, size, signed_at, fingerprint from sealed_file where sealed = $1"
SAVE = """insert into sealed_file (id, sealed, bytes_digest, size, signed_at, fingerprint)
values ($1, $2, $3, $4, $5, $6) on conflict (sealed) do nothing"""


@dataclass(frozen=True)
class Press:
    """What making a return's file takes: the data folder, the workers that draw, whose claims these are, and the key
    to sign with (None: not signed, as in tests that draw nothing real). `upward` is the way to the level above, and
    `operator` who is told when messages do not arrive, where they are set.
    """

    data: Path
    renderer: Renderer
    owner: str
    test_clock: bool = False
    key: SigningKey | None = None
    upward: Transport | None = None
    operator: Operator | None = None


@dataclass(frozen=True, slots=True)
class SealedFile:
    """The file of a sealed return: the SHA-256 of its bytes (which names it among the files), its size in bytes,
    when it was signed, and the SHA-256 fingerprint of the certificate (empty: not signed).
    """

    bytes_digest: str
    size: int
    signed_at: datetime
    fingerprint: str


async def sealed_file(press: Press, return_id: UUID, now: datetime) -> SealedFile:
    """The file of a sealed return, made now unless it has been made before.

    May be cut off anywhere and called again, and by two at once: the file is on the disk before its row, the first row
    decides which file is the one, and a file that no row speaks of does no harm.

    Raises:
        NotFound: there is no such return.
        MissingGlyph, RenderError: it was not drawn.
    """
    made = await file_of(return_id)
    if made is not None:
        return made
    rows = await fetch_tuples(None, DOCUMENT, [return_id])
    if not rows:
        raise NotFound
    drawn = await press.renderer.render_return(parse(rows[0][0].encode()))
    content = await asyncio.to_thread(_signed, drawn, press.key, now)
    digest = await asyncio.to_thread(files.store, press.data, content)
    fingerprint = press.key.fingerprint if press.key else ""
    await fetch_tuples(None, SAVE, [new_id(), return_id, digest, len(content), now, fingerprint])
    made = await file_of(return_id)
    assert made is not None
    return made


def _signed(drawn: bytes, key: SigningKey | None, now: datetime) -> bytes:
    return sign(drawn, key, now) if key else drawn


async def file_of(return_id: UUID) -> SealedFile | None:
    """What is recorded of a sealed return's file; None before it was made."""
    rows = await fetch_tuples(None, FILE, [return_id])
    return SealedFile(*rows[0]) if rows else None

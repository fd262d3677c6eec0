"""The scan of a stamped paper copy, attached to a sealed version afterwards. The sealed file is not touched."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from reports import files, queries
from reports.life import standing
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, NotAllowed, NotFound
from safety.ids import new_id

LARGEST = 10 * 1024 * 1024
ATTACHERS = frozenset({"officer", "principal"})
KINDS = {b"%PDF-": "application/pdf", b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
"""How each kind of file begins: what a file is called, and what a browser says it is, proves nothing."""
SUFFIXES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}

SAVE = """insert into return_scan (id, sealed, bytes_digest, size, media_type, attached_by, attacher, attached_at)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (sealed, bytes_digest) do nothing returning id"""
OF_RETURN = """select c.id, r.version, c.bytes_digest, c.size, c.media_type, c.attacher, c.attached_at
from return_scan c join school_return r on r.id = c.sealed where r.school = $1 and r.period = $2
order by c.attached_at, c.id"""


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan and the version that it is a copy of; `size` in bytes."""

    id: UUID
    version: int
    bytes_digest: str
    size: int
    media_type: str
    attacher: str
    attached_at: datetime

    def file_name(self, code: str, period: str) -> str:
        """What it is called when downloaded."""
        name = queries.file_name(code, period, self.version).removesuffix(".pdf")
        return f"{name}-scan-{self.bytes_digest[:8]}.{SUFFIXES[self.media_type]}"


def kind_of(content: bytes) -> str:
    """The media type of a file by its first bytes. Raises BadInput (`scan-kind`) for anything else."""
    for beginning, kind in KINDS.items():
        if content.startswith(beginning):
            return kind
    raise BadInput.one("file", "scan-kind")


async def of_return(scope: Scope, school_id: int, period: Period) -> list[Scan]:
    """The scans of all versions of a return, oldest first. NotFound for a school out of scope."""
    if not scope.may(school_id):
        raise NotFound
    return [Scan(*row) for row in await fetch_tuples(None, OF_RETURN, [school_id, period.id])]


async def attach(
    scope: Scope, school_id: int, period: Period, version: int, content: bytes, data: Path, now: datetime
) -> bool:
    """Keep a scan of a sealed version; False if the same file was attached to it before.

    Raises:
        NotFound: a school out of scope, or no such version.
        NotAllowed: not an officer or principal of this school.
        BadInput: `scan-kind` for what is not a PDF, JPEG or PNG; `scan-large` beyond 10 MiB.
    """
    if not scope.may(school_id):
        raise NotFound
    if not scope.roles_at(school_id) & ATTACHERS:
        raise NotAllowed("correctors-only")
    if len(content) > LARGEST:
        raise BadInput.one("file", "scan-large", mib=LARGEST // 1024**2)
    kind = kind_of(content)
    sealed = {found.sent.version: found.id for found in await standing.versions(scope, school_id, period)}
    if version not in sealed:
        raise NotFound
    # The file is on the disk before a row speaks of it; a file that nobody speaks of does no harm.
    digest = await asyncio.to_thread(files.store, data, content)
    values = [new_id(), sealed[version], digest, len(content), kind, scope.account_id, scope.name, now]
    async with transaction():
        if not await fetch_tuples(None, SAVE, values):
            return False
        told = {"version": version, "file": digest, "bytes": len(content), "kind": kind}
        await append(school_id, scope, "return.scanned", f"returns/{period.id}", told, now)
    return True

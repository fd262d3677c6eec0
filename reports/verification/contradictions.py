"""What is kept, held against what went out: a record rewritten here no longer fits the returns that others have.

A whole chain may be rewritten so that it is again sound in itself; but the head that it had was printed on every
return, signed with it, and lies in other people's drawers.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from reports import files
from reports.kinds import ATTACHMENT
from reports.sealing.attached import attached
from reports.sealing.keys import fingerprint, trusted
from reports.sealing.signature import Broken, read_signature
from safety.database import fetch_tuples
from safety.errors import NotFound

RETURNS = """select r.id, r.school, s.code, r.period, r.version, r.document_digest, r.facts_digest,
f.bytes_digest, f.fingerprint from school_return r join school s on s.id = r.school
left join sealed_file f on f.sealed = r.id order by s.code, r.period, r.version"""
DOCUMENT = "select document from school_return where id = $1"
LINE = "select digest from audit_line where chain = $1 and position = $2"
RECEIVED = """select c.bytes_digest from outbox o join receipt c on c.message = o.message
where o.kind = 'return' and o.subject = $1"""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A sealed return that what is kept here contradicts.

    `reason`: `document` (it is not the one that was sealed), `chain` (the audit chain had another end then), `receipt`
    (something else was received), `file-missing`, `file` (not the bytes that were recorded), `signature` (no signature
    of a trusted key), `data` (the file's own data are not what is kept).
    """

    school: str
    period: str
    version: int
    reason: str


class _Head(msgspec.Struct):
    lines: int
    digest: str


class _Sealed(msgspec.Struct):
    facts_digest: str
    chain_head: _Head | None = None


async def contradictions(data: Path, *, deep: bool = True) -> list[Contradiction]:
    """Every sealed return that does not fit what is kept. `deep`: its file is read and its signature checked too."""
    certificates = {fingerprint(one) for one in trusted(data)}
    found: list[Contradiction] = []
    for id_, school, code, period, version, *kept in await fetch_tuples(None, RETURNS):
        said = [reason async for reason in _of_row(id_, school, kept)]
        if deep and kept[2] is not None:
            said += await asyncio.to_thread(_of_file, data, kept, certificates)
        found += [Contradiction(code, period, version, reason) for reason in said]
    return found


async def _of_row(id_: UUID, school: int, kept: list[Any]) -> AsyncIterator[str]:
    document_digest, facts_digest, bytes_digest, _ = kept
    text = str((await fetch_tuples(None, DOCUMENT, [id_]))[0][0]).encode()
    document = msgspec.json.decode(text, type=_Sealed)
    if (hashlib.sha256(text).hexdigest(), document.facts_digest) != (document_digest, facts_digest):
        yield "document"
    head = document.chain_head
    if head is not None and head.lines:
        lines = await fetch_tuples(None, LINE, [school, head.lines])
        if [digest for (digest,) in lines] != [head.digest]:
            yield "chain"
    for (received,) in await fetch_tuples(None, RECEIVED, [id_]):
        if bytes_digest is not None and received != bytes_digest:
            yield "receipt"


def _of_file(data: Path, kept: list[Any], certificates: set[str]) -> Iterable[str]:
    try:
        content = files.read(data, kept[2])
    except FileNotFoundError:
        return ["file-missing"]
    except ValueError:
        return ["file"]
    # Files that were made before there were seals have none.
    return _of_seal(content, kept, certificates) if kept[3] else []


def _of_seal(content: bytes, kept: list[Any], certificates: set[str]) -> Iterable[str]:
    document_digest, signed_by = kept[0], kept[3]
    try:
        signature = read_signature(content)
        data_of_it = attached(signature.drawn, ATTACHMENT)
    except Broken:
        return ["signature"]
    except NotFound:
        return ["data"]
    if (
        fingerprint(signature.certificate) not in certificates
        or fingerprint(signature.certificate) != signed_by
    ):
        return ["signature"]
    return [] if hashlib.sha256(data_of_it).hexdigest() == document_digest else ["data"]

"""The evidence pack of a return: the sealed file and all that stands behind it, with a manifest of digests.

One ZIP (APPNOTE 6.3, deflated). `manifest.json` names every other file with its size and SHA-256; `SHA256SUMS` has the
same digests for common tools, and `说明.txt` tells a person what all of it is and how to check it. Entries are given as
their ledgers export them, people by their logins.
"""

import asyncio
import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from reports import files
from reports.document import Words
from reports.life.standing import RULINGS
from reports.oversight import queries as oversight
from reports.oversight.readme import README, SUMS, Packed, readme, sums
from safety import in_use
from safety.access.scope import Scope
from safety.audit import queries as audit
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.ledger import queries as ledger_queries
from safety.ledger.declare import Kind, Ledger
from safety.ledger.parse import Context, format_field, format_local
from safety.ledger.queries import Person
from safety.ledger.routes import sheet_cell
from safety.ledger.rows import EntryRow
from safety.places.facts import school_facts
from safety.text import catalogue

SCHEMA = "safe-campus.evidence.v1"
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The same content gives the same bytes: no clock in the archive's own headers."""
VERSIONS = """select r.id, r.version, r.document, r.document_digest, r.facts_digest, r.sealed_at, f.bytes_digest
from school_return r left join sealed_file f on f.sealed = r.id
where r.school = $1 and r.period = $2 order by r.version"""
RECEIVED = f"""select i.version, d.outcome, d.reasons, d.lines, d.decider, d.decided_at, i.number, i.bytes_digest,
i.received_at from (select school_code, period, version, id as number, bytes_digest, received_at from inbox_item
union all select s.code, r.period, r.version, c.number, c.bytes_digest, c.received_at from receipt c
join outbox o on o.message = c.message and o.kind = 'return' join school_return r on r.id = o.subject
join school s on s.id = r.school where c.way <> 'inbox') i left join {RULINGS} d on d.item = i.number and
(d.school_code, d.period, d.version) = (i.school_code, i.period, i.version)
join school s on s.code = i.school_code where s.id = $1 and i.period = $2 order by i.version, d.decided_at, d.id"""  # noqa: S608
"""What was received, here or on another instance, with each decision on it."""
SCANS = """select r.version, c.bytes_digest, c.media_type, c.attacher, c.attached_at from return_scan c
join school_return r on r.id = c.sealed where r.school = $1 and r.period = $2 order by c.attached_at"""
EVENTS = """select v.chain, v.kind, v.value, v.happened_at, v.recorded_at, a.login from entry_event v
left join account a on a.id = v.recorded_by where v.school = $1 and v.ledger = $2 order by v.recorded_at, v.id"""
META = ("recorded_at", "recorded_by", "supersedes", "voided_at", "why")
ENDINGS = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack is made of; `members` by name, in the order in which they stand."""

    members: Mapping[str, bytes]
    school: str
    period: str

    def zip(self) -> bytes:
        """The archive, its manifest first."""
        listed = [
            {"name": name, "size": len(content), "sha256": digest_of(content)}
            for name, content in self.members.items()
        ]
        manifest = {"schema": SCHEMA, "school": self.school, "period": self.period, "files": listed}
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {"manifest.json": _json(manifest), **self.members}.items():
                archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), content, zipfile.ZIP_DEFLATED)
        return out.getvalue()


async def pack_of(scope: Scope, school_id: int, code: str, period: Period, data: Path, now: datetime) -> Pack:
    """Every sealed version of a return, what the bureau answered, the quarter's entries, notes, and the trail.

    NotFound for a school out of scope, and where nothing was sealed yet.
    """
    if not scope.may(school_id):
        raise NotFound
    versions = await fetch_tuples(None, VERSIONS, [school_id, period.id])
    if not versions:
        raise NotFound
    members: dict[str, bytes] = {}
    for id_, version, document, *digests, bytes_digest in versions:
        members[f"return-v{version}/return.json"] = document.encode()
        members[f"return-v{version}/seal.json"] = _json(_seal(id_, version, digests, bytes_digest))
        if bytes_digest:
            members[f"return-v{version}/return.pdf"] = await _file(data, bytes_digest)
    members |= await _scans(school_id, period, data)
    members["received.json"] = _json(await _received(school_id, period))
    for ledger in in_use.registry():
        members[f"entries/{ledger.name}.csv"] = await _entries(scope, ledger, school_id, period, now)
        if ledger.events:
            members[f"entries/{ledger.name}-events.csv"] = await _events(ledger, school_id)
    members["notes.json"] = _json(await _notes(scope, school_id))
    members["trail.csv"] = await _trail(school_id)
    facts = await school_facts(school_id)
    numbers = tuple(row[1] for row in versions)
    packed = Packed(code, Words(zh=facts.name, en=facts.name_en), period, numbers, now)
    return Pack(_explained(packed, members), code, period.id)


def _explained(packed: Packed, members: Mapping[str, bytes]) -> dict[str, bytes]:
    """With what tells a person of them first, and the digests for common tools last."""
    titles = {ledger.name: ledger.title for ledger in in_use.registry()}
    whole = {README: readme(packed, members, titles, catalogue()), **members}
    return whole | {SUMS: sums({name: digest_of(content) for name, content in whole.items()})}


def digest_of(content: bytes) -> str:
    """SHA-256 in lower-case hex."""
    return hashlib.sha256(content).hexdigest()


def _seal(id_: UUID, version: int, digests: Sequence[Any], bytes_digest: str | None) -> dict[str, Any]:
    document, facts, sealed_at = digests
    return {
        "return": id_,
        "version": version,
        "document_digest": document,
        "facts_digest": facts,
        "sealed_at": sealed_at,
        "file_sha256": bytes_digest,
    }


async def _file(data: Path, digest: str) -> bytes:
    return await asyncio.to_thread(files.read, data, digest)


async def _scans(school_id: int, period: Period, data: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for number, (version, digest, kind, *_) in enumerate(
        await fetch_tuples(None, SCANS, [school_id, period.id]), start=1
    ):
        found[f"return-v{version}/scan-{number}.{ENDINGS[kind]}"] = await _file(data, digest)
    return found


async def _received(school_id: int, period: Period) -> list[dict[str, Any]]:
    names = (
        "version",
        "outcome",
        "reasons",
        "lines",
        "decider",
        "decided_at",
        "receipt",
        "file_sha256",
        "received_at",
    )
    rows = await fetch_tuples(None, RECEIVED, [school_id, period.id])
    return [dict(zip(names, row, strict=True)) for row in rows]


async def _entries(scope: Scope, ledger: Ledger, school_id: int, period: Period, now: datetime) -> bytes:
    """The entries of a quarter's days, corrected and voided ones too, in the order of recording."""
    rows = [
        row
        for state in ledger_queries.STATES
        for row in await ledger_queries.all_entries(
            scope,
            ledger,
            school_id,
            ledger_queries.Filters(since=period.start, until=period.end, state=state, order="oldest"),
            now,
        )
    ]
    # One that was corrected and then voided is of both states.
    rows = sorted({row.id: row for row in rows}.values(), key=lambda row: (row.recorded_at, row.id))
    people = [item.name for item in ledger.every_field if item.kind is Kind.PERSON]
    known = await ledger_queries.people_by_id(
        {row.recorded_by for row in rows} | {row.values[name] for row in rows for name in people}
    )
    context = await ledger_queries.context_for(ledger, school_id, now)
    context = replace(context, people={**{p.login: p.id for p in known.values()}, **context.people})
    head = ["id", *(item.name for item in ledger.every_field), *META]
    return _csv(head, [_entry(row, ledger, known, context) for row in rows])


def _entry(row: EntryRow, ledger: Ledger, known: Mapping[int, Person], context: Context) -> list[object]:
    by = known.get(row.recorded_by) if row.recorded_by is not None else None
    return [
        row.id,
        *(
            sheet_cell(item, format_field(item, row.values.get(item.name), context))
            for item in ledger.every_field
        ),
        row.recorded_at,
        by.login if by else "",
        row.supersedes,
        row.voided_at,
        row.void_why or row.why,
    ]


async def _events(ledger: Ledger, school_id: int) -> bytes:
    """All later facts of a ledger's entries (sample discarded, drill evaluated, liability found …), oldest first."""
    rows = await fetch_tuples(None, EVENTS, [school_id, ledger.name])
    return _csv(["entry", "kind", "value", "happened_at", "recorded_at", "recorded_by"], rows)


async def _notes(scope: Scope, school_id: int) -> dict[str, Any]:
    threads = [
        [{name: getattr(note, name) for name in note.__slots__} for note in thread.notes]
        for thread in await oversight.threads(scope, school_id)
    ]
    samples = [
        {name: getattr(item, name) for name in item.__slots__}
        for item in await oversight.samples(scope, school_id)
    ]
    return {"threads": threads, "samples": samples}


async def _trail(school_id: int) -> bytes:
    head = ["position", "at", "actor_login", "action", "subject", "facts", "previous", "digest"]
    rows = [[getattr(line, name) for name in head] async for line in audit.lines(school_id)]
    # A line's digest is of the instant as it was written.
    return _csv(head, [[row[0], row[1].isoformat(), *row[2:]] for row in rows])


# ---------------------------------------------------------------- texts
def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=_plain).encode() + b"\n"


def _plain(value: object) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(head)
    writer.writerows(["" if cell is None else _cell(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    """Instants are local, as everything else in these tables is."""
    if isinstance(value, datetime):
        return format_local(value)
    return value.isoformat() if isinstance(value, date) else str(value)

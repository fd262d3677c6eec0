"""Reading returns: drafts, what was sealed, what was received. Those for pages take the viewer's scope first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from reports.compile import Found, Making, Signed, compile_return
from reports.document import Bureau, Cause, ChainHead, Fact, ReturnDocument, Words, parse
from safety import in_use
from safety.access.scope import Scope
from safety.audit.rules import START
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.ledger.evidence import Reader
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.scores import consequences_of, evidence_of, incidents_by_school
from safety.scoring import score

HEAD = "select length, head from audit_head where chain = $1"
SIGN_OFF = """select id, signer, signed_at, facts_digest, facts from sign_off
where school = $1 and period = $2 order by signed_at desc, id desc limit 1"""
LAST = """select id, version, document_digest, facts_digest from school_return
where school = $1 and period = $2 order by version desc limit 1"""
SENT = """select r.period, r.version, r.status, r.total, r.grade, r.sealed_at, r.closed_late, r.facts_digest,
r.document_digest, o.state, c.bytes_digest, c.received_at, c.number
from school_return r join outbox o on o.kind = 'return' and o.subject = r.id
left join receipt c on c.message = o.message where r.school = $1 {more} order by r.period desc, r.version desc"""
CAUSES = "select line, text from return_remark where school = $1 and period = $2 order by written_at, id"
DOCUMENT = (
    "select document from school_return where school = $1 and period = $2 order by version desc limit 1"
)
BELOW = """with recursive tree (id) as (select id from bureau where id = $1
union select b.id from bureau b join tree on b.parent = tree.id)
select s.id, s.code, s.name, s.name_en from school s join tree on s.bureau = tree.id order by s.code"""
RECEIVED = """select i.id, i.school_code, i.version, i.facts_digest, i.bytes_digest, i.size, i.received_at,
r.status, r.total, r.grade, r.closed_late
from inbox_item i left join outbox o on o.message = i.message left join school_return r on r.id = o.subject
where i.period = $1 order by i.school_code, i.version"""


# ---------------------------------------------------------------- what a return is made of
async def measured(school_id: int, period: Period, at: datetime, *, now: bool) -> Found:
    """A school's quarter from its entries as they stood at an instant. NotFound if there is no such school."""
    book = Rulebook.of(in_use.standards(), period)
    facts = await school_facts(school_id)
    incidents = (await incidents_by_school([school_id]))[school_id]
    reader = Reader(in_use.registry(), period, book, at, now=now, singly=True)
    lines = await reader.measure(facts)
    evidence = evidence_of(lines, consequences_of(incidents, period, at, book), at)
    return Found(facts, period, book, score(facts, period, book, evidence, at), lines, incidents, at)


async def bureau_of(school_id: int) -> Bureau:
    """The bureau that a school answers to."""
    rows = await fetch_tuples(
        None,
        "select b.code, b.name from school s join bureau b on b.id = s.bureau where s.id = $1",
        [school_id],
    )
    code, name = rows[0]
    return Bureau(code=code, name=Words(zh=name))


async def chain_head(school_id: int, *, locked: bool = False) -> ChainHead:
    """Where a school's audit chain ends; `locked`: nobody adds to it until the caller's transaction ends."""
    rows = await fetch_tuples(None, f"{HEAD} for update" if locked else HEAD, [school_id])
    lines, digest = rows[0] if rows else (0, START)
    return ChainHead(lines=lines, digest=digest)


@dataclass(frozen=True, slots=True)
class KeptSignOff:
    """The sign-off that holds, and its row."""

    id: UUID
    signed: Signed


async def sign_off(school_id: int, period: Period) -> KeptSignOff | None:
    """The last sign-off of a quarter, with the facts that it was given on."""
    rows = await fetch_tuples(None, SIGN_OFF, [school_id, period.id])
    if not rows:
        return None
    id_, signer, signed_at, digest, facts = rows[0]
    return KeptSignOff(id_, Signed(signer, signed_at, digest, facts_in(facts)))


async def causes_of(school_id: int, period: Period) -> tuple[Cause, ...]:
    """Why lines have exceptions, as the school's last words on each say."""
    last = dict(await fetch_tuples(None, CAUSES, [school_id, period.id]))
    return tuple(Cause(line=line, text=text) for line, text in last.items() if text)


def facts_in(text: str) -> tuple[Fact, ...]:
    """Facts from their canonical JSON."""
    return msgspec.json.decode(text, type=tuple[Fact, ...])


@dataclass(frozen=True, slots=True)
class Last:
    """The newest version of a return."""

    id: UUID
    version: int
    document_digest: str
    facts_digest: str


async def last_version(school_id: int, period: Period) -> Last | None:
    """The newest sealed version of a school's quarter, or None."""
    rows = await fetch_tuples(None, LAST, [school_id, period.id])
    return Last(*rows[0]) if rows else None


async def drafted(
    school_id: int, period: Period, now: datetime, *, test_clock: bool = False
) -> tuple[Found, ReturnDocument]:
    """What was measured up to now, and what would be sent if the quarter closed now."""
    found = await measured(school_id, period, now, now=True)
    kept = await sign_off(school_id, period)
    making = Making(
        bureau=await bureau_of(school_id),
        made_at=now,
        draft=True,
        test_clock=test_clock,
        signed=kept.signed if kept else None,
        chain_head=await chain_head(school_id),
        causes=await causes_of(school_id, period),
    )
    return found, compile_return(found, making)


async def draft_of(
    school_id: int, period: Period, now: datetime, *, test_clock: bool = False
) -> ReturnDocument:
    """What would be sent if the quarter closed now."""
    return (await drafted(school_id, period, now, test_clock=test_clock))[1]


async def draft(
    scope: Scope, school_id: int, period: Period, now: datetime, *, test_clock: bool = False
) -> ReturnDocument:
    """The same for a viewer. NotFound for a school out of scope."""
    _in_scope(scope, school_id)
    return await draft_of(school_id, period, now, test_clock=test_clock)


# ---------------------------------------------------------------- what was sealed
@dataclass(frozen=True, slots=True)
class Sent:
    """A sealed return in a list. `total` is hundredths; the receipt's parts are None until it has come."""

    period: str
    version: int
    status: str
    total: int | None
    grade: str | None
    sealed_at: datetime
    closed_late: bool
    facts_digest: str
    document_digest: str
    state: str
    bytes_digest: str | None
    received_at: datetime | None
    number: UUID | None


async def sent(scope: Scope, school_id: int, period: Period | None = None) -> list[Sent]:
    """A school's sealed returns, newest quarter and version first."""
    _in_scope(scope, school_id)
    more, args = ("and r.period = $2", [school_id, period.id]) if period else ("", [school_id])
    return [Sent(*row) for row in await fetch_tuples(None, SENT.format(more=more), args)]


async def document_of(school_id: int, period: Period) -> ReturnDocument | None:
    """The frozen document of the newest version."""
    rows = await fetch_tuples(None, DOCUMENT, [school_id, period.id])
    return parse(rows[0][0].encode()) if rows else None


async def document(scope: Scope, school_id: int, period: Period) -> ReturnDocument | None:
    """The same for a viewer."""
    _in_scope(scope, school_id)
    return await document_of(school_id, period)


async def school_id(code: str) -> int:
    """A school's id by its code. Raises NotFound."""
    rows = await fetch_tuples(None, "select id from school where code = $1", [code])
    if not rows:
        raise NotFound
    return int(rows[0][0])


async def current(
    school_id: int, period: Period, now: datetime, *, test_clock: bool = False
) -> ReturnDocument:
    """The newest sealed version; before the close, the draft."""
    return await document_of(school_id, period) or await draft_of(
        school_id, period, now, test_clock=test_clock
    )


# ---------------------------------------------------------------- what was received
@dataclass(frozen=True, slots=True)
class Received:
    """An inbox row. `id` is the receipt's number."""

    id: UUID
    school_code: str
    version: int
    facts_digest: str
    bytes_digest: str
    size: int
    received_at: datetime
    status: str | None
    total: int | None
    grade: str | None
    closed_late: bool | None


@dataclass(frozen=True, slots=True)
class InboxLine:
    """A school of the bureau with the newest return received of it; None: it is missing."""

    school_id: int
    school_code: str
    name: str
    name_en: str
    item: Received | None


async def inbox(scope: Scope, bureau_id: int, period: Period) -> list[InboxLine]:
    """Every school below a bureau and what came from it for the quarter. NotFound for a bureau out of scope."""
    if not scope.may_bureau(bureau_id):
        raise NotFound
    items = {row[1]: Received(*row) for row in await fetch_tuples(None, RECEIVED, [period.id])}
    return [
        InboxLine(id_, code, name, name_en, items.get(code))
        for id_, code, name, name_en in await fetch_tuples(None, BELOW, [bureau_id])
    ]


async def received_file(scope: Scope, bureau_id: int, item_id: UUID) -> tuple[str, str]:
    """(digest of the file, a name for it) of something received from a school below a bureau."""
    if not scope.may_bureau(bureau_id):
        raise NotFound
    rows: list[tuple[Any, ...]] = await fetch_tuples(
        None, "select bytes_digest, school_code, period, version from inbox_item where id = $1", [item_id]
    )
    below = {code for _, code, *_ in await fetch_tuples(None, BELOW, [bureau_id])}
    if not rows or rows[0][1] not in below:
        raise NotFound
    digest, code, period, version = rows[0]
    return digest, file_name(code, period, version)


def file_name(code: str, period: str, version: int) -> str:
    """What a return's file is called: letters, digits and hyphens only."""
    safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in code)
    return f"return-{safe}-{period}-v{version}.pdf"


def _in_scope(scope: Scope, school_id: int) -> None:
    if not scope.may(school_id):
        raise NotFound

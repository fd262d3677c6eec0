"""Writing returns: the principal's sign-off, and the sealing of a quarter."""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from reports import figures, queries
from reports.canonical import canonical
from reports.compile import Making, compile_return
from reports.delivery.outbox import post
from reports.document import ReturnDocument
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples, transaction
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.submission import checked_key

DRAFT_DAYS = 10
"""From how many days before a quarter's end its draft may be looked at and signed. A default of this product."""
LATE_AFTER = timedelta(minutes=15)
"""A close that begins later than this after its time was missed by a system that was not running."""
COMMENT_LENGTH = 400

SAVE_SIGN_OFF = """insert into sign_off
(id, school, period, signed_by, signer, signed_at, facts_digest, facts, comment, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (school, submission_key) do nothing returning id"""
SAVE_RETURN = """insert into school_return (id, school, bureau, period, version, status, document, document_digest,
facts_digest, previous_digest, total, grade, sign_off, sealed_at, closed_late, made_up, test_clock,
enrolment, vetoed, expected, on_time, late, backfilled, missing, incidents, sensitive)
select $1, s.id, s.bureau, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
$17, $18, $19, $20, $21, $22, $23, $24, $25 from school s where s.id = $2
on conflict (school, period, version) do nothing returning bureau"""


def may_be_drafted(period: Period, now: datetime) -> bool:
    """Whether the draft is open: the last days of the quarter, up to the close."""
    return period.end - timedelta(days=DRAFT_DAYS) <= local_day(now) and now < close_at(period)


# ---------------------------------------------------------------- the sign-off
@dataclass(frozen=True, slots=True)
class SignedOff:
    """What a sign-off came to; `repeated`: the same form had been sent before."""

    id: UUID
    repeated: bool = False


async def sign(
    scope: Scope,
    school_id: int,
    period: Period,
    facts_digest: str,
    now: datetime,
    *,
    key: str,
    comment: str = "",
) -> SignedOff:
    """The principal signs the draft whose facts digest they were shown.

    Raises:
        NotAllowed: not this school's principal.
        Conflict: `draft-not-open` outside the last days of the quarter; `draft-changed` if the ledgers have moved since
            the page was drawn; `same-key-other-body` if the key came with another digest.
    """
    if not scope.may(school_id):
        raise NotFound
    if "principal" not in scope.roles_at(school_id):
        raise NotAllowed("principal-only")
    checked_key(key)
    if len(comment) > COMMENT_LENGTH:
        raise BadInput.one("comment", "text-long", maximum=COMMENT_LENGTH, length=len(comment))
    async with transaction():
        before = await _submitted(school_id, key)
        if before is not None:
            return _repeated(before, facts_digest)
        if not may_be_drafted(period, now):
            raise Conflict("draft-not-open", {"days": DRAFT_DAYS})
        draft = await queries.draft_of(school_id, period, now)
        if draft.facts_digest != facts_digest:
            raise Conflict("draft-changed")
        return await save_sign_off(scope, school_id, period, draft, now, key, comment)


async def _submitted(school_id: int, key: str) -> tuple[UUID, str] | None:
    rows = await fetch_tuples(
        None,
        "select id, facts_digest from sign_off where school = $1 and submission_key = $2",
        [school_id, key],
    )
    return (rows[0][0], rows[0][1]) if rows else None


def _repeated(before: tuple[UUID, str], facts_digest: str) -> SignedOff:
    if before[1] != facts_digest:
        raise Conflict("same-key-other-body")
    return SignedOff(before[0], repeated=True)


async def save_sign_off(
    scope: Scope,
    school_id: int,
    period: Period,
    draft: ReturnDocument,
    now: datetime,
    key: str,
    comment: str,
) -> SignedOff:
    """Keep a sign-off with the facts that it binds to, inside the caller's transaction."""
    id_, digest = new_id(), draft.facts_digest
    facts = canonical(draft.facts).decode()
    values = [id_, school_id, period.id, scope.account_id, scope.name, now, digest, facts, comment, key]
    if not await fetch_tuples(None, SAVE_SIGN_OFF, values):
        before = await _submitted(school_id, key)
        assert before is not None
        return _repeated(before, digest)
    told = {"period": period.id, "facts_digest": digest, "comment": comment}
    await append(school_id, scope, "return.signed", f"returns/{period.id}", told, now)
    return SignedOff(id_)


# ---------------------------------------------------------------- the sealing
async def seal(school_id: int, period: Period, now: datetime, *, test_clock: bool = False) -> bool:
    """Freeze a school's quarter as of its close and put it in the outbox, in one transaction.

    False if it had been sealed before. Raises Conflict (`quarter-open`) before the close.
    """
    if now < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    if await queries.last_version(school_id, period):
        return False
    found = await queries.measured(school_id, period, close_at(period), now=False)
    kept = await queries.sign_off(school_id, period)
    making = Making(
        bureau=await queries.bureau_of(school_id),
        made_at=now,
        closed_late=now - close_at(period) > LATE_AFTER,
        test_clock=test_clock,
        signed=kept.signed if kept else None,
        causes=await queries.causes_of(school_id, period),
    )
    document = await asyncio.to_thread(compile_return, found, making)
    return await _seal(school_id, document, found.score.total, kept.id if kept else None, now)


async def _seal(
    school_id: int, document: ReturnDocument, total: int | None, sign_off: UUID | None, now: datetime
) -> bool:
    """Print the chain's head on it and save it. Writing it out takes a while, so nobody is kept waiting meanwhile: if
    the chain has grown by then, it is written out again.
    """
    while True:
        head = await queries.chain_head(school_id)
        headed = msgspec.structs.replace(document, chain_head=head)
        text = await asyncio.to_thread(canonical, headed)
        async with transaction():
            if await queries.chain_head(school_id, locked=True) == head:
                return await save_return(school_id, headed, text, total, sign_off, now)


async def save_return(
    school_id: int,
    document: ReturnDocument,
    text: bytes,
    total: int | None,
    sign_off: UUID | None,
    now: datetime,
) -> bool:
    """Keep a frozen return and post it, inside the caller's transaction. False if that version was there before."""
    # The digest of the whole document is that of its canonical text.
    id_, digest = new_id(), hashlib.sha256(text).hexdigest()
    values = [
        id_,
        school_id,
        document.period.id,
        document.version,
        document.status,
        text.decode(),
    ]
    values += [digest, document.facts_digest, document.previous_digest, total, document.score.grade, sign_off]
    values += [now, document.closed_late, document.made_up, document.test_clock, *figures.read(text).columns]
    rows = await fetch_tuples(None, SAVE_RETURN, values)
    if not rows:
        return False
    await post("return", id_, rows[0][0], now)
    told = {"version": document.version, "document": digest, "facts_digest": document.facts_digest}
    if document.unchanged:
        told["unchanged"] = document.reason
    await append(school_id, None, "return.sealed", f"returns/{document.period.id}", told, now)
    return True

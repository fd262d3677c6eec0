"""A sealed return lives on: entries that come later, its correction, and the version that follows it.

Nothing sealed ever changes. A new version is frozen as of the instant at which the principal signs it; what was
recorded after the close raises no points, which scoring sees to.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import msgspec

from reports import actions, queries
from reports.canonical import canonical
from reports.compile import Making, compile_return
from reports.document import ReturnDocument, Score, SignOff
from reports.life import standing
from reports.life.diff import LineDiff, changes_since, lines_between, points_of, unchanged
from reports.life.rules import RETURNED
from reports.life.standing import Opened, Version
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.database import fetch_tuples, transaction
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.scores import scores
from safety.scoring import as_json
from safety.submission import checked_key
from safety.web.calls import Call

REASON_LENGTH = 400
CORRECTORS = frozenset({"officer", "principal"})
SAVE_CORRECTION = """insert into return_correction (id, sealed, reason, opened_by, opener, opened_at, submission_key)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (sealed, submission_key) do nothing returning id"""
SIGNED = """select r.version, g.facts_digest from sign_off g join school_return r on r.sign_off = g.id
where g.school = $1 and g.submission_key = $2"""

NEWEST = """select r.period, r.version, (select min(c.opener) from return_correction c where c.sealed = r.id)
from school_return r where r.school = $1 and not exists (select 1 from school_return n
where n.school = r.school and n.period = r.period and n.version > r.version) order by r.period"""


async def calls(scope: Scope, school_id: int, code: str, now: datetime) -> list[Call]:
    """What the first page tells officer and principal: which returns came back, or wait for the next signature."""
    del now
    if not scope.roles_at(school_id) & CORRECTORS:
        return []
    rows = await fetch_tuples(None, NEWEST, [school_id])
    outcomes = await standing.outcomes(scope, school_id)
    return [
        Call(
            "life.call-prepared" if opened else "life.call-returned",
            {"period": period},
            f"/schools/{code}/returns/{period}/correction",
            "life.go-correct",
        )
        for period, version, opened in rows
        if outcomes.get((period, version)) == RETURNED or opened
    ]


# ---------------------------------------------------------------- what came later
@dataclass(frozen=True, slots=True)
class Later:
    """What the entries recorded since would change. `total` (hundredths) is what the return would come to."""

    total: int | None
    lines: tuple[LineDiff, ...]


async def later_entries(document: ReturnDocument, school_id: int, period: Period, now: datetime) -> Later:
    """The sealed score against the one that the ledgers come to now, by the tallies that every write keeps."""
    live = (await scores([school_id], period, now))[school_id]
    score = msgspec.convert(as_json(live), Score, strict=False)
    return Later(live.total, lines_between(document.score, score))


# ---------------------------------------------------------------- opening a correction
async def open_correction(
    scope: Scope, school_id: int, period: Period, reason: str, now: datetime, *, key: str
) -> None:
    """The officer or the principal opens the correction of the newest version, or writes its reason anew.

    Raises:
        NotFound, NotAllowed: not an officer or principal of this school.
        BadInput: no reason, or one too long.
        Conflict: `nothing-sealed` if there is no sealed version to correct.
    """
    _corrector(scope, school_id)
    _check(reason, key)
    async with transaction():
        await queries.chain_head(school_id, locked=True)
        newest = await _newest(scope, school_id, period)
        values = [new_id(), newest.id, reason, scope.account_id, scope.name, now, key]
        if await fetch_tuples(None, SAVE_CORRECTION, values):
            told = {"version": newest.sent.version, "reason": reason}
            await append(school_id, scope, "return.reopened", f"returns/{period.id}", told, now)


def _corrector(scope: Scope, school_id: int) -> None:
    if not scope.may(school_id):
        raise NotFound
    if not scope.roles_at(school_id) & CORRECTORS:
        raise NotAllowed("correctors-only")


def _check(reason: str, key: str) -> None:
    checked_key(key)
    if not reason.strip():
        raise BadInput.one("reason", "reasons-missing")
    if len(reason) > REASON_LENGTH:
        raise BadInput.one("reason", "text-long", maximum=REASON_LENGTH, length=len(reason))


async def _newest(scope: Scope, school_id: int, period: Period) -> Version:
    found = await standing.versions(scope, school_id, period)
    if not found:
        raise Conflict("nothing-sealed", {"period": period.id})
    return found[0]


# ---------------------------------------------------------------- the next version
async def next_draft(
    scope: Scope, school_id: int, period: Period, opened: Opened, now: datetime, *, test_clock: bool = False
) -> ReturnDocument:
    """What the next version would be if the principal signed it now; its `unchanged` says whether anything differs from
    the one that it corrects. NotFound for a school out of scope.
    """
    if not scope.may(school_id):
        raise NotFound
    return await _next_version(
        school_id, period, opened, opened.reason, now, draft=True, test_clock=test_clock
    )


async def _next_version(
    school_id: int,
    period: Period,
    opened: Opened,
    reason: str,
    now: datetime,
    *,
    draft: bool,
    test_clock: bool,
) -> ReturnDocument:
    sealed = await queries.document_of(school_id, period)
    assert sealed is not None
    found = await queries.measured(school_id, period, now, now=True)
    making = Making(
        bureau=await queries.bureau_of(school_id),
        made_at=now,
        version=opened.corrects.sent.version + 1,
        draft=draft,
        test_clock=test_clock,
        chain_head=await queries.chain_head(school_id),
        previous_digest=opened.corrects.sent.document_digest,
        reason=reason,
        causes=await queries.causes_of(school_id, period),
    )
    document = await asyncio.to_thread(compile_return, found, making)
    asked = opened.asked.lines if opened.asked else {}
    changes = changes_since(sealed.score, document.score, asked)
    same = unchanged(sealed, document) or msgspec.UNSET
    return msgspec.structs.replace(document, changes_since=changes, unchanged=same)


async def make_version(
    scope: Scope,
    school_id: int,
    period: Period,
    facts_digest: str,
    reason: str,
    now: datetime,
    *,
    key: str,
    knows_unchanged: bool = False,
    test_clock: bool = False,
) -> int:
    """The principal signs the next version and so seals it; it goes to the bureau like the first. Returns its number.

    The same press sent again returns the version that it made. `knows_unchanged`: the principal was told if nothing
    differs from the version before, and `reason` says why it is sent nevertheless.

    Raises:
        NotFound, NotAllowed: not this school's principal.
        BadInput: no reason, or one too long; `unchanged-unexplained` if nothing differs and the principal was not told.
        Conflict: `nothing-sealed`; `correction-not-open`; `draft-changed` if the ledgers have moved since the page was
            drawn; `same-key-other-body`; `quarter-open` before the close.
    """
    if not scope.may(school_id):
        raise NotFound
    if "principal" not in scope.roles_at(school_id):
        raise NotAllowed("principal-only")
    _check(reason, key)
    if now < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    async with transaction():
        await queries.chain_head(school_id, locked=True)
        before = await fetch_tuples(None, SIGNED, [school_id, key])
        if before:
            return _repeated(before[0], facts_digest)
        opened = await standing.correction_of(await _newest(scope, school_id, period))
        if opened is None:
            raise Conflict("correction-not-open")
        draft = await _next_version(
            school_id, period, opened, reason, now, draft=False, test_clock=test_clock
        )
        if draft.facts_digest != facts_digest:
            raise Conflict("draft-changed")
        if draft.unchanged and not knows_unchanged:
            raise BadInput.one("reason", "unchanged-unexplained", version=opened.corrects.sent.version)
        return await _sign_and_seal(scope, school_id, period, draft, now, key)


def _repeated(before: tuple[int, str], facts_digest: str) -> int:
    if before[1] != facts_digest:
        raise Conflict("same-key-other-body")
    return before[0]


async def _sign_and_seal(
    scope: Scope, school_id: int, period: Period, draft: ReturnDocument, now: datetime, key: str
) -> int:
    """Both in the caller's transaction, so that no new version is ever without its signature."""
    signed = await actions.save_sign_off(scope, school_id, period, draft, now, key, draft.reason)
    document = msgspec.structs.replace(
        draft,
        sign_off=SignOff(signer=scope.name, signed_at=now, facts_digest=draft.facts_digest),
        chain_head=await queries.chain_head(school_id),
    )
    text = await asyncio.to_thread(canonical, document)
    total = None if document.score.total is None else points_of(document.score.total)
    await actions.save_return(school_id, document, text, total, signed.id, now)
    return document.version

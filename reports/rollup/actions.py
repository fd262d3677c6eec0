"""Sealing a bureau's roll-up: by itself on its day, and anew by a clerk when something has been corrected since."""

import asyncio
import hashlib
import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.canonical import canonical
from reports.delivery import outbox
from reports.rollup import queries as rollup_queries
from reports.rollup.compile import Gathered, Making, compile_rollup
from reports.rollup.document import RollupDocument
from reports.rollup.due import MOST_DAYS, Setting, due_at
from safety import in_use
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples, transaction
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.national import National
from safety.submission import checked_key

log = logging.getLogger(__name__)

REASON_LENGTH = 400
DUE_DAY = "rollup.due_day"
SAVE = """insert into rollup (id, bureau, period, version, document, document_digest, facts_digest, previous_digest,
sealed_at, made_by, reason, submission_key) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
on conflict (bureau, period, version) do nothing returning id"""
BY_KEY = "select period, reason from rollup where bureau = $1 and submission_key = $2"
BUREAU = "select code, parent from bureau where id = $1"
SETTING = "select day, next_working_day from rollup_setting where bureau = $1"
SAVE_SETTING = """insert into rollup_setting (bureau, day, next_working_day) values ($1, $2, $3)
on conflict (bureau) do update set day = excluded.day, next_working_day = excluded.next_working_day"""
WAITING = """select b.id from bureau b where not b.elsewhere and not exists
(select 1 from rollup r where r.bureau = b.id and r.period = $1) order by b.id"""


# ---------------------------------------------------------------- when
async def setting_of(bureau_id: int, period: Period) -> Setting:
    """What a bureau has set; otherwise the standards' day, as it stands."""
    rows = await fetch_tuples(None, SETTING, [bureau_id])
    if rows:
        return Setting(int(rows[0][0]), bool(rows[0][1]))
    return Setting(in_use.standards().int_on(DUE_DAY, period.end))


async def due_of(bureau_id: int, period: Period) -> datetime:
    """When a bureau's roll-up of a quarter is sealed."""
    return due_at(period, await setting_of(bureau_id, period), National())


async def save_setting(scope: Scope, bureau_id: int, day: int, next_working_day: bool, now: datetime) -> None:
    """Set a bureau's day. Raises NotFound out of scope, NotAllowed but for its clerks, BadInput."""
    _clerk(scope, bureau_id)
    if not 1 <= day <= MOST_DAYS:
        raise BadInput.one("day", "rollup-day", most=MOST_DAYS)
    async with transaction():
        code = (await fetch_tuples(None, BUREAU, [bureau_id]))[0][0]
        await fetch_tuples(None, SAVE_SETTING, [bureau_id, day, next_working_day])
        told = {"day": day, "next_working_day": next_working_day}
        await append(None, scope, "rollup.day-set", f"bureau:{code}", told, now)


def _clerk(scope: Scope, bureau_id: int) -> None:
    if not scope.may_bureau(bureau_id):
        raise NotFound
    if not any(role.name == "clerk" and bureau_id in role.bureaus for role in scope.roles):
        raise NotAllowed("clerk-only")


# ---------------------------------------------------------------- the sealing
@dataclass(frozen=True, slots=True)
class Said:
    """Who makes a further version, why, and the form's key."""

    scope: Scope
    reason: str
    key: str


async def seal_due(data: Path, now: datetime, *, test_clock: bool = False) -> int:
    """Seal what is due of the quarter that closed last, for every bureau that has schools; how many were.

    Raises ExceptionGroup, after all others were sealed, with what went wrong at some.
    """
    period = Period.of(local_day(now)).previous()
    sealed, failed = 0, []
    for (bureau,) in await fetch_tuples(None, WAITING, [period.id]):
        try:
            if await due_of(bureau, period) <= now:
                sealed += await seal_first(bureau, period, data, now, test_clock=test_clock)
        except Exception as error:
            # One bureau whose data cannot be read must not keep the others waiting.
            log.exception("the roll-up of bureau %s was not sealed", bureau)
            failed.append(error)
    if failed:
        raise ExceptionGroup(f"{len(failed)} roll-ups were not sealed", failed)
    return sealed


async def seal_first(
    bureau_id: int, period: Period, data: Path, now: datetime, *, test_clock: bool = False
) -> bool:
    """Seal a bureau's first roll-up of a quarter. False if there is one, or if the bureau has no schools."""
    if await rollup_queries.made(bureau_id, period):
        return False
    while True:
        found = await rollup_queries.gather(bureau_id, period, data)
        if not found.schools and not any(item.remote for item in found.below):
            return False
        document = await asyncio.to_thread(compile_rollup, found, Making(now, test_clock=test_clock))
        with suppress(_Overtaken):
            return await _save(bureau_id, found, document, now, None)


async def seal_again(
    scope: Scope,
    bureau_id: int,
    period: Period,
    reason: str,
    key: str,
    data: Path,
    now: datetime,
    *,
    test_clock: bool = False,
) -> bool:
    """A clerk seals a further version, since something was corrected. False if the same form had been sent before.

    Raises NotFound, NotAllowed, BadInput; Conflict (`rollup-not-yet` before the first was sealed, `rollup-unchanged`,
    `same-key-other-body`).
    """
    _clerk(scope, bureau_id)
    checked_key(key)
    if not reason.strip():
        raise BadInput.one("reason", "required")
    if len(reason) > REASON_LENGTH:
        raise BadInput.one("reason", "text-long", maximum=REASON_LENGTH, length=len(reason))
    if await _repeated(bureau_id, period, reason, key):
        return False
    last = next(iter(await rollup_queries.made(bureau_id, period)), None)
    if last is None:
        raise Conflict("rollup-not-yet", {"period": period.id})
    making = Making(now, last.version + 1, False, test_clock, last.document_digest, reason)
    while True:
        found = await rollup_queries.gather(bureau_id, period, data)
        document = await asyncio.to_thread(compile_rollup, found, making)
        if document.facts_digest == last.facts_digest:
            raise Conflict("rollup-unchanged")
        with suppress(_Overtaken):
            if await _save(bureau_id, found, document, now, Said(scope, reason, key)):
                return True
            if await _repeated(bureau_id, period, reason, key):
                return False
            raise Conflict("conflict")


async def _repeated(bureau_id: int, period: Period, reason: str, key: str) -> bool:
    before = await fetch_tuples(None, BY_KEY, [bureau_id, key])
    if before and before[0] != (period.id, reason):
        raise Conflict("same-key-other-body")
    return bool(before)


class _Overtaken(Exception):
    """A decision was made or withdrawn while what it is about was being summed up: it has to be gathered anew."""


async def _save(
    bureau_id: int, found: Gathered, document: RollupDocument, now: datetime, said: Said | None
) -> bool:
    """False if somebody saved that version before. Raises _Overtaken."""
    text = await asyncio.to_thread(canonical, document)
    id_, digest = new_id(), hashlib.sha256(text).hexdigest()
    values: list[Any] = [id_, bureau_id, document.period.id, document.version, text.decode(), digest]
    values += [document.facts_digest, document.previous_digest, now]
    values += [said.scope.account_id, said.reason, said.key] if said else [None, "", None]
    async with transaction():
        # Whoever withdraws an acceptance holds this row meanwhile: it is in the roll-up, or it is refused.
        code, parent = (await fetch_tuples(None, f"{BUREAU} for no key update", [bureau_id]))[0]
        if await rollup_queries.is_overtaken(found):
            raise _Overtaken
        if not await fetch_tuples(None, SAVE, values):
            return False
        # Without a bureau above it here it is for the level above this instance, if there is a way there.
        await outbox.post("rollup", id_, parent, now)
        told = {"period": document.period.id, "version": document.version, "document": digest}
        told |= {"facts_digest": document.facts_digest, "reason": document.reason}
        await append(None, said.scope if said else None, "rollup.sealed", f"bureau:{code}", told, now)
    return True


# ---------------------------------------------------------------- what is shown before
async def current(
    bureau_id: int, period: Period, data: Path | None, now: datetime, *, test_clock: bool = False
) -> RollupDocument:
    """The newest sealed version; before there is one, a draft as things stand. Conflict (`quarter-open`) before the
    close: nothing has been returned yet.
    """
    last = next(iter(await rollup_queries.made(bureau_id, period)), None)
    if last is not None:
        return last.document
    if now < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    found = await rollup_queries.gather(bureau_id, period, data)
    return await asyncio.to_thread(compile_rollup, found, Making(now, draft=True, test_clock=test_clock))


async def bureau_id(code: str) -> int:
    """A bureau's id by its code. Raises NotFound."""
    rows = await fetch_tuples(None, "select id from bureau where code = $1", [code])
    if not rows:
        raise NotFound
    return int(rows[0][0])

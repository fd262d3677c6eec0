"""Writing entries: each action is one transaction that writes the row, the audit line and the tallies together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem
from safety.ids import new_id
from safety.ledger.declare import EventKind, Field, Ledger, Values
from safety.ledger.owners import found_upon, of_bureau, versions
from safety.ledger.parse import (
    COMPUTED,
    Context,
    FieldError,
    format_plain,
    parse_field,
)
from safety.ledger.permission import (
    can_change,
    check_class,
    check_recorded_as,
    check_reserved,
    event_kind,
    may_add,
    may_record,
)
from safety.ledger.rows import EntryRow, body_digest, shape_of
from safety.ledger.tallies import refresh
from safety.ledger.values import problems_in
from safety.measures import Version, first_alike
from safety.places.facts import school_facts
from safety.submission import checked_key

WHY_LENGTH = 400
ADD_EVENT = (
    "insert into entry_event "
    "(id, ledger, chain, school, kind, value, happened_at, recorded_at, recorded_by, submission_key) "
    "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
    "on conflict (school, ledger, submission_key) do nothing returning id"
)
EVENT_BY_KEY = (
    "select id, chain, kind, value, happened_at from entry_event "
    "where school = $1 and ledger = $2 and submission_key = $3"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a write: the entry's (or event's) id, and whether this very call made it."""

    id: UUID
    created: bool


# ---------------------------------------------------------------- recording
async def record(
    ledger: Ledger,
    scope: Scope,
    school_id: int,
    values: Values,
    submission_key: str,
    now: datetime,
    *,
    recorded_at: datetime | None = None,
    on_behalf_of: int | None = None,
    context: Context | None = None,
) -> Recorded:
    """Write down what happened. The same key and body is the same entry.

    `values` are by field name and typed. Only an administrator may state `recorded_at`. `context` saves reading the
    school again. Raises BadInput, NotAllowed, NotFound, or Conflict for a known key with another body.
    """
    may_record(ledger, scope, school_id)
    at = _recorded_at(scope, recorded_at, now)
    known = context if context is not None else Context(await school_facts(school_id), at)
    values = _complete(ledger, values)
    _check(ledger, scope, school_id, values, known)
    key = checked_key(submission_key)
    digest = body_digest(ledger, values, on_behalf_of=on_behalf_of)
    entry = _Draft(ledger, school_id, values, key, digest, at, on_behalf_of)
    async with transaction():
        await _check_person(school_id, on_behalf_of)
        added = await entry.add(scope, timed_on=known.recorded_on)
        if not added.created:
            return added
        facts = {"digest": digest, "happened_on": values["happened_on"]}
        facts |= {"recorded_at": at} if at != now else {}
        facts |= {"on_behalf_of": on_behalf_of} if on_behalf_of else {}
        await append(school_id, scope, "entry.record", subject(ledger, added.id), facts, now)
        await refresh(ledger, school_id, {values["happened_on"]}, now)
    return added


async def correct(
    ledger: Ledger,
    scope: Scope,
    school_id: int,
    entry_id: UUID,
    values: Values,
    why: str,
    submission_key: str,
    now: datetime,
    *,
    on_behalf_of: int | None = None,
    context: Context | None = None,
) -> Recorded:
    """Put a new version in an entry's place, with the reason. The old one stays, marked as superseded.

    Raises as `record` does; Conflict also when the entry was corrected or voided meanwhile.
    """
    may_record(ledger, scope, school_id)
    known = context if context is not None else Context(await school_facts(school_id), now)
    values, why = _complete(ledger, values), _why(why)
    key = checked_key(submission_key)
    digest = body_digest(ledger, values, supersedes=entry_id, on_behalf_of=on_behalf_of)
    async with transaction():
        old = await _locked(ledger, school_id, entry_id)
        repeat = await _same_submission(ledger, school_id, key, digest)
        if repeat is not None:
            return repeat
        await _check_owner(ledger, scope, old)
        _check_stands(old)
        _check(ledger, scope, school_id, values, known, old)
        changed = _changes(ledger, old.values, values)
        if not changed:
            raise BadInput.one(None, "nothing-changed")
        if on_behalf_of != old.on_behalf_of:  # who has left since may stay named
            await _check_person(school_id, on_behalf_of)
        timed_on = await _timed_on(ledger, old, values, known.recorded_on)
        entry = _Draft(ledger, school_id, values, key, digest, now, on_behalf_of, why, old.id)
        added = await entry.add(scope, timed_on)
        await _mark(shape_of(ledger).supersede, [school_id, old.id, added.id, now])
        facts = {"digest": digest, "supersedes": old.id, "changed": changed, "why": why}
        await append(school_id, scope, "entry.correct", subject(ledger, added.id), facts, now)
        await refresh(ledger, school_id, {old.happened_on, values["happened_on"]}, now)
    return added


async def void(ledger: Ledger, scope: Scope, school_id: int, entry_id: UUID, why: str, now: datetime) -> None:
    """Declare an entry void, with the reason; it stays readable. Raises Conflict if it no longer stands."""
    may_record(ledger, scope, school_id)
    why = _why(why)
    async with transaction():
        old = await _locked(ledger, school_id, entry_id)
        await _check_owner(ledger, scope, old)
        _check_stands(old)
        check_class(ledger, scope, school_id, old.values)
        await _mark(shape_of(ledger).void, [school_id, entry_id, now, scope.account_id, why])
        await append(school_id, scope, "entry.void", subject(ledger, entry_id), {"why": why}, now)
        await refresh(ledger, school_id, {old.happened_on}, now)


async def add_event(
    ledger: Ledger,
    scope: Scope,
    school_id: int,
    entry_id: UUID,
    kind: str,
    value: str,
    happened_at: datetime,
    submission_key: str,
    now: datetime,
    *,
    recorded_at: datetime | None = None,
) -> Recorded:
    """Add a later fact to an entry: it belongs to the whole chain and never moves the entry's time.

    `value` is the text of the kind's own field, empty where it has none. Raises NotFound for a kind that the ledger
    does not know, otherwise as `record` does.
    """
    event = event_kind(ledger, kind)
    may_add(event, scope, school_id)
    at = _recorded_at(scope, recorded_at, now)
    key = checked_key(submission_key)
    async with transaction():
        entry = await _locked(ledger, school_id, entry_id)
        _check_stands(entry)
        text = _event_value(event, value, happened_at, entry, Context(await school_facts(school_id), at))
        chain = (await versions(ledger, entry))[0].id
        said = (chain, kind, text, happened_at)
        args = [new_id(), ledger.name, chain, school_id, kind, text, happened_at, at, scope.account_id, key]
        added = await fetch_tuples(None, ADD_EVENT, args)
        if not added:
            rows = await fetch_tuples(None, EVENT_BY_KEY, [school_id, ledger.name, key])
            if tuple(rows[0][1:]) != said:
                raise Conflict("same-key-other-body")
            return Recorded(rows[0][0], False)
        facts = {"kind": kind, "value": text, "happened_at": happened_at}
        await append(school_id, scope, "entry.event", subject(ledger, entry_id), facts, now)
        await refresh(ledger, school_id, {entry.happened_on}, now)
    return Recorded(added[0][0], True)


# ---------------------------------------------------------------- what may be written
def _recorded_at(scope: Scope, given: datetime | None, now: datetime) -> datetime:
    if given is None or given == now:
        return now
    if not scope.admin:
        raise NotAllowed
    if given > now:
        raise BadInput.one("recorded_at", "recorded-in-future")
    return given


def _complete(ledger: Ledger, values: Values) -> dict[str, Any]:
    """The values with `happened_on` among them, taken from the ledger's instant where it has one."""
    found = dict(values)
    for item in ledger.fields:
        # What nobody but others may state begins as its initial value.
        if item.by is not None and found.get(item.name) is None and item.initial not in COMPUTED:
            found[item.name] = item.initial
    at = found.get(ledger.happened) if ledger.happened else None
    if at is not None:
        found["happened_on"] = local_day(at)
    return found


def _check(
    ledger: Ledger,
    scope: Scope,
    school_id: int,
    values: Values,
    context: Context,
    old: EntryRow | None = None,
) -> None:
    problems = problems_in(ledger, values, context)
    if problems:
        raise BadInput(problems)
    check_class(ledger, scope, school_id, values)
    if old is not None:
        check_class(ledger, scope, school_id, old.values)
    check_reserved(ledger, scope, school_id, values, old.values if old else None)
    check_recorded_as(ledger, scope, school_id, values)


async def _check_owner(ledger: Ledger, scope: Scope, old: EntryRow) -> None:
    if not can_change(ledger, scope, old.school, bureaus=await of_bureau(ledger, old)):
        raise NotAllowed
    if not scope.admin and await found_upon(ledger, old):
        raise NotAllowed("entry-found-upon")


async def _check_person(school_id: int, account_id: int | None) -> None:
    if account_id is None:
        return
    sql = "select 1 from role_grant where school = $1 and account = $2 limit 1"
    if not await fetch_tuples(None, sql, [school_id, account_id]):
        raise BadInput.one("on_behalf_of", "person-unknown", text=account_id)


def _why(text: str) -> str:
    why = " ".join(text.split())
    if not why:
        raise BadInput.one("why", "why-missing")
    if len(why) > WHY_LENGTH:
        raise BadInput.one("why", "text-long", maximum=WHY_LENGTH, length=len(why))
    if not why.replace("\u3000", " ").isprintable():
        raise BadInput.one("why", "text-control", character="?")
    return why


def _event_value(
    event: EventKind, value: str, happened_at: datetime, entry: EntryRow, context: Context
) -> str:
    problems = []
    if happened_at > context.recorded_at:
        problems.append(Problem("happened_at", "event-in-future"))
    elif local_day(happened_at) < entry.happened_on:
        problems.append(Problem("happened_at", "event-before-entry", {"day": entry.happened_on.isoformat()}))
    text = ""
    if event.value is not None:
        try:
            text = format_plain(event.value, _bounded(event.value, value, context))
        except FieldError as error:
            problems.append(Problem("value", error.code, error.values))
    if problems:
        raise BadInput(problems)
    return text


def _bounded(item: Field, text: str, context: Context) -> Any:
    value = parse_field(item, text, context)
    if isinstance(value, int):
        if item.minimum is not None and value < item.minimum:
            raise FieldError("too-small", minimum=item.minimum)
        if item.maximum is not None and value > item.maximum:
            raise FieldError("too-large", maximum=item.maximum)
    return value


# ---------------------------------------------------------------- the rows
@dataclass(frozen=True, slots=True)
class _Draft:
    """A version about to be written."""

    ledger: Ledger
    school: int
    values: Values
    key: str
    digest: str
    recorded_at: datetime
    on_behalf_of: int | None = None
    why: str | None = None
    supersedes: UUID | None = None

    async def add(self, scope: Scope, timed_on: date) -> Recorded:
        """Insert it; of many at once with one key, the index lets one through and the others find it."""
        shape = shape_of(self.ledger)
        meta = [
            new_id(), self.school, self.values["happened_on"], timed_on, self.recorded_at, scope.account_id,
            self.on_behalf_of, self.key, self.digest, self.why, self.supersedes,
        ]  # fmt: skip
        rows = await fetch_tuples(None, shape.insert, [*meta, *shape.own_values(self.values)])
        if rows:
            return Recorded(rows[0][0], True)
        known = await _same_submission(self.ledger, self.school, self.key, self.digest)
        if known is None:
            raise Conflict
        return known


async def _same_submission(ledger: Ledger, school_id: int, key: str, digest: str) -> Recorded | None:
    rows = await fetch_tuples(None, shape_of(ledger).by_key, [school_id, key])
    if not rows:
        return None
    if rows[0][1] != digest:
        raise Conflict("same-key-other-body")
    return Recorded(rows[0][0], False)


async def _locked(ledger: Ledger, school_id: int, entry_id: UUID) -> EntryRow:
    shape = shape_of(ledger)
    rows = await fetch_tuples(None, f"{shape.by_id} for update", [school_id, entry_id])
    if not rows:
        raise NotFound
    return shape.read(rows[0])


def _check_stands(entry: EntryRow) -> None:
    if entry.voided_at is not None:
        raise Conflict("entry-voided")
    if entry.superseded_by is not None:
        raise Conflict("entry-superseded")


async def _mark(sql: str, args: list[Any]) -> None:
    if not await fetch_tuples(None, sql, args):
        raise Conflict


async def _timed_on(ledger: Ledger, old: EntryRow, values: Values, own: date) -> date:
    """The day of recording of the first version that stood for the same occurrence: a mended typo is never late."""
    occurrence = ledger.natural(values)
    before = [
        Version(
            row.happened_on,
            None,
            local_day(row.recorded_at),
            None,
            valid=ledger.natural(row.values) == occurrence,
        )
        for row in await versions(ledger, old)
    ]
    found = first_alike(before, lambda version: version.valid, own, Period.of(values["happened_on"]).end)
    return found.recorded_on if found else own


def _changes(ledger: Ledger, old: Values, new: Values) -> Mapping[str, list[str]]:
    """Field → [before, after], as canonical text."""
    pairs = {
        item.name: [format_plain(item, old.get(item.name)), format_plain(item, new.get(item.name))]
        for item in ledger.every_field
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def subject(ledger: Ledger, entry_id: UUID) -> str:
    """How the trail names an entry."""
    return f"{ledger.name}/{entry_id}"

"""Taking in later facts: each belongs to the whole chain of versions of the entry that it names."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from safety.bundles.reading import Sheet
from safety.bundles.work import CHUNK, Raw, Work, places
from safety.clock import local_day
from safety.database import execute_many, fetch_tuples
from safety.errors import Problem
from safety.ids import new_id
from safety.ledger.declare import EventKind, Field, Kind, Ledger, Registry
from safety.ledger.parse import Context, FieldError, format_plain, parse_field
from safety.ledger.rows import shape_of
from safety.submission import KEY
from safety.text import Text

ADD = """insert into entry_event
(id, ledger, chain, school, kind, value, happened_at, recorded_at, recorded_by, submission_key)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"""
KNOWN = "select school, ledger, submission_key, chain, kind, value, happened_at from entry_event"
TIMES = {
    name: Field(name, Kind.INSTANT, Text(name, name), required=name == "happened_at", past=False)
    for name in ("happened_at", "recorded_at")
}


@dataclass(frozen=True, slots=True)
class _Entry:
    """What an event has to know of the entry that it belongs to."""

    ledger: Ledger
    school: int
    day: date
    recorded_at: datetime
    supersedes: UUID | None
    superseded_by: UUID | None

    @property
    def neighbours(self) -> set[UUID]:
        return {id_ for id_ in (self.supersedes, self.superseded_by) if id_ is not None}


class Events:
    """The file of later facts on its way in."""

    def __init__(self, work: Work, sheet: Sheet, registry: Registry, logins: dict[str, int]) -> None:
        self.work, self.sheet, self.registry, self.logins = work, sheet, registry, logins
        self.entries: dict[UUID, _Entry] = {}
        self.rows: list[list[Any]] = []

    async def take(self) -> None:
        """Read every row, leave out what is known, write. Problems are noted in the work."""
        before = len(self.work.problems)
        named = [self._uuid(number, raw, "entry") for number, raw in self.sheet.rows]
        await self._find({id_ for id_ in named if id_ is not None})
        seen: dict[tuple[Any, ...], int] = {}
        for (number, raw), id_ in zip(self.sheet.rows, named, strict=True):
            row = self._row(number, raw, id_) if id_ is not None else None
            if row is None:
                continue
            first = seen.setdefault((row[3], row[1], row[9]), number)
            if first != number:
                self.work.wrong(self.sheet, number, None, "row-twice", first=first)
            self.rows.append([*row, number])
        if len(self.work.problems) == before:
            await self._write()

    # ---- the entries
    async def _find(self, wanted: set[UUID]) -> None:
        """The named entries and all other versions of them, wherever they are."""
        while wanted:
            found: set[UUID] = set()
            for ledger in self.registry:
                if ledger.events:
                    found |= await self._find_in(ledger, sorted(wanted))
            wanted = {id_ for e in self.entries.values() for id_ in e.neighbours} - self.entries.keys()
            if not found:
                return

    async def _find_in(self, ledger: Ledger, wanted: Sequence[UUID]) -> set[UUID]:
        found: set[UUID] = set()
        for start in range(0, len(wanted), CHUNK):
            part = wanted[start : start + CHUNK]
            sql = (
                f"select id, school, happened_on, recorded_at, supersedes, superseded_by "  # noqa: S608
                f"from {shape_of(ledger).table} where id in ({places(len(part))})"
            )
            for id_, *rest in await fetch_tuples(None, sql, part):
                self.entries[id_] = _Entry(ledger, *rest)
                found.add(id_)
        return found

    def _first(self, id_: UUID) -> UUID:
        while (before := self.entries[id_].supersedes) is not None:
            id_ = before
        return id_

    # ---- one row
    def _row(self, number: int, raw: Raw, id_: UUID) -> list[Any] | None:
        entry = self.entries.get(id_)
        kind = raw.get("kind", "").strip()
        if entry is None:
            self.work.wrong(self.sheet, number, "entry", "entry-unknown", id=str(id_))
            return None
        event = next((found for found in entry.ledger.events if found.kind == kind), None)
        if event is None:
            allowed = ", ".join(found.kind for found in entry.ledger.events)
            self.work.wrong(self.sheet, number, "kind", "choice-unknown", text=kind, allowed=allowed)
            return None
        problems: list[Problem] = []
        happened, recorded = (self._time(name, raw, problems) for name in TIMES)
        recorded = recorded or self.work.now
        value = self._value(event, raw, problems)
        first = self.entries[self._first(id_)]
        problems += _times_problems(entry, first.recorded_at, happened, recorded, self.work.now)
        recorded_by = self._recorded_by(raw, problems)
        key = raw.get("submission_key", "").strip()
        if key and not KEY.fullmatch(key):
            problems.append(Problem("submission_key", "key-form"))
        own = self._uuid(number, raw, "id") if raw.get("id", "").strip() else None
        self.work.all_wrong(self.sheet, number, problems)
        if problems or happened is None:
            return None
        said = [entry.ledger.name, self._first(id_), entry.school, kind, value, happened]
        key = key or (
            f"id:{own}" if own else _key(said, recorded if raw.get("recorded_at", "").strip() else None)
        )
        return [own or new_id(), *said, recorded, recorded_by, key]

    def _time(self, name: str, raw: Raw, problems: list[Problem]) -> datetime | None:
        try:
            at: datetime | None = parse_field(TIMES[name], raw.get(name, ""), self._context)
        except FieldError as error:
            problems.append(Problem(name, error.code, error.values))
            return None
        return at

    @property
    def _context(self) -> Context:
        # No field of an event names a class or a person.
        return Context(None, self.work.now)  # type: ignore[arg-type]

    def _value(self, event: EventKind, raw: Raw, problems: list[Problem]) -> str:
        text = raw.get("value", "").strip()
        if event.value is None:
            if text:
                problems.append(Problem("value", "value-unwanted"))
            return ""
        try:
            value = parse_field(event.value, text, self._context)
        except FieldError as error:
            problems.append(Problem("value", error.code, error.values))
            return ""
        if isinstance(value, int) and event.value.maximum is not None and value > event.value.maximum:
            problems.append(Problem("value", "too-large", {"maximum": event.value.maximum}))
        if isinstance(value, int) and event.value.minimum is not None and value < event.value.minimum:
            problems.append(Problem("value", "too-small", {"minimum": event.value.minimum}))
        return format_plain(event.value, value)

    def _recorded_by(self, raw: Raw, problems: list[Problem]) -> int | None:
        login = raw.get("recorded_by", "").strip().lower()
        if login and login not in self.logins:
            problems.append(Problem("recorded_by", "account-unknown", {"text": login}))
        return self.logins.get(login)

    def _uuid(self, number: int, raw: Raw, column: str) -> UUID | None:
        try:
            return UUID(raw.get(column, "").strip())
        except ValueError:
            self.work.wrong(self.sheet, number, column, "id-form", text=raw.get(column, "")[:40])
            return None

    # ---- writing
    async def _known(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """What is stored of these entries already, by school, ledger and key."""
        chains = sorted({row[2] for row in self.rows})
        found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for start in range(0, len(chains), CHUNK):
            part = chains[start : start + CHUNK]
            rows = await fetch_tuples(None, f"{KNOWN} where chain in ({places(len(part))})", part)
            found.update({tuple(row[:3]): tuple(row[3:]) for row in rows})
        return found

    async def _write(self) -> None:
        known = await self._known()
        fresh = []
        days: dict[UUID, set[date]] = defaultdict(set)
        for id_, entry in self.entries.items():
            days[self._first(id_)].add(entry.day)
        for row in self.rows:
            id_, ledger, chain, school, kind, value, happened, *_, key, number = row
            if (school, ledger, key) in known:
                if known[school, ledger, key] == (chain, kind, value, happened):
                    self.work.same(self.sheet.name)
                else:
                    self.work.wrong(self.sheet, number, None, "entry-differs")
                continue
            fresh.append(row[:-1])
            self.work.touched[school] |= days[chain]
            self.work.tell(self.sheet.name, school, [id_, *row[1:-1]])
        await execute_many(None, ADD, fresh)


def _times_problems(
    entry: _Entry, written: datetime, happened: datetime | None, recorded: datetime, now: datetime
) -> list[Problem]:
    """`written` is when the first version of the entry was recorded."""
    if recorded > now:
        return [Problem("recorded_at", "recorded-in-future")]
    if recorded < written:
        return [Problem("recorded_at", "event-before-recorded")]
    if happened is None:
        return []
    if happened > recorded:
        return [Problem("happened_at", "event-in-future")]
    if local_day(happened) < entry.day:
        return [Problem("happened_at", "event-before-entry", {"day": entry.day.isoformat()})]
    return []


def _key(said: Sequence[Any], recorded: datetime | None) -> str:
    """A row without an id is known by its content; the entry's id in it tells installations apart."""
    text = json.dumps([*map(str, (said[0], said[1], *said[3:])), str(recorded or "")], ensure_ascii=False)
    return f"row:{hashlib.sha256(text.encode()).hexdigest()}"

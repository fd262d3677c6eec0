"""Taking in ledger entries: thousands of rows at a time, checked as a form's are, written without row objects."""

import asyncio
import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from safety.bundles.chains import Draft, link, time
from safety.bundles.files import OWN, STATE
from safety.bundles.reading import Sheet
from safety.bundles.work import CHUNK, Raw, Work, places, recorded_then
from safety.clock import local_day
from safety.database import execute_many, fetch_tuples
from safety.errors import Problem
from safety.ids import new_id
from safety.ledger.actions import WHY_LENGTH
from safety.ledger.declare import GRID_ZONE, Field, Kind, Ledger, Values
from safety.ledger.parse import Context, FieldError, format_field, parse_field
from safety.ledger.permission import can_write, own_classes
from safety.ledger.rows import META, EntryRow, body_digest, shape_of
from safety.ledger.values import parse_values
from safety.submission import KEY
from safety.text import Text

RESERVED = ("recorded_at", *STATE, *OWN)
BREATH = 500
"""After so many rows other work of this process gets its turn."""


def _instant(name: str) -> Field:
    return Field(name, Kind.INSTANT, Text(name, name), required=False, past=False)


INSTANTS = {name: _instant(name) for name in ("recorded_at", "voided_at")}
REASONS = {
    name: Field(name, Kind.TEXT, Text(name, name), False, maximum=WHY_LENGTH) for name in ("why", "void_why")
}


class Entries:
    """One ledger's file on its way in."""

    def __init__(self, work: Work, sheet: Sheet, ledger: Ledger, logins: dict[str, int]) -> None:
        self.work, self.sheet, self.ledger, self.logins = work, sheet, ledger, logins
        self.drafts: list[Draft] = []
        self._rows_by_key: dict[tuple[int, str], int] = {}
        self._rows_by_id: dict[UUID, int] = {}
        self._then: dict[tuple[int, datetime], Context] = {}
        self._voidings: list[Draft] = []
        self._nobody = "recorded_by" in sheet.columns
        self._readers = {name: read for name, read in self._all_readers().items() if name in sheet.columns}

    async def take(self) -> None:
        """Read every row, leave out what is known, link versions, write. Problems are noted in the work."""
        before = len(self.work.problems)
        await self._read()
        if len(self.work.problems) > before:
            return
        fresh = await self._unknown()
        if len(self.work.problems) > before:
            return
        old = await self._stored({d.supersedes for d in fresh if d.supersedes} - {d.id for d in fresh})
        for draft, problem in link(fresh, old):
            self.work.wrong(self.sheet, draft.row, problem.field, problem.code, **problem.values)
        if len(self.work.problems) > before:
            return
        time(self.ledger, fresh, old)
        await self._write(fresh, old)

    # ---- reading
    async def _read(self) -> None:
        rows = self.sheet.rows
        for done, (number, raw) in enumerate(rows):
            if done % BREATH == 0:
                self.work.progress(self.ledger.name, done, len(rows))
                await asyncio.sleep(0)
            draft = await self._draft(number, raw)
            if draft is not None:
                self._note_twice(draft)
                self.drafts.append(draft)

    async def _draft(self, row: int, raw: Raw) -> Draft | None:
        work, ledger = self.work, self.ledger
        problems: list[Problem] = []
        said = self._state(raw, problems)
        school = work.school(self.sheet, row, raw.get("school", "").strip())
        if school is None:
            work.all_wrong(self.sheet, row, [*problems, *self._ill_formed(raw)])
            return None
        at = said["recorded_at"] or work.now
        context = self._context(await work.context(school), school, at)
        values, wrong = parse_values(ledger, raw, context)
        problems += self._allowed(school, values, wrong, raw)
        problems += [self._shown(found, raw, values, at) for found in wrong if not self._excused(found, raw)]
        if problems or wrong:
            work.all_wrong(self.sheet, row, problems)
            return None
        return self._made(row, school, values, said, raw, context)

    def _ill_formed(self, raw: Raw) -> Iterable[Problem]:
        """The cells of a row that are wrong at whatever school."""
        nowhere = Context(None, self.work.now)  # type: ignore[arg-type]
        for item in self.ledger.fields:
            if item.kind not in {Kind.SCHOOL_CLASS, Kind.PERSON} and (raw.get(item.name) or not item.by):
                try:
                    parse_field(item, raw.get(item.name) or "", nowhere)
                except FieldError as error:
                    yield Problem(item.name, error.code, error.values)

    def _context(self, now: Context, school: int, at: datetime) -> Context:
        if at == self.work.now:
            return now
        if (school, at) not in self._then:
            self._then[school, at] = recorded_then(now, at)
        return self._then[school, at]

    def _state(self, raw: Raw, problems: list[Problem]) -> dict[str, Any]:
        """What only an administrator's import may state: times of recording, versions, voidings, names."""
        said: dict[str, Any] = dict.fromkeys(RESERVED)
        for name, read in self._readers.items():
            text = raw[name].strip()
            try:
                if text and not self.work.may_all:
                    raise FieldError("administrators-only")
                said[name] = read(name, text) if text else None
            except FieldError as error:
                problems.append(Problem(name, error.code, error.values))
        at, voided_at = said["recorded_at"] or self.work.now, said["voided_at"]
        if voided_at is not None and voided_at < at:
            problems.append(Problem("voided_at", "voided-before-recorded"))
        return said

    def _all_readers(self) -> dict[str, Callable[[str, str], Any]]:
        return {
            **dict.fromkeys(INSTANTS, self._time),
            **dict.fromkeys(REASONS, _reason),
            **dict.fromkeys(("id", "supersedes"), _uuid),
            **dict.fromkeys(("recorded_by", "on_behalf_of", "voided_by"), self._login),
            "submission_key": _key,
        }

    def _time(self, name: str, text: str) -> datetime:
        at: datetime = parse_field(INSTANTS[name], text, Context(None, self.work.now))  # type: ignore[arg-type]
        if at > self.work.now:
            raise FieldError("recorded-in-future")
        return at

    def _login(self, name: str, text: str) -> int:
        del name
        found = self.logins.get(text.lower())
        if found is None:
            raise FieldError("account-unknown", text=text)
        return found

    def _allowed(self, school: int, values: Values, wrong: Sequence[Problem], raw: Raw) -> list[Problem]:
        """What this person may not write, though the rows are in order."""
        actor = self.work.actor
        if actor is None or actor.admin:
            return []
        if not can_write(self.ledger, actor, school):
            return [Problem("school", "school-not-yours", {"school": raw["school"].strip()})]
        problems = []
        own = own_classes(self.ledger, actor, school)
        for item in self.ledger.fields:
            if (
                own is not None
                and item.kind is Kind.SCHOOL_CLASS
                and values.get(item.name) not in own
                and not wrong
            ):
                problems.append(Problem(item.name, "class-not-yours"))
            reserved = item.by is not None and not actor.may(school, *item.by)
            if reserved and raw.get(item.name, "").strip() not in {"", item.initial}:
                problems.append(Problem(item.name, "field-reserved", {"initial": item.initial}))
        return problems

    def _excused(self, found: Problem, raw: Raw) -> bool:
        """Whether it is only missing because the row that makes it is wrong itself."""
        spoiled, text = self.work.spoiled, raw.get(found.field or "", "").strip()
        if not self.work.problems:
            return False
        if found.code == "class-unknown":
            return ("class", raw.get("school", "").strip(), text) in spoiled
        if found.code == "zone-unknown":
            return ("zone", raw.get("school", "").strip(), text.rpartition("/")[2]) in spoiled
        return (
            found.code == "person-unknown"
            and ("login", text.lower()) in spoiled
            and text.lower() not in self.logins
        )

    def _shown(self, found: Problem, raw: Raw, values: Values, at: datetime) -> Problem:
        """An entry stated to be recorded before its day is wrong in its time of recording."""
        place = {"happened_on", self.ledger.happened}
        day = values.get("happened_on")
        stated = (
            found.code == "after-recording" and found.field in place and raw.get("recorded_at", "").strip()
        )
        if stated and (day is None or day > local_day(at)):
            return Problem("recorded_at", "recorded-before-happened")
        return found

    def _made(
        self, row: int, school: int, values: Values, said: dict[str, Any], raw: Raw, context: Context
    ) -> Draft:
        key = said["submission_key"] or (
            f"id:{said['id']}" if said["id"] else self._row_key(values, said, raw, context)
        )
        actor = self.work.actor
        return Draft(
            row=row,
            id=said["id"] or new_id(),
            school=school,
            values=values,
            recorded_at=context.recorded_at,
            key=key,
            digest=body_digest(
                self.ledger, values, supersedes=said["supersedes"], on_behalf_of=said["on_behalf_of"]
            ),
            supersedes=said["supersedes"],
            voided_at=said["voided_at"],
            why=said["why"],
            recorded_by=said["recorded_by"] if self._nobody or actor is None else actor.account_id,
            on_behalf_of=said["on_behalf_of"],
            void_why=said["void_why"],
            voided_by=said["voided_by"],
            stated=said["id"] is not None,
        )

    def _row_key(self, values: Values, said: dict[str, Any], raw: Raw, context: Context) -> str:
        """A row without an id is known by its content, the same on every installation."""
        texts = [format_field(item, values.get(item.name), context) for item in self.ledger.fields]
        at = said["recorded_at"]
        texts += [raw["school"].strip(), at.isoformat() if at else "", str(said["supersedes"] or "")]
        zone = format_field(GRID_ZONE, values.get(GRID_ZONE.name), context)
        texts += [zone] if zone else []
        text = json.dumps([self.ledger.name, *texts], ensure_ascii=False, separators=(",", ":"))
        return f"row:{hashlib.sha256(text.encode()).hexdigest()}"

    def _note_twice(self, draft: Draft) -> None:
        first = self._rows_by_key.setdefault((draft.school, draft.key), draft.row)
        if first != draft.row:
            self.work.wrong(self.sheet, draft.row, None, "row-twice", first=first)
            return
        first = self._rows_by_id.setdefault(draft.id, draft.row)
        if first != draft.row:
            self.work.wrong(self.sheet, draft.row, "id", "row-twice", first=first)

    # ---- what is there already
    async def _unknown(self) -> list[Draft]:
        """The drafts that are not stored yet. A stored one with another content is noted."""
        table = shape_of(self.ledger).table
        by_school: dict[int, list[Draft]] = defaultdict(list)
        for draft in self.drafts:
            by_school[draft.school].append(draft)
        fresh: list[Draft] = []
        for school, drafts in by_school.items():
            known: dict[str, tuple[Any, ...]] = {}
            for part in _parts([draft.key for draft in drafts]):
                sql = (
                    f"select submission_key, body_digest, id, recorded_at, voided_at from {table} "  # noqa: S608
                    f"where school = $1 and submission_key in ({places(len(part), 2)})"
                )
                known.update(
                    {key: tuple(rest) for key, *rest in await fetch_tuples(None, sql, [school, *part])}
                )
            for draft in drafts:
                if draft.key in known:
                    self._compare(draft, *known[draft.key])
                else:
                    fresh.append(draft)
        await self._refuse_ids(table, fresh)
        return sorted(fresh, key=lambda draft: draft.row)

    def _compare(
        self, draft: Draft, digest: str, id_: UUID, at: datetime, voided_at: datetime | None
    ) -> None:
        if digest != draft.digest or (draft.stated and (id_, at) != (draft.id, draft.recorded_at)):
            self.work.wrong(self.sheet, draft.row, "id" if draft.stated else None, "entry-differs")
        elif draft.stated and draft.voided_at is not None and voided_at is None:
            self._voidings.append(draft)
        else:
            self.work.same(self.ledger.name)

    async def _refuse_ids(self, table: str, drafts: Sequence[Draft]) -> None:
        stated = {draft.id: draft for draft in drafts if draft.stated}
        for part in _parts(list(stated)):
            sql = f"select id from {table} where id in ({places(len(part))})"  # noqa: S608
            for (id_,) in await fetch_tuples(None, sql, part):
                self.work.wrong(self.sheet, stated[id_].row, "id", "entry-differs")

    async def _stored(self, wanted: set[UUID]) -> dict[UUID, Draft]:
        """Stored versions that rows replace, with the versions before them."""
        shape, found = shape_of(self.ledger), dict[UUID, Draft]()
        while wanted:
            part = list(wanted)[:CHUNK]
            sql = f"select {shape.columns} from {shape.table} e where e.id in ({places(len(part))})"  # noqa: S608
            rows = [_stored_draft(shape.read(row)) for row in await fetch_tuples(None, sql, part)]
            found.update({draft.id: draft for draft in rows})
            wanted = (wanted - set(part)) | {d.supersedes for d in rows if d.supersedes} - found.keys()
        return found

    # ---- writing
    async def _write(self, drafts: Sequence[Draft], old: dict[UUID, Draft]) -> None:
        shape = shape_of(self.ledger)
        names = (*META, *shape.own)
        sql = f"insert into {shape.table} ({', '.join(names)}) values ({places(len(names))})"  # noqa: S608
        for start in range(0, len(drafts), CHUNK):
            part = drafts[start : start + CHUNK]
            await execute_many(None, sql, [[*_meta(d), *shape.own_values(d.values)] for d in part])
        for draft in old.values():
            if draft.superseded_by is not None and draft.superseded_by in self._rows_by_id:
                args = [draft.school, draft.id, draft.superseded_by, draft.superseded_at]
                await fetch_tuples(None, shape.supersede, args)
                self.work.touched[draft.school].add(draft.day)
        await self._void()
        for draft in drafts:
            self.work.touched[draft.school].add(draft.day)
            said = [draft.id, draft.key, draft.digest, draft.recorded_at, draft.voided_at]
            self.work.tell(self.ledger.name, draft.school, said)

    async def _void(self) -> None:
        """Entries that were known and are void by now."""
        for draft in self._voidings:
            args = [draft.school, draft.id, draft.voided_at, draft.voided_by, draft.void_why]
            if not await fetch_tuples(None, shape_of(self.ledger).void, args):
                self.work.wrong(self.sheet, draft.row, "voided_at", "entry-superseded")
                continue
            self.work.touched[draft.school].add(draft.day)
            self.work.tell(self.ledger.name, draft.school, [draft.id, draft.voided_at], new=False)


def _meta(draft: Draft) -> list[Any]:
    """In the order of META."""
    return [
        draft.id, draft.school, draft.day, draft.timed_on, draft.recorded_at, draft.recorded_by,
        draft.on_behalf_of, draft.key, draft.digest, draft.why, draft.supersedes, draft.superseded_by,
        draft.superseded_at, draft.voided_at, draft.voided_by, draft.void_why,
    ]  # fmt: skip


def _stored_draft(row: EntryRow) -> Draft:
    return Draft(
        row=0,
        id=row.id,
        school=row.school,
        values=row.values,
        recorded_at=row.recorded_at,
        supersedes=row.supersedes,
        voided_at=row.voided_at,
        superseded_by=row.superseded_by,
        superseded_at=row.superseded_at,
    )


def _parts(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (values[start : start + CHUNK] for start in range(0, len(values), CHUNK))


def _uuid(name: str, text: str) -> UUID:
    del name
    try:
        return UUID(text)
    except ValueError as error:
        raise FieldError("id-form", text=text[:40]) from error


def _key(name: str, text: str) -> str:
    del name
    if not KEY.fullmatch(text):
        raise FieldError("key-form")
    return text


def _reason(name: str, text: str) -> str:
    found: str = parse_field(REASONS[name], text, Context(None, datetime.min))  # type: ignore[arg-type]  # noqa: DTZ901
    return found

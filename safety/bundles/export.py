"""Writing a bundle: what `import` takes in, whole and in one order, so that the same county gives the same bytes.

Canonical form: UTF-8 without mark, lines ended by a line feed, quoted only where needed; columns as in
`safety.bundles.files`, the optional ones only where some row needs them; places by code, classes by school year and
name, people by login, entries by school, time of recording and id; instants in local time with the offset +08:00.
"""

import asyncio
import csv
import io
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from safety import in_use
from safety.bundles.files import EVENTS, ledger_spec, place_spec
from safety.clock import ZONE
from safety.database import fetch_tuples
from safety.errors import BadInput, NotFound
from safety.ledger.declare import Field, Kind, Ledger
from safety.ledger.parse import format_plain
from safety.ledger.rows import EntryRow, shape_of
from safety.places.facts import facts_of

Row = Mapping[str, Any]
PAGE = 5000

BUREAUS = """select b.code, b.name, p.code, b.made_up from bureau b left join bureau p on p.id = b.parent
order by b.code"""
SCHOOLS = """select s.code, s.name, s.name_en, s.stage, s.enrolment, s.has_canteen, s.meals, s.boarding, s.has_bus,
b.code, s.made_up from school s join bureau b on b.id = s.bureau where {s} order by s.code"""
CAMPUSES = (
    "select s.code, x.name from campus x join school s on s.id = x.school where {s} order by s.code, x.id"
)
ZONES = """select s.code, c.name, x.name from zone x join campus c on c.id = x.campus join school s on s.id = x.school
where {s} order by s.code, x.id"""
TERMS = """select s.code, x.name, x.starts, x.ends from term x join school s on s.id = x.school
where {s} order by s.code, x.starts"""
CLOSURES = """select s.code, x.day, x.kind, x.reason from closure x join school s on s.id = x.school
where {s} order by s.code, x.day"""
HEADCOUNTS = """select s.code, c.school_year, c.name, x.pupils, x.recorded_at, x.school_class from headcount x
join school s on s.id = x.school left join school_class c on c.id = x.school_class where {s}
order by s.code, coalesce(c.school_year, ''), coalesce(c.name, ''), x.recorded_at, x.id"""
CLASSES = """select x.id, s.code, x.school_year, x.grade, x.name, x.pupils, x.since, x.until from school_class x
join school s on s.id = x.school where {s} order by s.code, x.school_year, x.name"""
GRANTS = """select a.login, a.name, g.role, s.code, b.code, c.name, c.school_year, g.from_day, g.until_day, a.language,
a.disabled_at, g.school_class from account a left join role_grant g on g.account = a.id
left join school s on s.id = g.school left join bureau b on b.id = g.bureau
left join school_class c on c.id = g.school_class where {s} order by a.login, g.id"""


async def export_bundle(folder: Path, school: str | None = None) -> dict[str, int]:
    """Write everything (or one school's part, with the bureaus above it) into an empty folder; rows by file.

    Raises BadInput if the folder holds anything, NotFound for an unknown school.
    """
    await asyncio.to_thread(_make_empty, folder)
    source = _Source(await _school_ids(school), school)
    written: dict[str, int] = {}
    async for name, columns, rows in source.files():
        if rows:
            await asyncio.to_thread(_write, folder / f"{name}.csv", columns, rows)
            written[name] = len(rows)
    return written


def _make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput.one(str(folder), "folder-not-empty")
    folder.mkdir(parents=True, exist_ok=True)


def _write(file: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    file.write_text(as_csv(columns, rows), encoding="utf-8", newline="")


def as_csv(columns: Sequence[str], rows: Iterable[Row]) -> str:
    """Rows as CSV in canonical form."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_text(row.get(name)) for name in columns] for row in rows)
    return text.getvalue()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return stamp(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def stamp(at: datetime) -> str:
    """An instant in local time with its offset: 2026-09-30T08:05:00+08:00; microseconds where there are some."""
    return at.astimezone(ZONE).isoformat()


def _needed(columns: Sequence[str], optional: Sequence[str], rows: Sequence[Row]) -> list[str]:
    """The columns to write: of the optional ones those that some row needs."""
    used = {name for name in optional if any(row.get(name) not in {None, "", False} for row in rows)}
    return [*columns, *(name for name in optional if name in used)]


async def _school_ids(code: str | None) -> dict[int, str]:
    rows = await fetch_tuples(None, "select id, code from school order by code")
    found = {id_: each for id_, each in rows if code in {None, each}}
    if code is not None and not found:
        raise NotFound("unknown-code", {"code": code})
    return found


class _Source:
    """Reads what a bundle is made of. `only` is the one school's code, if it is one school's bundle."""

    def __init__(self, schools: Mapping[int, str], only: str | None) -> None:
        self.schools, self.only = schools, only
        self.logins: dict[int, str] = {}
        self.classes: dict[int, str] = {}
        self.zones: dict[int, str] = {}
        self.named: set[str] = set()
        self.teachers: dict[int, str] = {}

    async def files(self) -> AsyncIterator[tuple[str, Sequence[str], list[dict[str, Any]]]]:
        """Name, columns and rows of each file, one at a time."""
        self.logins = dict(await fetch_tuples(None, "select id, login from account"))
        self.classes = dict(await fetch_tuples(None, "select id, name from school_class"))
        self.zones = {
            item.id: item.label
            for facts in (await facts_of([*self.schools])).values()
            for item in facts.zones
        }
        async for part in self._ledgers():
            yield part
        # Only now is it known who is named, and from the people who teaches which class.
        people = await self._people()
        for name, rows in (
            ("bureaus", await self._bureaus()),
            ("schools", await self._plain("schools", SCHOOLS)),
            ("campuses", await self._plain("campuses", CAMPUSES)),
            ("zones", await self._plain("zones", ZONES)),
            ("terms", await self._plain("terms", TERMS)),
            ("closures", await self._plain("closures", CLOSURES)),
            ("headcounts", await self._headcounts()),
            ("classes", await self._classes()),
            ("people", people),
        ):
            spec = place_spec(name)
            if name == "classes":
                yield name, (*spec.columns, *spec.optional), rows
            else:
                yield name, _needed(spec.columns, spec.optional, rows), rows

    async def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        if self.only is None:
            return await fetch_tuples(None, sql.replace("{s}", "1 = 1"))
        return await fetch_tuples(None, sql.replace("{s}", "s.code = $1"), [self.only])

    async def _plain(self, name: str, sql: str) -> list[dict[str, Any]]:
        spec = place_spec(name)
        columns = (*spec.columns, *spec.optional)
        return [dict(zip(columns, row, strict=True)) for row in await self._fetch(sql)]

    async def _bureaus(self) -> list[dict[str, Any]]:
        rows = [
            dict(zip(("code", "name", "parent", "made_up"), r, strict=True))
            for r in await fetch_tuples(None, BUREAUS)
        ]
        if self.only is None:
            return rows
        above = {row["code"]: row["parent"] for row in rows}
        at = (await self._fetch(SCHOOLS))[0][9]
        kept = set()
        while at is not None:
            kept.add(at)
            at = above[at]
        return [row for row in rows if row["code"] in kept]

    async def _headcounts(self) -> list[dict[str, Any]]:
        """Only of what changed: a first count is what its school or class says."""
        by_subject: dict[Any, list[dict[str, Any]]] = defaultdict(list)
        names = place_spec("headcounts").columns
        for *row, class_id in await self._fetch(HEADCOUNTS):
            by_subject[row[0], class_id].append(dict(zip(names, row, strict=True)))
        return [row for rows in by_subject.values() if len(rows) > 1 for row in rows]

    async def _classes(self) -> list[dict[str, Any]]:
        spec = place_spec("classes")
        names = (*spec.columns, *spec.optional)
        found = []
        for id_, code, year, grade, name, pupils, since, until in await self._fetch(CLASSES):
            row = (code, year, grade, name, pupils, self.teachers.get(id_), since, until)
            found.append(dict(zip(names, row, strict=True)))
        return found

    # ---- people
    async def _people(self) -> list[dict[str, Any]]:
        """Accounts with their roles. What a class's `teacher` says already is left out where the same person holds
        the role of teacher at the school without a class as well.
        """
        rows = await fetch_tuples(None, GRANTS.replace("{s}", "1 = 1"))
        latest = await self._latest_years()
        general = {
            (login, code) for login, _, role, code, _, label, *_ in rows if role == "teacher" and not label
        }
        found: list[dict[str, Any]] = []
        for (
            login,
            name,
            role,
            code,
            bureau,
            label,
            year,
            since,
            until,
            language,
            disabled_at,
            class_id,
        ) in rows:
            if self.only is not None and code != self.only and not (login in self.named and code is None):
                continue
            if role == "teacher" and class_id is not None and not (since or until):
                first = self.teachers.setdefault(class_id, login)
                if first == login and (login, code) in general:
                    continue
            row = {
                "login": login, "name": name, "role": role, "school": code, "bureau": bureau, "class": label,
                "school_year": None if latest.get((code, label)) == year else year,
                "from": since, "until": until, "language": language, "disabled_at": disabled_at,
            }  # fmt: skip
            if self.only is not None and code is None:
                # In one school's bundle people from elsewhere are named, but bring no role with them.
                row |= {"role": None, "bureau": None}
            if row not in found[-8:]:
                found.append(row)
        return found

    async def _latest_years(self) -> dict[tuple[str, str], str]:
        sql = """select s.code, c.name, max(c.school_year) from school_class c join school s on s.id = c.school
        group by s.code, c.name"""
        return {(code, name): year for code, name, year in await fetch_tuples(None, sql)}

    # ---- ledgers
    async def _ledgers(self) -> AsyncIterator[tuple[str, Sequence[str], list[dict[str, Any]]]]:
        for ledger in in_use.registry():
            spec = ledger_spec(ledger)
            rows = [row async for row in self._entries(ledger)]
            always = ("recorded_at", "id", "supersedes", "voided_at", "why", "recorded_by")
            rest = [name for name in spec.optional if name not in always]
            yield ledger.name, _needed([*spec.columns, *always], rest, rows), rows
        events = await self._events()
        yield EVENTS.name, _needed(EVENTS.columns, EVENTS.optional, events), events

    async def _entries(self, ledger: Ledger) -> AsyncIterator[dict[str, Any]]:
        shape = shape_of(ledger)
        sql = (
            f"select {shape.columns} from {shape.table} e where e.school = $1 "  # noqa: S608
            "order by e.recorded_at, e.id"
        )
        for id_, code in self.schools.items():
            for stored in await fetch_tuples(None, sql, [id_]):
                yield self._entry(ledger, code, shape.read(stored))

    def _entry(self, ledger: Ledger, code: str, row: EntryRow) -> dict[str, Any]:
        said: dict[str, Any] = {"school": code}
        for item in ledger.every_field:
            said[item.name] = self._value(item, row.values.get(item.name))
        said |= {
            "recorded_at": row.recorded_at, "id": row.id, "supersedes": row.supersedes, "voided_at": row.voided_at,
            "why": row.why, "recorded_by": self._login(row.recorded_by), "on_behalf_of": self._login(row.on_behalf_of),
            "void_why": row.void_why, "voided_by": self._login(row.voided_by),
            "submission_key": None if row.submission_key == f"id:{row.id}" else row.submission_key,
        }  # fmt: skip
        return said

    def _value(self, item: Field, value: Any) -> Any:
        if value is None or item.kind is Kind.INSTANT:
            return value
        if item.kind is Kind.SCHOOL_CLASS:
            return self.classes[value]
        if item.kind is Kind.ZONE:
            return self.zones[value]
        return self._login(value) if item.kind is Kind.PERSON else format_plain(item, value)

    def _login(self, id_: int | None) -> str | None:
        if id_ is None:
            return None
        self.named.add(self.logins[id_])
        return self.logins[id_]

    async def _events(self) -> list[dict[str, Any]]:
        sql = """select chain, kind, value, happened_at, recorded_at, id, submission_key, recorded_by, school
        from entry_event order by recorded_at, id"""
        names = (
            "entry",
            "kind",
            "value",
            "happened_at",
            "recorded_at",
            "id",
            "submission_key",
            "recorded_by",
        )
        found = []
        for *row, school in await fetch_tuples(None, sql):
            if school in self.schools:
                said = dict(zip(names, row, strict=True))
                said["recorded_by"] = self._login(said["recorded_by"])
                if said["submission_key"] == f"id:{said['id']}":
                    said["submission_key"] = None
                found.append(said)
        return found

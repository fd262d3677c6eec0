"""Reading places: what a viewer's scope opens, for pages that show or change it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from safety.access.scope import Scope
from safety.database import fetch_tuples
from safety.errors import NotAllowed, NotFound

SCHOOL = """select s.id, s.code, s.name, s.name_en, s.stage, s.enrolment, s.has_canteen, s.meals, s.boarding, s.has_bus,
b.code, b.name, s.made_up from school s join bureau b on b.id = s.bureau"""
CLASSES = """select id, school_year, grade, name, pupils, since, until, first_day, last_day from school_class
where school = $1 order by school_year desc, id"""
TERMS = "select id, name, starts, ends from term where school = $1 order by starts"
CLOSURES = "select id, day, kind, reason from closure where school = $1 order by day"
CAMPUSES = "select id, name from campus where school = $1 order by id"
ZONES = "select id, campus, name from zone where school = $1 order by id"


@dataclass(frozen=True, slots=True)
class BureauRow:
    id: int
    code: str
    name: str
    parent: int | None
    made_up: bool
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class SchoolRow:
    """A school with its bureau's code and name."""

    id: int
    code: str
    name: str
    name_en: str
    stage: str
    enrolment: int
    has_canteen: bool
    meals: str
    boarding: bool
    has_bus: bool
    bureau: str
    bureau_name: str
    made_up: bool


@dataclass(frozen=True, slots=True)
class ClassRow:
    id: int
    school_year: str
    grade: str
    name: str
    pupils: int
    since: date | None
    until: date | None
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class TermRow:
    id: int
    name: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class ClosureRow:
    id: int
    day: date
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class ZoneRow:
    id: int
    campus: int
    name: str


@dataclass(frozen=True, slots=True)
class CampusRow:
    id: int
    name: str


async def bureaus(scope: Scope) -> list[BureauRow]:
    """The bureaus in scope, by code."""
    rows = await fetch_tuples(
        None, "select id, code, name, parent, made_up, elsewhere from bureau order by code"
    )
    return [BureauRow(*row) for row in rows if scope.admin or row[0] in scope.bureaus]


async def schools(scope: Scope) -> list[SchoolRow]:
    """The schools in scope, by code."""
    rows = await fetch_tuples(None, f"{SCHOOL} order by s.code")
    return [SchoolRow(*row) for row in rows if scope.may(row[0])]


async def school(scope: Scope, school_id: int) -> SchoolRow:
    """One school. Raises NotFound outside the scope."""
    rows = await _fetch(scope, school_id, f"{SCHOOL} where s.id = $1")
    if not rows:
        raise NotFound
    return SchoolRow(*rows[0])


async def classes(scope: Scope, school_id: int) -> list[ClassRow]:
    """The classes of all school years, the newest first. Raises NotFound outside the scope."""
    return [ClassRow(*row) for row in await _fetch(scope, school_id, CLASSES)]


async def terms(scope: Scope, school_id: int) -> list[TermRow]:
    """Raises NotFound outside the scope."""
    return [TermRow(*row) for row in await _fetch(scope, school_id, TERMS)]


async def closures(scope: Scope, school_id: int) -> list[ClosureRow]:
    """Raises NotFound outside the scope."""
    return [ClosureRow(*row) for row in await _fetch(scope, school_id, CLOSURES)]


async def campuses(scope: Scope, school_id: int) -> list[CampusRow]:
    """Raises NotFound outside the scope."""
    return [CampusRow(*row) for row in await _fetch(scope, school_id, CAMPUSES)]


async def zones(scope: Scope, school_id: int) -> list[ZoneRow]:
    """Raises NotFound outside the scope."""
    return [ZoneRow(*row) for row in await _fetch(scope, school_id, ZONES)]


async def _fetch(scope: Scope, school_id: int, sql: str) -> Sequence[tuple[Any, ...]]:
    if not scope.may(school_id):
        raise NotFound
    return await fetch_tuples(None, sql, [school_id])


def may_settle(scope: Scope, school_id: int) -> bool:
    """Whether this person keeps a school's calendar and classes."""
    return not scope.read_only and scope.may(school_id, "officer", "principal", "clerk")


def need_settle(scope: Scope, school_id: int) -> None:
    """Raises NotFound outside the person's schools, NotAllowed without such a role there."""
    if not scope.may(school_id):
        raise NotFound
    if not may_settle(scope, school_id):
        raise NotAllowed

"""Changing places: one transaction each, audited; the school's revision is renewed and its tallies are counted anew.

What bears on a quarter that is closed is refused here with `quarter-closed`: only an administrator's import may do it.
`actor` None is the machine itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from safety.access.scope import Scope
from safety.audit.actions import append
from safety.database import fetch_tuples, transaction
from safety.errors import BadInput, NotAllowed, NotFound, Problem
from safety.ledger.tallies import rebuild_all
from safety.places import rules
from safety.places.queries import need_settle
from safety.places.rows import add_headcount, insert_row, new_revision, update_row

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class NewBureau:
    """`parent` is the id of the bureau above; `elsewhere`: its people work on another instance."""

    code: str
    name: str
    parent: int | None = None
    made_up: bool = False
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class NewSchool:
    """`bureau` is an id, `meals` names from breakfast, lunch and supper."""

    code: str
    name: str
    stage: str
    bureau: int
    enrolment: int = 0
    name_en: str = ""
    has_canteen: bool = False
    meals: tuple[str, ...] = ()
    boarding: bool = False
    has_bus: bool = False
    made_up: bool = False


@dataclass(frozen=True, slots=True)
class NewClass:
    """A class of a school year; `since` and `until` narrow it."""

    school_year: str
    grade: str
    name: str
    pupils: int
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class NewTerm:
    name: str
    starts: date
    ends: date


@dataclass(frozen=True, slots=True)
class NewClosure:
    """`kind` is closed or extra."""

    day: date
    kind: str
    reason: str = ""


# ---------------------------------------------------------------- bureaus
async def create_bureau(actor: Scope | None, new: NewBureau, now: datetime) -> int:
    """The new bureau's id. Raises BadInput, NotAllowed but for administrators."""
    _administrator(actor)
    _refuse([*rules.code_problem("code", new.code), *_text("name", new.name, 120)])
    async with transaction():
        await _free("bureau", "code", new.code)
        await _there("bureau", "parent", new.parent)
        id_ = await insert_row("bureau", asdict(new))
        await append(None, actor, "bureau.created", f"bureau:{new.code}", asdict(new), now)
    return id_


async def change_bureau(
    actor: Scope | None,
    bureau_id: int,
    name: str,
    parent: int | None,
    now: datetime,
    *,
    elsewhere: bool = False,
) -> None:
    """Raises NotFound, NotAllowed, BadInput; also for a parent that lies below it."""
    _administrator(actor)
    _refuse(_text("name", name, 120))
    async with transaction():
        old = await _locked("bureau", ("code", "name", "parent", "elsewhere"), bureau_id)
        await _there("bureau", "parent", parent)
        if await _lies_below(parent, bureau_id):
            raise BadInput.one("parent", "parent-circle")
        said = {"name": name, "parent": parent, "elsewhere": elsewhere}
        await update_row("bureau", bureau_id, said)
        facts = {**said, "before": list(old[1:])}
        await append(None, actor, "bureau.changed", f"bureau:{old[0]}", facts, now)


async def _lies_below(at: int | None, bureau: int) -> bool:
    parents = dict(await fetch_tuples(None, "select id, parent from bureau"))
    while at is not None:
        if at == bureau:
            return True
        at = parents.get(at)
    return False


# ---------------------------------------------------------------- schools
async def create_school(actor: Scope | None, new: NewSchool, now: datetime) -> int:
    """The new school's id. Raises BadInput, NotAllowed but for administrators."""
    _administrator(actor)
    _refuse([*rules.code_problem("code", new.code), *_school_problems(new)])
    async with transaction():
        await _free("school", "code", new.code)
        await _there("bureau", "bureau", new.bureau)
        id_ = await insert_row("school", _school_row(new) | {"revision": new_revision()})
        await add_headcount(id_, None, new.enrolment, now)
        await append(id_, actor, "school.created", f"school:{new.code}", _school_row(new), now)
    return id_


async def change_school(actor: Scope | None, school_id: int, new: NewSchool, now: datetime) -> None:
    """Everything but the code, which stands in addresses. Raises NotFound, NotAllowed, BadInput."""
    _administrator(actor)
    _refuse(_school_problems(new))
    async with transaction():
        code, enrolment = await _locked("school", ("code", "enrolment"), school_id)
        await _there("bureau", "bureau", new.bureau)
        said = _school_row(replace(new, code=code))
        await update_row("school", school_id, said)
        if enrolment != new.enrolment:
            await add_headcount(school_id, None, new.enrolment, now)
        await _changed(actor, school_id, "school.changed", f"school:{code}", said, now)


def _school_problems(new: NewSchool) -> list[Problem]:
    problems = [*_text("name", new.name, 120), *rules.stage_problem(new.stage)]
    problems += rules.meals_of("+".join(new.meals))[1]
    return problems + _pupils("enrolment", new.enrolment)


def _school_row(new: NewSchool) -> dict[str, Any]:
    return asdict(new) | {"meals": "+".join(rules.meals_of("+".join(new.meals))[0])}


# ---------------------------------------------------------------- campuses and zones
async def create_campus(actor: Scope | None, school_id: int, name: str, now: datetime) -> int:
    """Raises NotFound, NotAllowed, BadInput."""
    _settling(actor, school_id)
    _refuse(_text("name", name, 80))
    async with transaction():
        await _free_name("campus", {"school": school_id, "name": name})
        id_ = await insert_row("campus", {"school": school_id, "name": name})
        await append(school_id, actor, "campus.created", f"campus:{id_}", {"name": name}, now)
    return id_


async def create_zone(actor: Scope | None, school_id: int, campus_id: int, name: str, now: datetime) -> int:
    """A grid zone of a campus. Raises NotFound, NotAllowed, BadInput."""
    _settling(actor, school_id)
    _refuse(_text("name", name, 80))
    async with transaction():
        await _own("campus", school_id, campus_id)
        said = {"school": school_id, "campus": campus_id, "name": name}
        await _free_name("zone", said)
        id_ = await insert_row("zone", said)
        # Forms offer it from now on; nothing is counted by it.
        await update_row("school", school_id, {"revision": new_revision()})
        facts = {"name": name, "campus": campus_id}
        await append(school_id, actor, "zone.created", f"zone:{id_}", facts, now)
    return id_


# ---------------------------------------------------------------- terms
async def save_term(
    actor: Scope | None, school_id: int, new: NewTerm, now: datetime, term_id: int | None = None
) -> int:
    """A new term, or (with its id) a changed one. Raises NotFound, NotAllowed, BadInput."""
    _settling(actor, school_id)
    _refuse([*_text("name", new.name, 60), *rules.span_problem("ends", new.starts, new.ends)])
    span = new.starts, new.ends
    async with transaction():
        before = await _own("term", school_id, term_id, ("starts", "ends")) if term_id else None
        _refuse(rules.closed_problem("starts", rules.days_changed(before, span), now))
        await _refuse_overlap(school_id, term_id, new)
        said = {"school": school_id, **asdict(new)}
        id_ = await _save("term", term_id, said)
        await _changed(actor, school_id, "term.saved", f"term:{id_}", said | {"before": before}, now)
    return id_


async def _refuse_overlap(school_id: int, term_id: int | None, new: NewTerm) -> None:
    rows = await fetch_tuples(None, "select id, name, starts, ends from term where school = $1", [school_id])
    kept = [tuple(row[1:]) for row in rows if row[0] != term_id]
    for first, second in rules.overlapping([*kept, (new.name, new.starts, new.ends)]):
        raise BadInput.one("starts", "terms-overlap", first=first[0], second=second[0])


async def remove_term(actor: Scope | None, school_id: int, term_id: int, now: datetime) -> None:
    """Raises NotFound, NotAllowed, BadInput for a term that bears on a closed quarter."""
    _settling(actor, school_id)
    async with transaction():
        before = await _own("term", school_id, term_id, ("starts", "ends"))
        _refuse(rules.closed_problem(None, rules.days_changed(before, None), now))
        await fetch_tuples(None, "delete from term where id = $1", [term_id])
        await _changed(actor, school_id, "term.removed", f"term:{term_id}", {"before": before}, now)


# ---------------------------------------------------------------- closures
async def save_closure(actor: Scope | None, school_id: int, new: NewClosure, now: datetime) -> int:
    """A day closed or extra; a day that is either already is refused. Raises NotFound, NotAllowed, BadInput."""
    _settling(actor, school_id)
    problems = rules.closed_problem("day", [new.day], now)
    if new.kind not in rules.CLOSURES:
        values = {"text": new.kind, "allowed": ", ".join(rules.CLOSURES)}
        problems.append(Problem("kind", "choice-unknown", values))
    _refuse([*problems, *_text("reason", new.reason, 200, required=False)])
    async with transaction():
        sql = "select kind from closure where school = $1 and day = $2"
        if await fetch_tuples(None, sql, [school_id, new.day]):
            raise BadInput.one("day", "day-known", day=new.day.isoformat())
        id_ = await insert_row("closure", {"school": school_id, **asdict(new)})
        await _changed(actor, school_id, "closure.saved", f"closure:{new.day}", asdict(new), now)
    return id_


async def remove_closure(actor: Scope | None, school_id: int, closure_id: int, now: datetime) -> None:
    """Raises NotFound, NotAllowed, BadInput for a day of a closed quarter."""
    _settling(actor, school_id)
    async with transaction():
        day, kind = await _own("closure", school_id, closure_id, ("day", "kind"))
        _refuse(rules.closed_problem(None, [day], now))
        await fetch_tuples(None, "delete from closure where id = $1", [closure_id])
        await _changed(actor, school_id, "closure.removed", f"closure:{day}", {"day": day, "kind": kind}, now)


# ---------------------------------------------------------------- classes
CLASS = ("first_day", "last_day", "pupils")


async def save_class(
    actor: Scope | None, school_id: int, new: NewClass, now: datetime, class_id: int | None = None
) -> int:
    """A new class, or (with its id) a changed one. Head-counts are dated: a closed quarter keeps its own.

    Raises NotFound, NotAllowed, BadInput.
    """
    _settling(actor, school_id)
    days, problems = rules.class_days(new.school_year, new.since, new.until)
    problems = [_called(found) for found in problems]
    problems += [*_text("name", new.name, 40), *_text("grade", new.grade, 20), *_pupils("pupils", new.pupils)]
    _refuse(problems)
    assert days is not None
    async with transaction():
        before = await _own("school_class", school_id, class_id, CLASS) if class_id else None
        span = (before[0], before[1]) if before else None
        _refuse(rules.closed_problem("since", rules.days_changed(span, days), now))
        await _refuse_name(school_id, class_id, new)
        said = {"school": school_id, **asdict(new), "first_day": days[0], "last_day": days[1]}
        id_ = await _save("school_class", class_id, said)
        if before is None or before[2] != new.pupils:
            await add_headcount(school_id, id_, new.pupils, now)
        await _changed(actor, school_id, "class.saved", f"class:{id_}", said | {"before": before}, now)
    return id_


def _called(found: Problem) -> Problem:
    return Problem("since" if found.field == "from" else found.field, found.code, found.values)


async def _refuse_name(school_id: int, class_id: int | None, new: NewClass) -> None:
    sql = "select id from school_class where school = $1 and school_year = $2 and name = $3"
    for (id_,) in await fetch_tuples(None, sql, [school_id, new.school_year, new.name]):
        if id_ != class_id:
            raise BadInput.one("name", "name-taken", name=new.name)


# ---------------------------------------------------------------- the parts of all these
async def _changed(
    actor: Scope | None, school_id: int, action: str, subject: str, facts: Mapping[str, Any], now: datetime
) -> None:
    """What every change of a school sets off: a new revision, the audit line, and its tallies counted anew."""
    await update_row("school", school_id, {"revision": new_revision()})
    await append(school_id, actor, action, subject, facts, now)
    await rebuild_all(school_id, now)


def _administrator(actor: Scope | None) -> None:
    if actor is not None and not actor.admin:
        raise NotAllowed


def _settling(actor: Scope | None, school_id: int) -> None:
    if actor is not None:
        need_settle(actor, school_id)


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise BadInput(problems)


def _text(field: str, text: str, most: int, required: bool = True) -> list[Problem]:
    if required and not text.strip():
        return [Problem(field, "required")]
    if len(text) > most:
        return [Problem(field, "text-long", {"maximum": most, "length": len(text)})]
    return [] if text.isprintable() else [Problem(field, "text-control", {"character": "?"})]


def _pupils(field: str, count: int) -> list[Problem]:
    if count < 0:
        return [Problem(field, "too-small", {"minimum": 0})]
    return [Problem(field, "too-large", {"maximum": rules.MOST_PUPILS})] if count > rules.MOST_PUPILS else []


async def _save(table: str, id_: int | None, values: Mapping[str, Any]) -> int:
    if id_ is None:
        return await insert_row(table, values)
    await update_row(table, id_, values)
    return id_


async def _locked(table: str, columns: Sequence[str], id_: int) -> Row:
    sql = f"select {', '.join(columns)} from {table} where id = $1 for update"  # noqa: S608
    rows = await fetch_tuples(None, sql, [id_])
    if not rows:
        raise NotFound
    return rows[0]


async def _own(table: str, school_id: int, id_: int, columns: Sequence[str] = ("id",)) -> Row:
    """The columns of a school's own row. Raises NotFound, also for another school's."""
    sql = f"select {', '.join(columns)} from {table} where school = $1 and id = $2 for update"  # noqa: S608
    rows = await fetch_tuples(None, sql, [school_id, id_])
    if not rows:
        raise NotFound
    return rows[0]


async def _free(table: str, column: str, code: str) -> None:
    if await fetch_tuples(None, f"select 1 from {table} where {column} = $1", [code]):  # noqa: S608
        raise BadInput.one(column, "code-taken", code=code)


async def _free_name(table: str, said: Mapping[str, Any]) -> None:
    where = " and ".join(f"{column} = ${n}" for n, column in enumerate(said, 1))
    if await fetch_tuples(None, f"select 1 from {table} where {where}", list(said.values())):  # noqa: S608
        raise BadInput.one("name", "name-taken", name=said["name"])


async def _there(table: str, field: str, id_: int | None) -> None:
    if id_ is not None and not await fetch_tuples(None, f"select 1 from {table} where id = $1", [id_]):  # noqa: S608
        raise BadInput.one(field, "place-unknown", place=id_)

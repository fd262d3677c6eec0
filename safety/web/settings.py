"""What a school's settings forms say, read into the values that the actions of places take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from safety.access.scope import Scope
from safety.calendar import SchoolCalendar
from safety.database import transaction
from safety.errors import BadInput, Problem
from safety.ledger.parse import FieldError, read_day
from safety.places import actions, queries
from safety.places.actions import NewClass, NewClosure, NewSchool, NewTerm
from safety.places.queries import ClassRow

Raw = Mapping[str, str]
MOST_DAYS = 31
MOST_CLASSES = 300
CLASS_CELLS = ("grade", "name", "pupils", "since", "until")


# ---------------------------------------------------------------- profile
def school_of(typed: Raw, meals: Sequence[str], code: str, bureau: int) -> NewSchool:
    """A school's profile. Raises BadInput for an enrolment that is no number."""
    problems: list[Problem] = []
    enrolment = _number("enrolment", typed.get("enrolment", ""), problems)
    if problems:
        raise BadInput(problems)
    return NewSchool(
        code=code,
        name=typed.get("name", ""),
        stage=typed.get("stage", ""),
        bureau=bureau,
        enrolment=enrolment,
        name_en=typed.get("name_en", ""),
        has_canteen=typed.get("has_canteen") == "true",
        meals=tuple(meals),
        boarding=typed.get("boarding") == "true",
        has_bus=typed.get("has_bus") == "true",
    )


def _number(name: str, text: str, problems: list[Problem]) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 10:
        return int(text)
    problems.append(Problem(name, "integer-form" if text else "required", {"text": text}))
    return 0


def _day(name: str, text: str, problems: list[Problem], *, required: bool = True) -> date | None:
    if not text and not required:
        return None
    if not text:
        problems.append(Problem(name, "required"))
        return None
    try:
        return read_day(text)
    except FieldError as error:
        problems.append(Problem(name, error.code, error.values))
        return None


# ---------------------------------------------------------------- classes
def line_of(row: ClassRow) -> str:
    """A class as it stands in the list to mend."""
    days = [day.isoformat() if day else "" for day in (row.since, row.until)]
    return ",".join([row.grade, row.name, str(row.pupils), *days]).rstrip(",")


def _says(row: ClassRow, new: NewClass) -> bool:
    """Whether a class is what a line says already."""
    mine = (row.grade, row.name, row.pupils, row.since, row.until)
    return mine == (new.grade, new.name, new.pupils, new.since, new.until)


async def classes_of(scope: Scope, school_id: int, school_year: str) -> list[ClassRow]:
    """The classes of a school year, as they were entered."""
    return [row for row in await queries.classes(scope, school_id) if row.school_year == school_year]


async def save_classes(scope: Scope, school_id: int, school_year: str, text: str, now: datetime) -> int:
    """Add the classes pasted, a line each, and bring those known by name up to date; how many changed.

    All or none. Raises BadInput whose fields are line numbers.
    """
    lines = [(n, line) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not lines:
        raise BadInput.one("classes", "required")
    if len(lines) > MOST_CLASSES:
        raise BadInput.one("classes", "classes-many", most=MOST_CLASSES)
    wanted = _classes(lines, school_year)
    known = {line.name: line for line in await classes_of(scope, school_id, school_year)}
    changed = [(n, new) for n, new in wanted if not (new.name in known and _says(known[new.name], new))]
    problems: list[Problem] = []
    async with transaction():
        for n, new in changed:
            old = known.get(new.name)
            try:
                await actions.save_class(scope, school_id, new, now, old.id if old else None)
            except BadInput as error:
                problems += [Problem(str(n), p.code, p.values) for p in error.problems]
        if problems:
            raise BadInput(problems)
    return len(changed)


def _classes(lines: Sequence[tuple[int, str]], school_year: str) -> list[tuple[int, NewClass]]:
    problems: list[Problem] = []
    found: list[tuple[int, NewClass]] = []
    names: dict[str, int] = {}
    for n, line in lines:
        wrong: list[Problem] = []
        cells = [cell.strip() for cell in line.replace("\t", ",").replace("，", ",").split(",")]
        said = dict(zip(CLASS_CELLS, [*cells, "", "", "", ""], strict=False))
        pupils = _number("pupils", said["pupils"], wrong)
        since = _day("since", said["since"], wrong, required=False)
        until = _day("until", said["until"], wrong, required=False)
        if said["name"] in names:
            wrong.append(Problem(None, "row-twice", {"first": names[said["name"]]}))
        names[said["name"]] = n
        problems += [Problem(str(n), p.code, p.values) for p in wrong]
        found.append((n, NewClass(school_year, said["grade"], said["name"], pupils, since, until)))
    if problems:
        raise BadInput(problems)
    return found


# ---------------------------------------------------------------- terms, closures, extra days
async def add_term(scope: Scope, school_id: int, typed: Raw, now: datetime) -> None:
    """A new term."""
    problems: list[Problem] = []
    starts = _day("starts", typed.get("starts", ""), problems)
    ends = _day("ends", typed.get("ends", ""), problems)
    if starts is None or ends is None:
        raise BadInput(problems)
    await actions.save_term(scope, school_id, NewTerm(typed.get("name", ""), starts, ends), now)


async def add_days(scope: Scope, school_id: int, typed: Raw, now: datetime) -> None:
    """Close a school on a day or a span of days, or hold lessons on them: all of them or none."""
    problems: list[Problem] = []
    first = _day("since", typed.get("since", ""), problems)
    last = _day("until", typed.get("until", ""), problems, required=False)
    if problems or first is None:
        raise BadInput(problems)
    span = ((last or first) - first).days
    if not 0 <= span < MOST_DAYS:
        raise BadInput.one("until", "ends-before-start" if span < 0 else "days-many", most=MOST_DAYS)
    kind, reason = typed.get("kind", ""), typed.get("reason", "")
    try:
        async with transaction():
            for n in range(span + 1):
                day = first + timedelta(days=n)
                await actions.save_closure(scope, school_id, NewClosure(day, kind, reason), now)
    except BadInput as error:
        raise BadInput([_of_span(problem) for problem in error.problems]) from None


def _of_span(problem: Problem) -> Problem:
    return Problem("since" if problem.field == "day" else problem.field, problem.code, problem.values)


# ---------------------------------------------------------------- the calendar
@dataclass(frozen=True, slots=True)
class DayCell:
    """A day of the calendar: school, closed, extra or off, with a public holiday's name."""

    day: date
    kind: str
    holiday: str


def month_of(calendar: SchoolCalendar, first: date, last: date) -> list[list[DayCell | None]]:
    """A month as weeks from Monday, with empty places before and after it."""
    days = [_cell(calendar, first + timedelta(days=n)) for n in range((last - first).days + 1)]
    cells: list[DayCell | None] = [*[None] * first.weekday(), *days]
    cells += [None] * (-len(cells) % 7)
    return [cells[n : n + 7] for n in range(0, len(cells), 7)]


def _cell(calendar: SchoolCalendar, day: date) -> DayCell:
    if day in calendar.closed:
        kind = "closed"
    elif day in calendar.extra:
        kind = "extra"
    else:
        kind = "school" if calendar.is_school_day(day) else "off"
    return DayCell(day, kind, calendar.national.holiday_name(day) or "")

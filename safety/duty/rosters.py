"""A week of duty slots, entered at once: the same ledger entries as one by one, all of them or none."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from safety.access.scope import Scope
from safety.clock import ZONE, local_day
from safety.database import transaction
from safety.duty.ledgers import DUTY_SLOTS, POST
from safety.errors import BadInput, Problem
from safety.facts import SchoolFacts
from safety.ledger import actions, queries
from safety.ledger.parse import Context, FieldError, read_day
from safety.ledger.rows import EntryRow
from safety.places.facts import school_facts

WEEK = timedelta(days=7)
MOST_SLOTS = 400
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
POSTS = tuple(choice.value for choice in POST.choices)


@dataclass(frozen=True, slots=True)
class RosterDay:
    """A day of the week. `ahead`: slots entered now still count, since the day has not begun."""

    day: date
    is_school_day: bool
    ahead: bool
    slots: Sequence[EntryRow]


def monday_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def week_shown(text: str, facts: SchoolFacts, today: date) -> date:
    """The Monday asked for; by default this week's while a school day of it lies ahead, else that of the next one."""
    try:
        return monday_of(read_day(text))
    except FieldError:
        return monday_of(facts.calendar.next_school_day(today) or today)


async def slots_of(scope: Scope, school_id: int, monday: date, now: datetime) -> list[EntryRow]:
    """The slots of a week that stand, by time. Raises NotFound and NotAllowed."""
    filters = queries.Filters(since=monday, until=monday + WEEK - timedelta(days=1))
    found = await queries.list_entries(scope, DUTY_SLOTS, school_id, filters, now, size=MOST_SLOTS)
    return sorted(found.rows, key=lambda row: (row.values["starts_at"], POSTS.index(row.values["post"])))


def days_of(facts: SchoolFacts, monday: date, slots: Iterable[EntryRow], today: date) -> list[RosterDay]:
    """The seven days with their slots; days off without any are left out."""
    by_day: dict[date, list[EntryRow]] = {}
    for slot in slots:
        by_day.setdefault(slot.happened_on, []).append(slot)
    found = (monday + timedelta(days=n) for n in range(7))
    days = [RosterDay(d, facts.calendar.is_school_day(d), d > today, by_day.get(d, [])) for d in found]
    return [item for item in days if item.is_school_day or item.slots]


# ---------------------------------------------------------------- adding
async def add_slots(
    scope: Scope, school_id: int, typed: Mapping[str, str], days: Sequence[str], now: datetime
) -> int:
    """The same slot on several days; how many were made. `typed`: post, from, to, person (login), submission_key.

    Raises BadInput naming the form's fields, and as `record` does.
    """
    facts = await school_facts(school_id)
    people = {person.login: person.id for person in await queries.people_of(scope, school_id)}
    problems = _problems(typed, days, people)
    chosen = _chosen(days, problems)
    begins, ends = _time("from", typed, problems), _time("to", typed, problems)
    if problems or begins is None or ends is None:
        raise BadInput(problems)
    wanted = [
        {
            "post": typed["post"],
            "starts_at": datetime.combine(day, begins, ZONE),
            "ends_at": datetime.combine(day, ends, ZONE),
            "person": people[typed["person"]],
        }
        for day in chosen
    ]
    try:
        return await _record(scope, facts, wanted, typed.get("submission_key", ""), now)
    except BadInput as error:
        names = {"starts_at": "from", "ends_at": "to"}
        raise BadInput(
            [Problem(names.get(p.field or "", p.field), p.code, p.values) for p in error.problems]
        ) from None


def _problems(typed: Mapping[str, str], days: Sequence[str], people: Mapping[str, int]) -> list[Problem]:
    problems = []
    if typed.get("post") not in POSTS:
        problems.append(Problem("post", "required"))
    if typed.get("person") not in people:
        problems.append(Problem("person", "required"))
    if not days:
        problems.append(Problem("days", "roster-no-day"))
    return problems


def _chosen(days: Sequence[str], problems: list[Problem]) -> list[date]:
    try:
        return sorted({read_day(day) for day in days})
    except FieldError:
        problems.append(Problem("days", "roster-no-day"))
        return []


def _time(name: str, typed: Mapping[str, str], problems: list[Problem]) -> time | None:
    found = _TIME.fullmatch(typed.get(name, ""))
    if found is None:
        problems.append(Problem(name, "roster-time"))
        return None
    return time(int(found[1]), int(found[2]))


# ---------------------------------------------------------------- copying
async def copy_week(scope: Scope, school_id: int, monday: date, key: str, now: datetime) -> int:
    """Last week's slots again on the school days that lie ahead, but for those already there; how many were made."""
    facts = await school_facts(school_id)
    before, present = (
        await slots_of(scope, school_id, monday - WEEK, now),
        await slots_of(scope, school_id, monday, now),
    )
    known = {_same(slot.values) for slot in present}
    moved = [_moved(slot.values) for slot in before]
    wanted = [
        values
        for values in moved
        if _same(values) not in known
        and (day := local_day(values["starts_at"])) > local_day(now)
        and facts.calendar.is_school_day(day)
    ]
    return await _record(scope, facts, wanted, key, now)


def _moved(values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {"post": values["post"], "person": values["person"]}
    return kept | {name: values[name] + WEEK for name in ("starts_at", "ends_at")}


def _same(values: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(values[name] for name in ("post", "starts_at", "ends_at", "person"))


async def _record(
    scope: Scope, facts: SchoolFacts, wanted: Sequence[Mapping[str, Any]], key: str, now: datetime
) -> int:
    context = Context(facts, now)
    async with transaction():
        made = [
            await actions.record(DUTY_SLOTS, scope, facts.id, values, f"{key}:{n}", now, context=context)
            for n, values in enumerate(wanted)
        ]
    return sum(item.created for item in made)

"""What a school owes on a day, one occurrence at a time, and whom it concerns (PURE)."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from safety.access.scope import Scope
from safety.calendar import Period
from safety.clock import local_day
from safety.duties import AWARENESS, DUTIES, EVALUATED, ZERO, Window, base_expected, close_day
from safety.facts import SchoolFacts, size_at
from safety.limits import DutyBook
from safety.measures import Fill, Measured, Row

RULED_BY = {ZERO: "T2"}
"""The line of the sheet whose rule and source a measured line has, where it is not its own."""
MANAGERS = frozenset({"officer", "principal", "leader"})
"""Who sees to it that posts are manned, whoever is rostered."""
OWN_ROLES = {
    "duty.leader": MANAGERS,
    "duty.patrol": MANAGERS | {"guard"},
}
"""Lines that concern fewer people than may write their ledger."""
TIMINGS = ("on-time", "late", "backfilled")
RECENT = timedelta(days=14)
"""How long after its due date what was done late is still looked for, to be shown on the day it was done."""


@dataclass(frozen=True, slots=True)
class Due:
    """One occurrence: `done` of `expected` answered, by entries of `since`…`through`; on time if recorded by the end
    of `until`; `by_close`: the quarter's close set that day, before the grace was over. `unit` is school, class, meal,
    slot, rounds, drill or pupils. `person` (an account) is who is rostered.

    `timing` is the worst of what was done: on-time, late or backfilled; None while nothing is, and for pupils. `entry`
    is the one that something is wanted of (a drill its evaluation), `rostered_at` when a round or a leader's duty was
    planned to begin.
    """

    line: str
    ledger: str
    period: str
    unit: str
    unit_id: Hashable
    unit_name: str
    since: date
    through: date
    due: date
    until: date
    by_close: bool
    expected: int
    done: int
    overdue: bool
    roles: frozenset[str]
    person: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    timing: str | None = None
    entry: UUID | None = None
    rostered_at: datetime | None = None

    @property
    def filled(self) -> bool:
        return self.done >= self.expected

    @property
    def state(self) -> str:
        """`done`, `open` or `overdue`."""
        return "done" if self.filled else "overdue" if self.overdue else "open"


@dataclass(frozen=True)
class Line:
    """A line on its way to being listed: its ledger, who may write that, and what its entries come to."""

    id: str
    ledger: str
    writers: frozenset[str]
    measured: Measured
    roster: Mapping[date, Sequence[Any]]


def relevant(spans: Iterable[Window], day: date, period: Period) -> tuple[Window, ...]:
    """Of a quarter's windows those that have begun by a day and whose quarter has not closed before it."""
    return tuple(w for w in spans if w.start <= day) if day <= close_day(period) else ()


def unfinished(
    line: str,
    spans: Iterable[Window],
    kept: Mapping[date, Row],
    facts: SchoolFacts,
    book: DutyBook,
    day: date,
) -> tuple[Window, ...]:
    """Of windows those that are still open on a day, those whose tallies say that something is missing, and recent
    ones that something was late for.
    """

    def lacks(window: Window) -> bool:
        row = kept.get(window.due) or Row(line, window.due)
        if row.late and day - window.due <= RECENT:
            return True
        return row.filled < base_expected(line, facts, window, book) + row.extra

    return tuple(w for w in spans if w.grace_until >= day or line == AWARENESS or lacks(w))


def listed(
    line: Line, spans: Sequence[Window], facts: SchoolFacts, period: Period, book: DutyBook, day: date
) -> Iterator[Due]:
    """The occurrences that are open on a day, answered or not, those that are overdue, and those that were answered
    late on that very day; in order of due date.
    """
    entries = {fill.occurrence: fill for fill in line.measured.fills}
    for window in relevant(spans, day, period):
        closes = close_day(period)
        until = window.in_time_until(closes)
        for item, fills in _units(line, window, entries, facts, book):
            found = Due(
                line=line.id,
                ledger=line.ledger,
                period=period.id,
                since=window.start,
                through=window.end,
                due=window.due,
                until=until,
                by_close=window.is_cut_by(closes),
                overdue=day > until,
                roles=_roles(line, item["unit"], item.get("person")),
                timing=TIMINGS[max(fill.timing for fill in fills)] if fills else None,
                **item,
            )
            if not (found.overdue and found.filled) or _done_on(day, fills):
                yield found


def _done_on(day: date, fills: Iterable[Fill]) -> bool:
    return any(fill.recorded_at is not None and local_day(fill.recorded_at) == day for fill in fills)


def _roles(line: Line, unit: str, person: int | None) -> frozenset[str]:
    if unit == "slot":
        # A slot that nobody is rostered for is for those who make rosters to fill.
        return line.writers if person is not None else MANAGERS
    roles = OWN_ROLES.get(line.id, line.writers)
    return roles - {"teacher"} if unit in {"school", "pupils"} else roles


Unit = tuple[dict[str, Any], list[Fill]]
"""What a Due says of its unit, and the entries that answer it."""
Answers = Mapping[str, Fill]
"""The entries of a line, by occurrence."""


def _units(
    line: Line, window: Window, entries: Answers, facts: SchoolFacts, book: DutyBook
) -> Iterator[Unit]:
    match DUTIES[line.id].units:
        case "class":
            for item in facts.classes_on(window.due):
                yield _one("class", item.id, item.name, entries.get(f"{window.key}/{item.id}"))
        case "meal":
            for meal in facts.meals:
                yield _one("meal", meal, meal, entries.get(f"{window.key}/{meal}"))
        case "slots":
            yield from _slots(line, window, entries, book)
        case "rounds":
            yield _rounds(line, window, entries, book)
        case "drills":
            yield from _drills(line, window)
        case "pupils":
            yield _pupils(line, facts, window, book)
        case _:
            found, fills = _one("school", None, "", entries.get(window.key))
            planned = line.roster.get(window.due, ())
            yield found | ({"rostered_at": planned[0].starts_at} if planned else {}), fills


def _one(unit: str, id_: Hashable, name: str, fill: Fill | None) -> Unit:
    return _some(unit, id_, name, int(fill is not None), 1), [fill] if fill is not None else []


def _some(unit: str, id_: Hashable, name: str, done: int, expected: int) -> dict[str, Any]:
    return {"unit": unit, "unit_id": id_, "unit_name": name, "done": done, "expected": expected}


def _slots(line: Line, window: Window, entries: Answers, book: DutyBook) -> Iterator[Unit]:
    todays = line.roster.get(window.due, ())
    for number, slot in enumerate(todays, 1):
        found, fills = _one("slot", number, "", entries.get(f"{window.key}/{number}"))
        yield found | {"person": slot.person, "starts_at": slot.starts_at, "ends_at": slot.ends_at}, fills
    for number in range(len(todays) + 1, book.on(window.due).slots_of(line.id) + 1):
        yield _one("slot", number, "", None)


def _rounds(line: Line, window: Window, entries: Answers, book: DutyBook) -> Unit:
    """A day's patrols; the next of them was planned for the first slot of the roster that no round has answered."""
    fills = [fill for key, fill in entries.items() if key.startswith(f"{window.key}/")]
    planned = line.roster.get(window.due, ())[len(fills) :]
    found = _some("rounds", None, "", len(fills), book.on(window.due).patrol_rounds)
    return found | ({"rostered_at": planned[0].starts_at} if planned else {}), fills


def _drills(line: Line, window: Window) -> Iterator[Unit]:
    """A day's drills: those evaluated together, each that is not on its own, to be led to."""
    assert line.id == EVALUATED
    within, evaluated = f"{window.key}/", defaultdict(list)
    for fill in line.measured.fills:
        if fill.occurrence.startswith(within):
            evaluated[fill.day].append(fill)
    for day, fills in sorted(evaluated.items()):
        yield _some("drill", day, day.isoformat(), len(fills), len(fills)), fills
    for found in line.measured.beside:
        if found.occurrence.startswith(within):
            yield _some("drill", found.day, found.day.isoformat(), 0, 1) | {"entry": found.entry}, []


def _pupils(line: Line, facts: SchoolFacts, window: Window, book: DutyBook) -> Unit:
    assert line.id == AWARENESS
    share, enrolled = book.on(window.end).awareness_share, size_at(facts.enrolments, _LATEST)
    expected = -(-share.numerator * enrolled // share.denominator)
    checked = sum(row.whole for row in line.measured.rows)
    return _some("pupils", None, "", min(checked, expected), expected), []


_LATEST = datetime.fromisoformat("9999-01-01T00:00:00+00:00")


# ---------------------------------------------------------------- for whom
def for_person(dues: Iterable[Due], scope: Scope, school: int) -> list[Due]:
    """What concerns one person at a school: a class teacher's own classes, a guard's own slots, a cook's kitchen;
    what stands under a manager's eye is shown to officer, principal and leader.
    """
    roles = scope.roles_at(school)
    classes = scope.classes(school)
    return [item for item in dues if _concerns(item, scope.account_id, roles, classes)]


def _concerns(item: Due, account: int, roles: frozenset[str], classes: frozenset[int]) -> bool:
    if item.person is not None and item.person == account:
        return True
    acting = roles & item.roles
    if item.unit == "slot":
        return bool(acting & MANAGERS)
    if item.unit == "class" and acting == {"teacher"}:
        return not classes or item.unit_id in classes
    return bool(acting)

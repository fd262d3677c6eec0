"""What a school owes on a day, one occurrence at a time, and whom it concerns (PURE)."""

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safety.access.scope import Scope
from safety.calendar import Period
from safety.duties import AWARENESS, DUTIES, EVALUATED, ZERO, Window, base_expected, close_day
from safety.facts import SchoolFacts, size_at
from safety.measures import Measured, Row
from safety.sheet import DutyRules

RULED_BY = {ZERO: "T2"}
"""The line of the sheet whose rule and source a measured line has, where it is not its own."""
MANAGERS = frozenset({"officer", "principal", "leader"})
"""Who sees to it that posts are manned, whoever is rostered."""
OWN_ROLES = {
    "duty.leader": MANAGERS,
    "duty.patrol": MANAGERS | {"guard"},
}
"""Lines that concern fewer people than may write their ledger."""


@dataclass(frozen=True, slots=True)
class Due:
    """One occurrence: `done` of `expected` answered, by entries of `since`…`through`; on time if recorded by the end
    of `until`. `unit` is school, class, meal, slot, rounds, drill or pupils. `person` (an account) is who is rostered.
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
    expected: int
    done: int
    overdue: bool
    roles: frozenset[str]
    person: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None

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
    rules: DutyRules,
    day: date,
) -> tuple[Window, ...]:
    """Of windows those that are still open on a day, and those whose tallies say that something is missing."""

    def lacks(window: Window) -> bool:
        row = kept.get(window.due) or Row(line, window.due)
        return row.filled < base_expected(line, facts, window, rules) + row.extra

    return tuple(w for w in spans if w.grace_until >= day or line == AWARENESS or lacks(w))


def listed(
    line: Line, spans: Sequence[Window], facts: SchoolFacts, period: Period, rules: DutyRules, day: date
) -> Iterator[Due]:
    """The occurrences that are open on a day, answered or not, and those that are overdue; in order of due date."""
    entries = {fill.occurrence for fill in line.measured.fills}
    for window in relevant(spans, day, period):
        until = min(window.grace_until, close_day(period))
        for item in _units(line, window, entries, facts, rules):
            found = Due(
                line=line.id,
                ledger=line.ledger,
                period=period.id,
                since=window.start,
                through=window.end,
                due=window.due,
                until=until,
                overdue=day > until,
                roles=_roles(line, item["unit"], item.get("person")),
                **item,
            )
            if not (found.overdue and found.filled):
                yield found


def _roles(line: Line, unit: str, person: int | None) -> frozenset[str]:
    if unit == "slot":
        # A slot that nobody is rostered for is for those who make rosters to fill.
        return line.writers if person is not None else MANAGERS
    roles = OWN_ROLES.get(line.id, line.writers)
    return roles - {"teacher"} if unit in {"school", "pupils"} else roles


def _units(
    line: Line, window: Window, entries: set[str], facts: SchoolFacts, rules: DutyRules
) -> Iterator[dict[str, Any]]:
    match DUTIES[line.id].units:
        case "class":
            for item in facts.classes_on(window.due):
                yield _one("class", item.id, item.name, f"{window.key}/{item.id}" in entries)
        case "meal":
            for meal in facts.meals:
                yield _one("meal", meal, meal, f"{window.key}/{meal}" in entries)
        case "slots":
            yield from _slots(line, window, entries, rules)
        case "rounds":
            done = sum(occurrence.startswith(f"{window.key}/") for occurrence in entries)
            yield _one("rounds", None, "", done, rules.patrol_rounds)
        case "drills":
            yield from _drills(line, window)
        case "pupils":
            yield _pupils(line, facts, rules)
        case _:
            yield _one("school", None, "", window.key in entries)


def _one(unit: str, id_: Hashable, name: str, done: int, expected: int = 1) -> dict[str, Any]:
    return {"unit": unit, "unit_id": id_, "unit_name": name, "done": int(done), "expected": expected}


def _slots(line: Line, window: Window, entries: set[str], rules: DutyRules) -> Iterator[dict[str, Any]]:
    todays = line.roster.get(window.due, ())
    for number, slot in enumerate(todays, 1):
        found = _one("slot", number, "", f"{window.key}/{number}" in entries)
        yield found | {"person": slot.person, "starts_at": slot.starts_at, "ends_at": slot.ends_at}
    for number in range(len(todays) + 1, rules.slots_of(line.id) + 1):
        yield _one("slot", number, "", False)


def _drills(line: Line, window: Window) -> Iterator[dict[str, Any]]:
    """The drills of the window's first day, which ask for an evaluation."""
    assert line.id == EVALUATED
    for row in line.measured.rows:
        if row.day == window.due and row.extra:
            yield _one("drill", window.start, window.start.isoformat(), row.filled, row.extra)


def _pupils(line: Line, facts: SchoolFacts, rules: DutyRules) -> dict[str, Any]:
    assert line.id == AWARENESS
    share, enrolled = rules.awareness_share, size_at(facts.enrolments, _LATEST)
    expected = -(-share.numerator * enrolled // share.denominator)
    checked = sum(row.whole for row in line.measured.rows)
    return _one("pupils", None, "", min(checked, expected), expected)


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

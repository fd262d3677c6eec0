"""What was missed, late or backfilled or did not count, by occurrence: measured rows read the other way (PURE)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Literal

from reports.document import Exceptional
from safety.calendar import Period
from safety.clock import local_day
from safety.duties import AWARENESS, DUTIES, ZERO, Window, base_expected, class_ids, close_day, windows
from safety.facts import SchoolFacts
from safety.limits import DutyBook
from safety.measures import BACKFILLED, LATE, Beside, Fill, Measured

MEALS = {"breakfast": "早餐", "lunch": "午餐", "supper": "晚餐"}
NOTHING = Measured([], [])
KINDS: dict[int, Literal["late", "backfilled"]] = {LATE: "late", BACKFILLED: "backfilled"}


def exceptions(
    facts: SchoolFacts,
    period: Period,
    book: DutyBook,
    measured: Mapping[str, Measured],
    at: datetime,
    printed_as: Mapping[str, str],
) -> tuple[Exceptional, ...]:
    """Everything due by the instant and not met in time. Open occurrences are not yet missed."""
    found: list[Exceptional] = []
    for line in DUTIES:
        if line == AWARENESS:
            continue  # counted in pupils: what is missing of it has no day and no class
        name = printed_as.get(line, line)
        own = measured.get(line, NOTHING)
        answered = _by_window(line, own.fills)
        extra = {row.day: row.extra for row in own.rows}
        if line == ZERO:
            found += (_uncounted(name, entry) for entry in own.beside)
        for window in windows(line, facts, period, book):
            fills = answered.get(window.key, [])
            found += (_untimely(name, window, fill, line, facts) for fill in fills if fill.timing in KINDS)
            if not _is_open(window, period, at):
                expected = base_expected(line, facts, window, book) + extra.get(window.due, 0)
                found += _missed(name, window, line, facts, fills, expected)
    return tuple(found)


def _by_window(line: str, fills: Iterable[Fill]) -> dict[str, list[Fill]]:
    found: dict[str, list[Fill]] = defaultdict(list)
    for fill in fills:
        found[parts_of(line, fill.occurrence)[0]].append(fill)
    return found


def parts_of(line: str, occurrence: str) -> tuple[str, str]:
    """The window's key and the unit. A line counted by the school has no units (and a term's name may hold a slash)."""
    if line not in DUTIES or DUTIES[line].units in {"school", "pupils"}:
        return occurrence, ""
    key, _, unit = occurrence.partition("/")
    return key, unit


def _is_open(window: Window, period: Period, at: datetime) -> bool:
    """Not due yet, or due and still inside its on-time limit."""
    today = local_day(at)
    return window.due > today or today <= window.in_time_until(close_day(period))


def _untimely(name: str, window: Window, fill: Fill, line: str, facts: SchoolFacts) -> Exceptional:
    return Exceptional(
        line=name,
        kind=KINDS[fill.timing],
        occurrence=named_occurrence(line, fill.occurrence, facts),
        due_on=window.due,
        unit=_unit(line, parts_of(line, fill.occurrence)[1], facts),
        recorded_at=fill.recorded_at,
    )


def _uncounted(name: str, entry: Beside) -> Exceptional:
    return Exceptional(
        line=name,
        kind="uncounted",
        occurrence=entry.occurrence,
        due_on=entry.day,
        recorded_at=entry.recorded_at,
    )


def _missed(
    name: str, window: Window, line: str, facts: SchoolFacts, fills: list[Fill], expected: int
) -> Iterable[Exceptional]:
    answered = {parts_of(line, fill.occurrence)[1] for fill in fills}
    units = [unit for unit in _units(line, facts, window) if unit not in answered]
    # Where units have no names of their own, only their number is known.
    places = units or [str(n + 1) for n in range(len(fills), expected)] if expected > len(fills) else []
    for place in places:
        occurrence = named_occurrence(line, f"{window.key}/{place}", facts)
        yield Exceptional(
            line=name,
            kind="missed",
            occurrence=occurrence,
            due_on=window.due,
            unit=_unit(line, place, facts),
        )


def _units(line: str, facts: SchoolFacts, window: Window) -> tuple[str, ...]:
    match DUTIES[line].units:
        case "class":
            return tuple(str(id_) for id_ in class_ids(facts, window.due))
        case "meal":
            return facts.meals
        case _:
            return ()


def _unit(line: str, unit: str, facts: SchoolFacts) -> str:
    """A class by its name, a meal by its word; other units have none."""
    if DUTIES[line].units == "class":
        return next((item.name for item in facts.classes if str(item.id) == unit), unit)
    return MEALS.get(unit, unit) if DUTIES[line].units == "meal" else ""


def named_occurrence(line: str, occurrence: str, facts: SchoolFacts) -> str:
    """An occurrence whose class is named and not numbered: numbers differ from one database to another."""
    key, unit = parts_of(line, occurrence)
    return f"{key}/{_unit(line, unit, facts)}" if unit and DUTIES[line].units == "class" else occurrence

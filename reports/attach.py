"""What the score was worked out of, put into the return: the school's profile, rosters, incidents' histories (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from reports.inputs import Added, History, Known, Later, Profile, SchoolClass, Term, Tested
from reports.parts import suppressed
from safety.calendar import DAY, LOOKAHEAD, Period, TermSpan
from safety.duties import AWARENESS, before_close
from safety.facts import SchoolFacts, size_at
from safety.incidents.rules import EVENT_FIGURES, Incident, IncidentBook, State
from safety.limits import IncidentRules
from safety.measures import Measured

SENSITIVE = "mental_health"
HEADS = ("deaths", "serious_injuries", "minor_injuries", "affected")


# ---------------------------------------------------------------- the school
def profile_of(facts: SchoolFacts, period: Period, at: datetime) -> Profile:
    """The school's kitchen, calendar and classes, as far as a due date of the quarter can depend on them."""
    calendar, frozen = facts.calendar, before_close(period, at)
    since, until = _reach(calendar.terms, period)
    days = [since + DAY * n for n in range((until - since).days + 1)]
    return Profile(
        has_canteen=facts.has_canteen,
        meals=facts.meals,
        since=since,
        until=until,
        terms=tuple(
            Term(name=t.name, starts=t.start, ends=t.end) for t in _touching(calendar.terms, since, until)
        ),
        closed=tuple(sorted(day for day in calendar.closed if since <= day <= until)),
        extra=tuple(sorted(day for day in calendar.extra if since <= day <= until)),
        days_off=tuple(d for d in days if d.weekday() < 5 and not calendar.national.is_working_day(d)),
        workdays=tuple(d for d in days if d.weekday() >= 5 and calendar.national.is_working_day(d)),
        classes=tuple(
            SchoolClass(name=c.name, since=c.since, until=c.until, pupils=size_at(c.sizes, frozen))
            for c in sorted(facts.classes, key=lambda c: (c.name, c.since))
            if c.since <= period.end and c.until >= period.start
        ),
    )


def _touching(terms: Iterable[TermSpan], since: date, until: date) -> list[TermSpan]:
    return sorted(term for term in terms if term.start <= until and term.end >= since)


def _reach(terms: Iterable[TermSpan], period: Period) -> tuple[date, date]:
    """The days on which a due date of the quarter, or its grace, can depend: its half-year and the terms in it, and
    behind it as far as the next school day is looked for.
    """
    half = date(period.start.year, 1 if period.start.month <= 6 else 7, 1)
    monday = period.start - DAY * period.start.weekday()
    begun = [term.start for term in _touching(terms, period.start, period.end)]
    return min(half, monday, *begun), period.end + LOOKAHEAD


# ---------------------------------------------------------------- beside the facts
def added_of(measured: Mapping[str, Measured]) -> tuple[Added, ...]:
    """What entries made due besides: slots beyond the least, drills to be evaluated."""
    rows = (row for found in measured.values() for row in found.rows if row.extra)
    return tuple(Added(line=row.line, due_on=row.day, count=row.extra) for row in rows)


def tested_as_closed(measured: Mapping[str, Measured]) -> Tested | None:
    """The figures of T3 that count, where they are not the sums of its facts."""
    found = measured.get(AWARENESS, Measured([], []))
    counted = sum(row.whole for row in found.rows), sum(row.amount for row in found.rows)
    summed = sum(fill.whole for fill in found.fills), sum(fill.amount for fill in found.fills)
    return None if counted == summed else Tested(checked=counted[0], passed=counted[1])


# ---------------------------------------------------------------- incidents
def category_of(item: Incident, category: str, at: datetime) -> str:
    """The category whose small counts are suppressed: the sensitive one, if the incident ever was of it."""
    ever = any(version.category == SENSITIVE for version in item.versions if version.known_at <= at)
    return SENSITIVE if ever else category


def history_of(item: Incident, at: datetime, book: IncidentBook) -> History:
    """All that was known of an incident by an instant, its small counts suppressed."""
    versions = [version for version in item.versions if version.known_at <= at]
    events = [event for event in item.events if event.recorded_at <= at]
    category = category_of(item, versions[0].category, at)
    deaths = [v.deaths for v in versions] + [int(e.value) for e in events if e.kind == "deaths"]
    small = sorted({count for count in deaths if suppressed(count, category) != count})
    stead = _instead(small, book.of(versions[0]))
    return History(
        versions=tuple(_known(version, category, stead) for version in versions),
        events=tuple(
            Later(
                kind=event.kind,
                value=_value(event.kind, event.value, category),
                happened_at=event.happened_at,
                recorded_at=event.recorded_at,
                as_if=stead.get(int(event.value), 0) if event.kind == "deaths" else 0,
            )
            for event in events
        ),
    )


def _instead(deaths: Iterable[int], limits: IncidentRules) -> dict[int, int]:
    """For numbers in their order the least that are ordered and graded alike."""
    found: dict[int, int] = {}
    least = 1
    for count in deaths:
        found[count] = next(
            n for n in range(least, count + 1) if limits.grade(n, 0, 0) == limits.grade(count, 0, 0)
        )
        least = found[count] + 1
    return found


def _known(state: State, category: str, stead: Mapping[int, int]) -> Known:
    return Known(
        known_at=state.known_at,
        happened_on=state.day,
        discovered_at=state.discovered_at,
        category=state.category,
        liability=state.liability,
        loss_yuan=state.loss_yuan,
        reported_at=state.reported_at,
        reported_by=state.reported_by,  # type: ignore[arg-type]
        voided=state.voided,
        as_if=stead.get(state.deaths, 0),
        **{name: suppressed(getattr(state, name), category) for name in HEADS},
    )


def _value(kind: str, value: str, category: str) -> str:
    if kind in HEADS:
        return str(suppressed(int(value), category))
    # What is neither a figure nor one of two or three words stays at the school.
    return value if kind in {*EVENT_FIGURES, "liability", "reported"} else ""

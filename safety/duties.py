"""What is due at a school, when, and until when: the standards applied to the calendar and the school (PURE).

Everything here is computed, never stored: 500 schools × 30 classes × 200 days cost no rows, and a change of law is a
change of data. An occurrence goes by the numbers in force on its due date. All days are local days of the school's
zone; both ends of every span are inside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Literal

from safety.calendar import DAY, Period, SchoolCalendar, Span
from safety.clock import day_start
from safety.facts import SchoolFacts, size_at
from safety.limits import DutyBook, DutyRules

Cadence = Literal["day", "week", "month", "drill-month", "term", "half-year", "quarter", "drill"]
Units = Literal["school", "class", "meal", "slots", "rounds", "drills", "pupils"]


@dataclass(frozen=True, slots=True)
class Duty:
    """One line of the sheet: how often it falls due, for what units, and how much grace it has."""

    line: str
    cadence: Cadence
    units: Units
    grace: Literal["none", "daily", "weekly", "long"]
    canteen: bool = False

    def is_asked(self, rules: DutyRules) -> bool:
        """Whether there is such a duty at all by the standards of a day."""
        return any(line in rules.asked for line in (ZERO_TARGETS if self.line == ZERO else (self.line,)))


ZERO = "zero"
"""The measured line of zero-reports, which T2, T4, T5 and T6 share."""
EVALUATED = "drills.evaluated"
AWARENESS = "T3"
ZERO_TARGETS = ("T2", "T4", "T5", "T6")

DUTIES: dict[str, Duty] = {
    duty.line: duty
    for duty in (
        Duty(ZERO, "day", "school", "daily"),
        Duty(AWARENESS, "quarter", "pupils", "none"),
        Duty("education.weekly", "week", "class", "weekly"),
        Duty("education.daily", "day", "class", "daily"),
        Duty("education.monthly", "month", "school", "long"),
        Duty("education.legal", "term", "school", "long"),
        Duty("duty.gate", "day", "slots", "daily"),
        Duty("duty.marshal", "day", "slots", "daily"),
        Duty("duty.leader", "day", "school", "daily"),
        Duty("duty.patrol", "day", "rounds", "daily"),
        Duty("food.samples", "day", "meal", "none", canteen=True),
        Duty("food.purchases", "week", "school", "weekly", canteen=True),
        Duty("drills.monthly", "drill-month", "school", "long"),
        Duty(EVALUATED, "drill", "drills", "long"),
        Duty("drills.fire", "half-year", "school", "long"),
    )
}
"""The lines that have a ledger. A line of the sheet that is not here is `no-ledger`: it does not apply yet."""


@dataclass(frozen=True, slots=True)
class Window:
    """One due date of a line: entries of `start`…`end` answer it; on time if recorded up to `grace_until`."""

    key: str
    start: date
    end: date
    due: date
    grace_until: date

    def in_time_until(self, closes: date) -> date:
        """The last day on which an entry is on time in a quarter whose last day before the close is `closes`."""
        return min(self.grace_until, closes)

    def is_cut_by(self, closes: date) -> bool:
        """Whether the quarter closes before the grace is over: what comes after is not late, but backfilled."""
        return closes < self.grace_until


def close_day(period: Period) -> date:
    """The last day before the close: 24:00 of the quarter's last day."""
    return period.end


def close_at(period: Period) -> datetime:
    """The instant of the close (UTC): recorded at or after it is backfilled."""
    return day_start(close_day(period) + timedelta(days=1))


def before_close(period: Period, at: datetime) -> datetime:
    """The instant looked from, or the last one before the close: nothing known later raises the quarter."""
    return min(at, close_at(period) - timedelta(microseconds=1))


def windows(line: str, facts: SchoolFacts, period: Period, book: DutyBook) -> tuple[Window, ...]:
    """The occurrences of a line whose due date falls in the quarter, in order; none without a canteen for its lines."""
    duty = DUTIES[line]
    if duty.canteen and not facts.has_canteen:
        return ()
    return _windows(duty, facts.calendar, facts.stage == "kindergarten", period, book)


@lru_cache(maxsize=4096)
def _windows(
    duty: Duty, calendar: SchoolCalendar, kindergarten: bool, period: Period, book: DutyBook
) -> tuple[Window, ...]:
    return tuple(
        Window(s.key, s.start, s.end, s.due, rules.last_day_of_grace(calendar, duty.grace, s.due))
        for first, last, rules in book.spans(period.start, period.end)
        if duty.is_asked(rules)
        for s in _spans(duty.cadence, calendar, kindergarten, first, last, rules, book)
    )


def _spans(
    cadence: Cadence,
    calendar: SchoolCalendar,
    kindergarten: bool,
    start: date,
    end: date,
    rules: DutyRules,
    book: DutyBook,
) -> Iterable[Span]:  # one case per cadence
    least = rules.month_least_days
    match cadence:
        case "day":
            return (Span(d.isoformat(), d, d, d, 1) for d in calendar.school_days(start, end))
        case "week":
            return calendar.iso_weeks(start, end)
        case "month":
            return (s for s in calendar.months(start, end) if s.school_days >= least)
        case "drill-month":
            spans = calendar.quarters(start, end) if kindergarten else calendar.months(start, end)
            return (s for s in spans if s.school_days >= least)
        case "term":
            return calendar.term_spans(start, end)
        case "half-year":
            return (s for s in calendar.half_years(start, end) if s.school_days >= rules.half_year_least_days)
        case "quarter":
            return calendar.quarters(start, end)
        case "drill":
            return (s for s in _evaluations(start, end, book) if s.due >= start)


def _evaluations(start: date, end: date, book: DutyBook) -> Iterable[Span]:
    """Each drill makes its own evaluation due, the days after it that its own day's standards give, but never before
    that of a drill held earlier: so each due date has one run of drills' days, nearly always a single one.
    """
    longest = max(rules.evaluation_days for _, rules in book.steps)
    day, last = start - timedelta(days=longest), date.min
    firsts: dict[date, tuple[date, date]] = {}
    while day <= end:
        last = max(last, day + timedelta(days=book.on(day).evaluation_days))
        first, _ = firsts.get(last, (day, day))
        firsts[last] = first, day
        day += DAY
    return (Span(due.isoformat(), first, upto, due, 0) for due, (first, upto) in firsts.items() if due <= end)


def class_ids(facts: SchoolFacts, day: date) -> tuple[int, ...]:
    """The ids of the classes that exist on a day."""
    return facts.class_ids_on(day)


def base_expected(line: str, facts: SchoolFacts, window: Window, book: DutyBook) -> int:
    """How many occurrences the standard alone makes due in a window; entries may add to it (rosters, drills)."""
    match DUTIES[line].units:
        case "class":
            return len(class_ids(facts, window.due))
        case "meal":
            return len(facts.meals)
        case "slots":
            return book.on(window.due).slots_of(line)
        case "rounds":
            return book.on(window.due).patrol_rounds
        case "drills":
            return 0
        case _:
            return 1


def pupils_on(facts: SchoolFacts, day: date, at: datetime) -> int:
    """Pupils of the classes that exist on a day, by the head-counts in force at an instant."""
    return sum(size_at(item.sizes, at) for item in facts.classes if item.exists_on(day))

"""School days, quarters and due dates: pure functions of dates, read by everything that asks what was due.

Nothing here knows the time of day or today's date. Every date is a calendar date in the school's own zone.
"""

import calendar as gregorian
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

from safety.national import DAY, HOLIDAY_NAMES_EN, National

__all__ = [
    "DAY",
    "HOLIDAY_NAMES_EN",
    "Holiday",
    "National",
    "Period",
    "SchoolCalendar",
    "Span",
    "TermSpan",
]

#: How far ahead the next school day is looked for; longer than any school holiday.
LOOKAHEAD = timedelta(days=120)
#: No grace of any kind exceeds this, so no on-time limit reaches further past a period's end.
MOST_GRACE = timedelta(days=7)
#: A notice before a holiday may be given on any of the fourteen days that end with its due date.
NOTICE_DAYS = timedelta(days=13)
#: Shorter runs of days off are ordinary weekends.
HOLIDAY_RUN = 3

_QUARTER = re.compile(r"(2[01][0-9]{2})Q([1-4])")
_YEARS = range(2000, 2200)


# ---------------------------------------------------------------- quarters
@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A calendar quarter, such as 2026Q3; `start` and `end` are both inside it."""

    id: str
    start: date
    end: date

    @classmethod
    def parse(cls, text: str) -> "Period":
        """The quarter written `YYYYQn`, years 2000 to 2199; ValueError names what was written instead."""
        match = _QUARTER.fullmatch(text)
        if match is None:
            raise ValueError(f"not a quarter such as 2026Q3: {text!r}")
        return cls._make(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, day: date) -> "Period":
        """The quarter that holds the day."""
        return cls._make(day.year, (day.month + 2) // 3)

    @classmethod
    def _make(cls, year: int, quarter: int) -> "Period":
        if year not in _YEARS:
            raise ValueError(f"not a year from {_YEARS[0]} to {_YEARS[-1]}: {year}")
        first = date(year, quarter * 3 - 2, 1)
        return cls(f"{year}Q{quarter}", first, _month_end(year, quarter * 3))

    def next(self) -> "Period":
        """The quarter after this one."""
        return Period.of(self.end + DAY)

    def previous(self) -> "Period":
        """The quarter before this one."""
        return Period.of(self.start - DAY)

    def months(self) -> tuple[tuple[date, date], ...]:
        """First and last day of each of its three months."""
        year, first = self.start.year, self.start.month
        return tuple((date(year, m, 1), _month_end(year, m)) for m in range(first, first + 3))

    def __contains__(self, day: date) -> bool:
        return self.start <= day <= self.end

    def __str__(self) -> str:
        return self.id


def _month_end(year: int, month: int) -> date:
    return date(year, month, gregorian.monthrange(year, month)[1])


# ---------------------------------------------------------------- one school's calendar
@dataclass(frozen=True, slots=True, order=True)
class TermSpan:
    """One term; both days are inside it."""

    name: str
    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise ValueError(f"term {self.name!r} ends on {self.end}, before it starts on {self.start}")


@dataclass(frozen=True, slots=True)
class Span:
    """A week, month, quarter, half-year, term or year: its days, its due date, how many school days."""

    key: str
    start: date
    end: date
    due: date
    school_days: int


@dataclass(frozen=True, slots=True)
class Holiday:
    """What a notice is due before; its period is `start` to `due`.

    `name` is the ending term's name, else the Chinese name of the first public holiday in the run.
    """

    key: str
    start: date
    due: date
    name: str
    ends_term: bool

    @property
    def end(self) -> date:
        """The period's last day, which is the due date."""
        return self.due


@dataclass(frozen=True)
class SchoolCalendar:
    """A school's terms, closures and extra days over the national calendar; hashable, so results cache well.

    A school day is a national working day inside a term and not closed, or an extra day (also outside a
    term, also on a day off). ValueError names a date that is both closed and extra.
    """

    terms: tuple[TermSpan, ...]
    closed: frozenset[date] = frozenset()
    extra: frozenset[date] = frozenset()
    national: National = field(default_factory=National)

    def __post_init__(self) -> None:
        both = sorted(self.closed & self.extra)
        if both:
            raise ValueError(f"{both[0]} is both closed and an extra day")

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # The parts are hashed once: calendars are looked up thousands of times per score.
        return hash((self.terms, self.closed, self.extra, self.national))

    @cached_property
    def _set(self) -> frozenset[date]:
        working, closed = self.national.is_working_day, self.closed
        inside = (d for term in self.terms for d in _days(term.start, term.end))
        return frozenset(d for d in inside if d not in closed and working(d)) | self.extra

    @cached_property
    def _days(self) -> tuple[date, ...]:
        return tuple(sorted(self._set))

    # ---- days
    def is_school_day(self, day: date) -> bool:
        """Whether the school holds lessons that day."""
        return day in self._set

    def school_days(self, start: date, end: date) -> tuple[date, ...]:
        """The school days from start to end, both included, in order."""
        return self._days[bisect_left(self._days, start) : bisect_right(self._days, end)]

    def count(self, start: date, end: date) -> int:
        """How many school days lie from start to end, both included."""
        return max(0, bisect_right(self._days, end) - bisect_left(self._days, start))

    def next_school_day(self, day: date) -> date | None:
        """The first school day strictly after the day; None if there is none within 120 days."""
        at = bisect_right(self._days, day)
        found = self._days[at] if at < len(self._days) else None
        return found if found is not None and found - day <= LOOKAHEAD else None

    def last_school_day(self, start: date, end: date) -> date | None:
        """The last school day from start to end, both included, or None."""
        at = bisect_right(self._days, end)
        return self._days[at - 1] if at and self._days[at - 1] >= start else None

    # ---- periods whose due date falls from start to end
    def iso_weeks(self, start: date, end: date) -> tuple[Span, ...]:
        """ISO weeks with a school day, whose last school day lies in the window."""
        monday = start - DAY * start.weekday()
        weeks: list[Span] = []
        while monday <= end:
            sunday = monday + DAY * 6
            due = self.last_school_day(monday, sunday)
            if due is not None and start <= due <= end:
                year, week, _ = monday.isocalendar()
                weeks.append(Span(f"{year}-W{week:02}", monday, sunday, due, self.count(monday, sunday)))
            monday += DAY * 7
        return tuple(weeks)

    def months(self, start: date, end: date) -> tuple[Span, ...]:
        """Months due in the window: on their last school day, or their last day if they have none."""
        return self._of_months(start, end, 1, lambda y, m: f"{y}-{m:02}")

    def quarters(self, start: date, end: date) -> tuple[Span, ...]:
        """Quarters due in the window, by the same rule."""
        return self._of_months(start, end, 3, lambda y, m: f"{y}Q{(m + 2) // 3}")

    def half_years(self, start: date, end: date) -> tuple[Span, ...]:
        """Half-years (January to June, July to December) due in the window, by the same rule."""
        return self._of_months(start, end, 6, lambda y, m: f"{y}H{(m + 5) // 6}")

    def years(self, start: date, end: date) -> tuple[Span, ...]:
        """Calendar years due in the window, by the same rule."""
        return self._of_months(start, end, 12, lambda y, _: f"{y}")

    def school_years(self, start: date, end: date) -> tuple[Span, ...]:
        """School years (1 September to 31 August) due in the window, by the same rule."""
        years = range(start.year - 1, end.year + 1)
        spans = (self._span(f"{y}-{y + 1}", date(y, 9, 1), date(y + 1, 8, 31)) for y in years)
        return tuple(s for s in spans if start <= s.due <= end)

    def term_spans(self, start: date, end: date) -> tuple[Span, ...]:
        """Terms due in the window, by the same rule; the key is the term's name."""
        spans = (self._span(t.name, t.start, t.end) for t in sorted(self.terms, key=lambda t: t.start))
        return tuple(s for s in spans if start <= s.due <= end)

    def holidays(self, start: date, end: date) -> tuple[Holiday, ...]:
        """What notices are due before, in the window, by due date.

        These are runs of three or more days off with a public holiday among them, and ends of terms; both on
        one due date are one occurrence.
        """
        return tuple(h for h in self._holidays if start <= h.due <= end)

    # ---- provisional years
    def provisional_years(self, start: date, end: date) -> tuple[int, ...]:
        """Provisional years that figures of the window rest on, on-time limits past its end included."""
        years = range(start.year, (end + MOST_GRACE).year + 1)
        return tuple(y for y in years if self.national.is_provisional(y))

    def is_provisional(self, start: date, end: date) -> bool:
        """Whether any figure of the window must be marked 暂定（未发布）."""
        return bool(self.provisional_years(start, end))

    # ---- last day of grace, included
    def grace_none(self, due: date) -> date:
        """No grace: the due date itself."""
        return due

    def grace_daily(self, day: date, most: int = 7, school_days: int = 1) -> date:
        """The next school day (or that many on), at most `most` days on; that many if there is none."""
        latest = day + DAY * most
        at = bisect_right(self._days, day) + school_days - 1
        return min(self._days[at], latest) if at < len(self._days) else latest

    def grace_weekly(self, due: date, days: int = 3, most: int = 7) -> date:
        """`days` days on, at least the next school day, at most `most` days on."""
        return min(max(due + DAY * days, self.next_school_day(due) or due), due + DAY * most)

    def grace_long(self, due: date, days: int = 7) -> date:
        """`days` days on, for months and longer."""
        return due + DAY * days

    # ---- how the above is worked out
    def _span(self, key: str, first: date, last: date) -> Span:
        due = self.last_school_day(first, last) or last
        return Span(key, first, last, due, self.count(first, last))

    def _of_months(
        self, start: date, end: date, step: int, key: Callable[[int, int], str]
    ) -> tuple[Span, ...]:
        year, month = start.year, (start.month - 1) // step * step + 1
        spans: list[Span] = []
        while date(year, month, 1) <= end:
            spans.append(
                self._span(key(year, month), date(year, month, 1), _month_end(year, month + step - 1))
            )
            year, month = (year, month + step) if month + step <= 12 else (year + 1, 1)
        return tuple(s for s in spans if start <= s.due <= end)

    @cached_property
    def _holidays(self) -> tuple[Holiday, ...]:
        named = dict(self._runs())
        ends = {due: t.name for t in self.terms if (due := self.last_school_day(t.start, t.end))}
        return tuple(
            Holiday(due.isoformat(), due - NOTICE_DAYS, due, ends.get(due) or named[due], due in ends)
            for due in sorted(named.keys() | ends.keys())
        )

    def _runs(self) -> Iterator[tuple[date, str]]:
        """(last school day before, holiday's name) of each run of days off that holds a public holiday."""
        if not self._days:
            return
        # After the last known school day the run has no known end; a year of it holds every holiday.
        bounds = (*self._days, self._days[-1] + DAY * 366)
        for before, after in pairwise(bounds):
            if (after - before).days > HOLIDAY_RUN:
                names = (self.national.holiday_name(d) for d in _days(before + DAY, after - DAY))
                name = next((n for n in names if n), None)
                if name:
                    yield before, name


def _days(first: date, last: date) -> Iterator[date]:
    return (first + DAY * n for n in range((last - first).days + 1))

"""From rows to counts: how much of what was due by an instant was done, when, and what is still open (PURE)."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from math import ceil

from safety.calendar import Period
from safety.clock import local_day
from safety.duties import base_expected, before_close, close_day, pupils_on, windows
from safety.facts import SchoolFacts, size_at
from safety.limits import DutyBook
from safety.measures import Row

REACHED = "education.weekly"
"""The measured line whose amounts T1 reads: pupils reached, of the pupils of the classes due."""
SETTLED_AFTER = timedelta(days=8)
"""No grace is longer than seven days, so after these nothing is open any more."""


@dataclass(frozen=True, slots=True)
class Count:
    """A line's counts as of an instant. `amount` ÷ `whole` is its own ratio where it has one."""

    expected: int = 0
    on_time: int = 0
    late: int = 0
    backfilled: int = 0
    open: int = 0
    amount: int = 0
    whole: int = 0

    @property
    def missing(self) -> int:
        return max(0, self.expected - self.on_time - self.late - self.backfilled)


@dataclass(frozen=True, slots=True)
class LineTallies:
    """A line's rows by due date after `until`, and the sums of all its rows due up to then."""

    rows: dict[date, Row]
    settled: Row
    until: date

    @classmethod
    def of(cls, line: str, rows: Iterable[Row], until: date) -> "LineTallies":
        """Rows of a quarter parted at a settled day."""
        sums = Row(line, until)
        recent: dict[date, Row] = {}
        for row in rows:
            if row.day > until:
                recent[row.day] = row
            else:
                sums.merge(row)
        return cls(recent, sums, until)


def settled_until(at: datetime) -> date:
    """The last due date whose on-time limit has surely passed: what fell due by then is no longer open."""
    return local_day(at) - SETTLED_AFTER


@dataclass(frozen=True, slots=True)
class Moment:
    """A quarter as it is looked at from an instant: worked out once for all of a school's lines.

    `today` is its local day, `closes` the last day before the close, `frozen` the instant or, after the close, the last
    one before it; `until` the last due date of which nothing is open any more.
    """

    period: Period
    today: date
    closes: date
    frozen: datetime
    until: date

    @classmethod
    def of(cls, period: Period, at: datetime) -> "Moment":
        return cls(period, local_day(at), close_day(period), before_close(period, at), settled_until(at))


def _settled(
    line: str, facts: SchoolFacts, period: Period, book: DutyBook, until: date, frozen: datetime
) -> tuple[int, int]:
    """(occurrences by the standard alone, pupils of the classes due) of the windows due up to a settled day."""
    key = line, period.id, book, until, bisect_right(facts.size_changes, frozen)
    if key not in facts.memo:
        spans = [w for w in windows(line, facts, period, book) if w.due <= until]
        pupils = sum(pupils_on(facts, w.due, frozen) for w in spans) if line == REACHED else 0
        facts.memo[key] = sum(base_expected(line, facts, w, book) for w in spans), pupils
    return facts.memo[key]  # type: ignore[return-value]


def count_line(line: str, facts: SchoolFacts, book: DutyBook, tallies: LineTallies, moment: Moment) -> Count:
    """A measured line's counts as of an instant: windows due by then, the unfilled ones open while still in time."""
    period, today, frozen = moment.period, moment.today, moment.frozen
    until, sums = tallies.until, tallies.settled
    expected, whole = _settled(line, facts, period, book, until, frozen)
    expected += sums.extra
    on_time, late, backfilled, amount = sums.on_time, sums.late, sums.backfilled, sums.amount
    still_open = 0
    # A quarter that is settled as a whole, as most that are looked at are, has no window left to look at.
    rest = windows(line, facts, period, book) if until < period.end else ()
    for window in rest:
        if not until < window.due <= today:
            continue
        row = tallies.rows.get(window.due) or Row(line, window.due)
        due = base_expected(line, facts, window, book) + row.extra
        is_open = today <= window.in_time_until(moment.closes)
        expected += min(row.filled, due) if is_open else due
        still_open += max(0, due - row.filled) if is_open else 0
        on_time, late, amount = on_time + row.on_time, late + row.late, amount + row.amount
        backfilled += row.backfilled
        if line == REACHED:
            whole += row.whole if is_open else pupils_on(facts, window.due, frozen)
    return Count(expected, on_time, late, backfilled, still_open, amount, whole)


def awareness_need(facts: SchoolFacts, share: Fraction, moment: Moment) -> Fraction:
    """The share of the enrolment that T3 wants checked, in pupils; of the enrolment as the quarter closed."""
    return share * size_at(facts.enrolments, moment.frozen)


def count_awareness(facts: SchoolFacts, need: Fraction, tallies: LineTallies, moment: Moment) -> Count:
    """T3 in pupils: expected is the share of the enrolment to be checked, open until a check or the quarter's end."""
    period = moment.period
    row = tallies.rows.get(period.end) or tallies.settled
    expected = ceil(need)
    due = facts.calendar.last_school_day(period.start, period.end) or period.end
    if not row.on_time and moment.today <= due:
        return Count(open=expected)
    return Count(expected, min(row.whole, expected), amount=row.amount, whole=row.whole)

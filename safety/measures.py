"""Entries laid against what was due: which occurrence each answers, and how timely (PURE).

The same functions serve the write of one entry (one window) and the full recompute (all of a quarter), so the tallies
and the recompute cannot come to different numbers. Timeliness is decided by local days, since every limit is a
midnight; only zero-reports, incidents and duty slots look at instants.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from safety.calendar import DAY, Period
from safety.duties import Window, before_close, close_day
from safety.facts import SchoolFacts
from safety.limits import DutyBook

ON_TIME, LATE, BACKFILLED = 0, 1, 2


class Version(NamedTuple):
    """An earlier version of an entry. `valid` says whether it passed its ledger's checks for the line."""

    day: date
    unit: Hashable
    recorded_on: date
    recorded_at: datetime | None
    amount: int = 0
    valid: bool = True
    extra: object = None


class Mark(NamedTuple):
    """A valid entry of a line; without an id, what the database has already gathered of several.

    `many`: that many units, each answered, share the day and the day of recording (0: `unit` names the one unit).

    `unit`: class id, meal or None. `recorded_on`: the local day of recording that times it, but for `history`:
    earlier versions of the entry, oldest first. `amount`: what the line adds up, if anything. `extra`: the line's own.
    `share`: the line that it is of, where several are gathered together.
    """

    id: UUID | None
    day: date
    unit: Hashable
    recorded_on: date
    recorded_at: datetime | None = None
    many: int = 0
    amount: int = 0
    history: tuple[Version, ...] = ()
    extra: object = None
    share: Hashable = None


class Fill(NamedTuple):
    """An entry that answers an occurrence: what a line of the return leads back to.

    `timed_on`: the local day that decides its timing, where that is not its own recording's (an earlier version's, an
    evaluation's). `amount` and `whole`: what it adds to the line's ratio, as in `Row`; of a class's week the `amount`
    alone, that of its best session.
    """

    entry: UUID
    occurrence: str
    day: date
    timing: int
    recorded_at: datetime | None
    timed_on: date | None = None
    amount: int = 0
    whole: int = 0


@dataclass(slots=True)
class Row:
    """What one line of a school comes to on one due date; stored as its tally."""

    line: str
    day: date
    extra: int = 0
    on_time: int = 0
    late: int = 0
    backfilled: int = 0
    amount: int = 0
    whole: int = 0

    @property
    def filled(self) -> int:
        return self.on_time + self.late + self.backfilled

    def add(self, timing: int, count: int = 1) -> None:
        if timing == ON_TIME:
            self.on_time += count
        elif timing == LATE:
            self.late += count
        else:
            self.backfilled += count

    def merge(self, other: "Row") -> None:
        """Add another row's figures to this one's."""
        self.extra += other.extra
        self.on_time += other.on_time
        self.late += other.late
        self.backfilled += other.backfilled
        self.amount += other.amount
        self.whole += other.whole

    def is_empty(self) -> bool:
        return not (self.on_time or self.late or self.backfilled or self.extra or self.amount or self.whole)


class Beside(NamedTuple):
    """An entry of an occurrence that does not answer it: a drill not evaluated yet, a zero-report made too late."""

    entry: UUID
    occurrence: str
    day: date
    recorded_at: datetime | None


@dataclass(slots=True)
class Measured:
    """The rows of a line that are not empty, the entries behind them, and those that stand beside."""

    rows: list[Row]
    fills: list[Fill]
    beside: list[Beside] = field(default_factory=list)


def timing_of(recorded_on: date, grace_until: date, closes: date) -> int:
    """On time up to the last day of grace, late up to the close, backfilled after it whatever the grace."""
    if recorded_on > closes:
        return BACKFILLED
    return ON_TIME if recorded_on <= grace_until else LATE


def first_alike(
    history: Sequence[Version], alike: Callable[[Version], bool], own: date, closes: date
) -> Version | None:
    """The version that times an entry recorded on `own`: the first that was valid for the same occurrence.

    None if it times itself: also where it was changed back after the close from something else, for as the quarter
    closed it did not answer that occurrence, and nothing raises a closed quarter.
    """
    found = next((version for version in history if alike(version)), None)
    if found is not None and own > closes:
        stood = [version for version in history if version.recorded_on <= closes]
        if not (stood and alike(stood[-1])):
            return None
    return found


def timed_on(mark: Mark, window: Window, unit: Hashable, closes: date) -> date:
    """The local day that times an entry for a window."""
    if not mark.history:
        return mark.recorded_on

    def alike(version: Version) -> bool:
        return version.valid and version.unit == unit and window.start <= version.day <= window.end

    found = first_alike(mark.history, alike, mark.recorded_on, closes)
    return found.recorded_on if found else mark.recorded_on


@dataclass(frozen=True)
class Setting:
    """What every measure needs besides marks: the school, the quarter, the numbers, and the instant looked from."""

    facts: SchoolFacts
    period: Period
    rules: DutyBook
    at: datetime

    # Worked out once: every mark asks.
    @cached_property
    def closes(self) -> date:
        return close_day(self.period)

    @cached_property
    def frozen_at(self) -> datetime:
        """The instant looked from, or the last one before the close: nothing known later raises the quarter."""
        return before_close(self.period, self.at)


Measure = Callable[[str, Sequence[Window], Sequence[Mark], Setting], Measured]


def by_day(marks: Iterable[Mark]) -> dict[date, list[Mark]]:
    found: dict[date, list[Mark]] = defaultdict(list)
    for mark in marks:
        found[mark.day].append(mark)
    return found


def within(days: Mapping[date, list[Mark]], window: Window) -> list[Mark]:
    if window.start == window.end:
        return days.get(window.start, [])
    length = (window.end - window.start).days + 1
    if length < len(days):
        held = (window.start + DAY * n for n in range(length))
        return [mark for day in held if day in days for mark in days[day]]
    return [mark for day, marks in days.items() if window.start <= day <= window.end for mark in marks]


Work = Callable[[Window, Row, list[Fill]], None]


def collect(line: str, spans: Iterable[Window], work: Work) -> Measured:
    """The rows that `work` fills, one for each window, with the entries behind them; empty rows left out."""
    rows: list[Row] = []
    fills: list[Fill] = []
    for window in spans:
        row = Row(line, window.due)
        work(window, row, fills)
        if not row.is_empty():
            rows.append(row)
    return Measured(rows, fills)


# ---------------------------------------------------------------- one entry per unit
def per_unit(line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting) -> Measured:
    """Each unit of a window is answered by its most timely entry."""
    days = by_day(marks)
    closes = setting.closes

    def work(window: Window, row: Row, fills: list[Fill]) -> None:
        most_timely(within(days, window), window, closes, row, fills)

    return collect(line, spans, work) if days else Measured([], [])


def most_timely(marks: Iterable[Mark], window: Window, closes: date, row: Row, fills: list[Fill]) -> None:
    """Add to a row what a window's entries come to, where each of its units is answered by its most timely one."""
    best: dict[Hashable, tuple[int, Mark]] = {}
    for mark in marks:
        own = timed_on(mark, window, mark.unit, closes) if mark.history else mark.recorded_on
        timing = timing_of(own, window.grace_until, closes)
        if mark.many:
            row.add(timing, mark.many)
        elif mark.unit not in best or timing < best[mark.unit][0]:
            best[mark.unit] = timing, mark
    for unit, (timing, mark) in best.items():
        row.add(timing)
        if mark.id is not None:
            note(fills, mark, window, timing, unit, timed_on(mark, window, unit, closes))


def note(
    fills: list[Fill],
    mark: Mark,
    window: Window,
    timing: int,
    unit: Hashable = None,
    timed: date | None = None,
    amount: int = 0,
    whole: int = 0,
) -> None:
    """Name the entry behind an answered occurrence; what the database gathered has no id to name."""
    if mark.id is not None:
        key = window.key if unit is None else f"{window.key}/{unit}"
        own = None if timed == mark.recorded_on else timed
        fills.append(Fill(mark.id, key, mark.day, timing, mark.recorded_at, own, amount, whole))


# ---------------------------------------------------------------- awareness checks (T3)
def awareness_ratio(passed: int, checked: int, need: Fraction) -> Fraction:
    """Passed ÷ checked, times how much of the pupils that must be checked (`need`) were; 0 without any check."""
    if not checked:
        return Fraction(0)
    covered = min(Fraction(1), checked / need) if need else Fraction(1)
    return Fraction(passed, checked) * covered

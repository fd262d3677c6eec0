"""The duties' and incidents' numbers as the standards give them, typed, day by day. Pure."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property
from typing import Generic, TypeVar

from safety.calendar import SchoolCalendar
from safety.standard_records import as_fraction, as_int
from safety.standards import Standards

SLOTTED = ("duty.gate", "duty.marshal", "duty.leader")
INCIDENT_GRADES = ("extraordinary", "major", "larger")
INCIDENT_CATEGORIES = ("traffic", "food_poisoning", "mental_health", "facility", "other")
CADENCE = ".cadence"
T = TypeVar("T")


# ---------------------------------------------------------------- day by day
@dataclass(frozen=True)
class Dated(Generic[T]):
    """What holds from which day on, in order of the days; before the first of them its value holds too."""

    steps: tuple[tuple[date, T], ...]

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(self.steps)

    @cached_property
    def _days(self) -> tuple[date, ...]:
        return tuple(day for day, _ in self.steps)

    @classmethod
    def of(cls, make: Callable[[date], T], days: Iterable[date]) -> "Dated[T]":
        """What is made of each of these days (in order, at least one); days that change nothing left out."""
        steps: list[tuple[date, T]] = []
        for day in days:
            made = make(day)
            if not steps or steps[-1][1] != made:
                steps.append((day, made))
        return cls(tuple(steps))

    @classmethod
    def always(cls, value: T) -> "Dated[T]":
        """The same on every day."""
        return cls(((date.min, value),))

    def on(self, day: date) -> T:
        """What holds that day."""
        # Nearly always nothing changes, and this is asked for every occurrence of every school.
        if len(self.steps) == 1:
            return self.steps[0][1]
        return self.steps[max(0, bisect_right(self._days, day) - 1)][1]

    def within(self, start: date, end: date) -> "Dated[T]":
        """As much of it as holds on any day from start to end."""
        return Dated(tuple((first, value) for first, _, value in self.spans(start, end)))

    def spans(self, start: date, end: date) -> Iterator[tuple[date, date, T]]:
        """The parts of start to end, each with its first and last day and what holds on all of it."""
        first = max(0, bisect_right(self._days, start) - 1)
        last = bisect_right(self._days, end)
        for at in range(first, max(last, first + 1)):
            since = start if at == first else self.steps[at][0]
            until = self.steps[at + 1][0] - timedelta(days=1) if at + 1 < last else end
            yield since, until, self.steps[at][1]


# ---------------------------------------------------------------- duties
@dataclass(frozen=True)
class DutyRules:
    """The duties' numbers on one day. `asked`: the lines that there are that day, as their cadence says."""

    asked: frozenset[str]
    grace_school_days: int
    grace_weekly_days: int
    grace_long_days: int
    grace_most_days: int
    month_least_days: int
    half_year_least_days: int
    least_slots: tuple[tuple[str, int], ...]
    patrol_rounds: int
    patrol_gap: timedelta
    checkin_lead: timedelta
    sample_grams: int
    sample_kept: timedelta
    evaluation_days: int
    awareness_share: Fraction

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Worked out once: windows are looked up by these rules for every line of every school.
        return hash(tuple(getattr(self, item.name) for item in fields(self)))

    @classmethod
    def from_standards(cls, standards: Standards, on: date) -> "DutyRules":
        """The numbers in force that day, and those nearest to it where a duty is not asked for yet, or no longer;
        NoStandard names one that there never is.
        """

        def number(id_: str) -> int:
            return as_int(standards.record_near(id_, on))

        return cls(
            asked=frozenset(
                r.id.removesuffix(CADENCE) for r in standards.in_force(on) if r.id.endswith(CADENCE)
            ),
            grace_school_days=number("grace.daily"),
            grace_weekly_days=number("grace.weekly"),
            grace_long_days=number("grace.long"),
            grace_most_days=number("grace.most"),
            month_least_days=number("month.least_school_days"),
            half_year_least_days=number("half_year.least_school_days"),
            least_slots=tuple((line, number(f"{line}.least_slots")) for line in SLOTTED),
            patrol_rounds=number("duty.patrol.rounds"),
            patrol_gap=timedelta(minutes=number("duty.patrol.gap")),
            checkin_lead=timedelta(minutes=number("duty.checkin.lead")),
            sample_grams=number("food.samples.least_grams"),
            sample_kept=timedelta(hours=number("food.samples.least_hours")),
            evaluation_days=number("drills.evaluated.due_days"),
            awareness_share=as_fraction(standards.record_near("targets.awareness_share", on)),
        )

    def slots_of(self, line: str) -> int:
        """The least slots of a school day on a rostered line; KeyError for any other line."""
        return dict(self.least_slots)[line]

    def last_day_of_grace(self, calendar: SchoolCalendar, grace: str, due: date) -> date:
        """The last day, included, on which it may be recorded on time; `grace` is one of GRACES."""
        if grace == "daily":
            return calendar.grace_daily(due, self.grace_most_days, self.grace_school_days)
        if grace == "weekly":
            return calendar.grace_weekly(due, self.grace_weekly_days, self.grace_most_days)
        if grace == "long":
            return calendar.grace_long(due, min(self.grace_long_days, self.grace_most_days))
        return calendar.grace_none(due)


DutyBook = Dated[DutyRules]
"""The duties' numbers day by day: an occurrence goes by those of its due date."""


# ---------------------------------------------------------------- incidents
@dataclass(frozen=True, slots=True)
class GradeLimit:
    """The least deaths, serious injuries or direct loss in yuan of a grade, any of them enough."""

    id: str
    deaths: int
    serious_injuries: int
    loss_yuan: int

    def reached(self, deaths: int, serious_injuries: int, loss_yuan: int) -> bool:
        """Whether any one number reaches the grade."""
        return (
            deaths >= self.deaths or serious_injuries >= self.serious_injuries or loss_yuan >= self.loss_yuan
        )


@dataclass(frozen=True, slots=True)
class IncidentRules:
    """Grading by Decree 493, art. 3, and the time from discovery to the school's report, on one day.

    Silence for `multiple` deadlines counts as concealment; a finding may be pending for `pending_days`.
    """

    limits: tuple[GradeLimit, ...]
    severe: timedelta
    by_category: tuple[tuple[str, timedelta], ...]
    multiple: int
    pending_days: int

    @classmethod
    def from_standards(cls, standards: Standards, on: date) -> "IncidentRules":
        """The limits in force that day, before there are any the first; NoStandard names one that there never is."""
        names = ("deaths", "serious_injuries", "loss_yuan")

        def number(id_: str) -> int:
            return as_int(standards.record_near(id_, on))

        def hours(kind: str) -> timedelta:
            return timedelta(hours=number(f"incident.report.{kind}"))

        return cls(
            limits=tuple(
                GradeLimit(g, *(number(f"incident.grade.{g}.{name}") for name in names))
                for g in INCIDENT_GRADES
            ),
            severe=hours("severe"),
            by_category=tuple((c, hours(c)) for c in INCIDENT_CATEGORIES),
            multiple=number("reporting.multiple"),
            pending_days=number("targets.pending_days"),
        )

    def grade(self, deaths: int, serious_injuries: int, loss_yuan: int) -> str:
        """`extraordinary`, `major`, `larger` or `ordinary`: the highest that any number reaches."""
        reached = (g.id for g in self.limits if g.reached(deaths, serious_injuries, loss_yuan))
        return next(reached, "ordinary")

    def deadline(self, category: str, grade: str, deaths: int) -> timedelta:
        """From discovery to the report; grade larger or above, or a death, has the severe limit."""
        severe = grade != "ordinary" or deaths > 0
        ordinary = dict(self.by_category)[category]
        return min(self.severe, ordinary) if severe else ordinary

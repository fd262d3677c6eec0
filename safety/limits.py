"""The duties' and incidents' numbers as the standards in force on one day give them, typed. Pure."""

from dataclasses import dataclass, fields
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from safety.calendar import SchoolCalendar
from safety.standards import Standards

SLOTTED = ("duty.gate", "duty.marshal", "duty.leader")
INCIDENT_GRADES = ("extraordinary", "major", "larger")
INCIDENT_CATEGORIES = ("traffic", "food_poisoning", "mental_health", "facility", "other")


# ---------------------------------------------------------------- duties
@dataclass(frozen=True)
class DutyRules:
    """The duties' numbers on one day."""

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
    kindergarten_drills: tuple[str, ...]
    awareness_share: Fraction

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        # Worked out once: windows are looked up by these rules for every line of every school.
        return hash(tuple(getattr(self, item.name) for item in fields(self)))

    @classmethod
    def from_standards(cls, standards: Standards, on: date) -> "DutyRules":
        """The numbers in force that day; NoStandard names a missing one."""

        def number(id_: str) -> int:
            return standards.int_on(id_, on)

        return cls(
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
            kindergarten_drills=standards.list_on("drills.monthly.cadence.kindergarten", on),
            awareness_share=standards.fraction_on("targets.awareness_share", on),
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
    """Grading by Decree 493, art. 3, and the time from discovery to the school's report."""

    limits: tuple[GradeLimit, ...]
    severe: timedelta
    by_category: tuple[tuple[str, timedelta], ...]

    @classmethod
    def from_standards(cls, standards: Standards, on: date) -> "IncidentRules":
        """The limits in force that day; NoStandard names a missing one."""
        names = ("deaths", "serious_injuries", "loss_yuan")

        def hours(kind: str) -> timedelta:
            return timedelta(hours=standards.int_on(f"incident.report.{kind}", on))

        limits = (
            GradeLimit(g, *(standards.int_on(f"incident.grade.{g}.{name}", on) for name in names))
            for g in INCIDENT_GRADES
        )
        return cls(tuple(limits), hours("severe"), tuple((c, hours(c)) for c in INCIDENT_CATEGORIES))

    def grade(self, deaths: int, serious_injuries: int, loss_yuan: int) -> str:
        """`extraordinary`, `major`, `larger` or `ordinary`: the highest that any number reaches."""
        reached = (g.id for g in self.limits if g.reached(deaths, serious_injuries, loss_yuan))
        return next(reached, "ordinary")

    def deadline(self, category: str, grade: str, deaths: int) -> timedelta:
        """From discovery to the report; grade larger or above, or a death, has the severe limit."""
        severe = grade != "ordinary" or deaths > 0
        ordinary = dict(self.by_category)[category]
        return min(self.severe, ordinary) if severe else ordinary

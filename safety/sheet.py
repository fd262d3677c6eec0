"""What the standards say on one day, typed: the scoring sheet, duties' numbers, incidents' limits. Pure.

Points are whole hundredths (400 is 4 points), ratios are exact fractions. A sheet whose parts do not add up
is refused, so a perfect school always scores 100.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from functools import cached_property

from safety.calendar import SchoolCalendar
from safety.standards import Record, Standards, as_hundredths

HALVES = ("targets", "duties")
GRACES = ("daily", "weekly", "long", "none")
CADENCES = (
    "daily",
    "weekly",
    "monthly",
    "termly",
    "holiday",
    "quarterly",
    "half_yearly",
    "school_yearly",
    "each",
    "deadline",
)
SLOTTED = ("duty.gate", "duty.marshal", "duty.leader")
INCIDENT_GRADES = ("extraordinary", "major", "larger")
INCIDENT_CATEGORIES = ("traffic", "food_poisoning", "mental_health", "facility", "other")


class BadSheet(ValueError):
    """The values in force do not make a scoring sheet; the message names the id."""


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line: its full points, its rule in words, and the law behind it where there is one."""

    id: str
    group: str
    points: int
    record: Record
    cadence: Record
    basis: Record | None
    rule_zh: str
    rule_en: str
    cadences: tuple[str, ...]
    graces: tuple[str, ...]

    def name(self, lang: str) -> str:
        """Its short name, `zh` or `en`."""
        return self.record.name(lang)

    def rule(self, lang: str) -> str:
        """Its rule, with the numbers in force that day."""
        return self.rule_zh if lang == "zh" else self.rule_en

    def citation(self, lang: str) -> str:
        """The source of the duty: its law if there is one, and of how often if that is not law."""
        if self.basis is None:
            return self.cadence.citation(lang)
        if self.cadence.is_law:
            return self.basis.citation(lang)
        joint = "；频次：" if lang == "zh" else "; how often: "
        return self.basis.citation(lang) + joint + self.cadence.citation(lang)

    @property
    def source(self) -> str:
        """The citation in Chinese, as documents that have one language carry it."""
        return self.citation("zh")

    def points_citation(self, lang: str) -> str:
        """The source of its points, which no law gives."""
        return self.record.citation(lang)


@dataclass(frozen=True, slots=True)
class SheetGroup:
    """One group, whose lines' points add up to its own."""

    id: str
    half: str
    points: int
    record: Record
    lines: tuple[SheetLine, ...]

    def name(self, lang: str) -> str:
        """Its short name, `zh` or `en`."""
        return self.record.name(lang)


@dataclass(frozen=True, slots=True)
class GradeStep:
    """A grade and the least total, in hundredths, that earns it."""

    id: str
    least: int
    record: Record

    def name(self, lang: str) -> str:
        """Its name, `zh` or `en`."""
        return self.record.name(lang)


@dataclass(frozen=True, slots=True)
class Factors:
    """What an entry is worth by when it was recorded."""

    on_time: Fraction
    late: Fraction
    backfilled: Fraction


@dataclass(frozen=True, slots=True)
class TargetRules:
    """Thresholds of the targets; an unverified zero earns points × max(0, (coverage - floor) ÷ range)."""

    coverage_met: Fraction
    awareness_share: Fraction
    unverified_floor: Fraction
    unverified_range: Fraction
    pending_share: Fraction
    pending_days: int


@dataclass(frozen=True, slots=True)
class Penalties:
    """Points taken off, in hundredths each; silence for `multiple` deadlines counts as concealment."""

    late: int
    very_late: int
    concealed: int
    hazard_superior: int
    hazard_overdue: int
    multiple: int


@dataclass(frozen=True)
class ScoringSheet:
    """The whole sheet on one day: groups and lines in the order of interfaces, grades best first."""

    version: str
    on: date
    half_points: Mapping[str, int]
    groups: tuple[SheetGroup, ...]
    factors: Factors
    targets: TargetRules
    penalties: Penalties
    grades: tuple[GradeStep, ...]
    suppress_below: int

    def __hash__(self) -> int:
        # Equal sheets have these two in common; the mapping inside has no hash of its own.
        return hash((self.version, self.on))

    @classmethod
    def from_standards(cls, standards: Standards, on: date) -> "ScoringSheet":
        """The sheet in force that day; NoStandard names a missing value, BadSheet one that does not fit."""
        sheet = cls(
            version=standards.version,
            on=on,
            half_points={h: standards.hundredths_on(f"half.{h}", on) for h in HALVES},
            groups=tuple(_groups(standards, on)),
            factors=_factors(standards, on),
            targets=_targets(standards, on),
            penalties=_penalties(standards, on),
            grades=_grades(standards, on),
            suppress_below=standards.int_on("print.suppress_below", on),
        )
        _check(sheet)
        return sheet

    @cached_property
    def lines(self) -> tuple[SheetLine, ...]:
        """Every line, in order."""
        return tuple(line for group in self.groups for line in group.lines)

    @cached_property
    def _lines_by_id(self) -> dict[str, SheetLine]:
        return {line.id: line for line in self.lines}

    def line(self, id_: str) -> SheetLine:
        """The line of that id; KeyError if there is none."""
        return self._lines_by_id[id_]

    def group(self, id_: str) -> SheetGroup:
        """The group of that id; KeyError if there is none."""
        return {group.id: group for group in self.groups}[id_]

    def groups_of(self, half: str) -> tuple[SheetGroup, ...]:
        """The groups of `targets` or `duties`, in order."""
        return tuple(group for group in self.groups if group.half == half)

    def grade(self, total: int, vetoed: bool = False) -> GradeStep:
        """The grade of a total in hundredths; a veto caps it at the lowest."""
        if vetoed:
            return self.grades[-1]
        return next(step for step in self.grades if total >= step.least)


def _groups(standards: Standards, on: date) -> Iterable[SheetGroup]:
    for half in HALVES:
        for record in standards.of_group(half, on):
            if not record.id.startswith("group."):
                continue
            id_ = record.id.removeprefix("group.")
            lines = tuple(
                _line(standards, r, on) for r in standards.of_group(id_, on) if not r.id.startswith("group.")
            )
            yield SheetGroup(id_, half, as_hundredths(record), record, lines)


def _line(standards: Standards, record: Record, on: date) -> SheetLine:
    return SheetLine(
        id=record.id,
        group=record.group,
        points=as_hundredths(record),
        record=record,
        cadence=standards.record_on(f"{record.id}.cadence", on),
        basis=standards.find(f"{record.id}.basis", on),
        rule_zh=standards.rule_on(record.id, on, "zh"),
        rule_en=standards.rule_on(record.id, on, "en"),
        cadences=standards.list_on(f"{record.id}.cadence", on),
        graces=standards.list_on(f"{record.id}.grace", on),
    )


def _factors(standards: Standards, on: date) -> Factors:
    return Factors(*(standards.fraction_on(f"factor.{k}", on) for k in ("on_time", "late", "backfilled")))


def _targets(standards: Standards, on: date) -> TargetRules:
    def ratio(name: str) -> Fraction:
        return standards.fraction_on(f"targets.{name}", on)

    return TargetRules(
        coverage_met=ratio("coverage_met"),
        awareness_share=ratio("awareness_share"),
        unverified_floor=ratio("unverified_floor"),
        unverified_range=ratio("unverified_range"),
        pending_share=ratio("pending_share"),
        pending_days=standards.int_on("targets.pending_days", on),
    )


def _penalties(standards: Standards, on: date) -> Penalties:
    def points(name: str) -> int:
        return standards.hundredths_on(f"penalty.{name}", on)

    return Penalties(
        late=points("late"),
        very_late=points("very_late"),
        concealed=points("concealed"),
        hazard_superior=points("hazard_superior"),
        hazard_overdue=points("hazard_overdue"),
        multiple=standards.int_on("reporting.multiple", on),
    )


def _grades(standards: Standards, on: date) -> tuple[GradeStep, ...]:
    steps = (
        GradeStep(r.id.removeprefix("grade."), as_hundredths(r), r) for r in standards.of_group("grades", on)
    )
    return tuple(sorted(steps, key=lambda step: -step.least))


def _check(sheet: ScoringSheet) -> None:
    """Refuses a sheet whose parts do not add up or whose words are unknown."""
    if sum(sheet.half_points.values()) != 10000:
        raise BadSheet("half.targets and half.duties do not add up to 100 points")
    for half, points in sheet.half_points.items():
        if sum(group.points for group in sheet.groups_of(half)) != points:
            raise BadSheet(f"the groups of half.{half} do not add up to its points")
    for group in sheet.groups:
        if sum(line.points for line in group.lines) != group.points:
            raise BadSheet(f"the lines of group.{group.id} do not add up to its points")
    for line in sheet.lines:
        _check_words(line)
    if not sheet.grades or sheet.grades[-1].least != 0:
        raise BadSheet("the lowest grade must start at 0 points")


def _check_words(line: SheetLine) -> None:
    if not set(line.cadences) <= set(CADENCES):
        raise BadSheet(f"{line.id}.cadence is {line.cadences}; known are {', '.join(CADENCES)}")
    if not set(line.graces) <= set(GRACES) or len(line.graces) != len(line.cadences):
        raise BadSheet(f"{line.id}.grace is {line.graces}; one of {', '.join(GRACES)} for each cadence")


# ---------------------------------------------------------------- duties
@dataclass(frozen=True, slots=True)
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

"""What the standards say on one day, typed: the scoring sheet, duties' numbers, incidents' limits. Pure.

Points are whole hundredths (400 is 4 points), ratios are exact fractions. A sheet whose parts do not add up
is refused, so a perfect school always scores 100.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property

from safety.limits import DutyRules, GradeLimit, IncidentRules
from safety.standards import Record, Standards, as_hundredths

__all__ = [
    "HALVES",
    "BadSheet",
    "DutyRules",
    "Factors",
    "GradeLimit",
    "GradeStep",
    "IncidentRules",
    "Penalties",
    "ScoringSheet",
    "SheetGroup",
    "SheetLine",
    "TargetRules",
]

HALVES = ("targets", "duties")
NUMBERED = {"zh": "目标{} {}", "en": "Target {} {}"}
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
        """Its short name, `zh` or `en`; a target's with its number, as the founding plan counts them."""
        own = self.record.name(lang)
        return NUMBERED[lang].format(self.id.removeprefix("T"), own) if self.group == HALVES[0] else own

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


@dataclass(frozen=True, slots=True)
class Penalties:
    """Points taken off, in hundredths each."""

    late: int
    very_late: int
    concealed: int
    hazard_superior: int
    hazard_overdue: int


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


def lines_on(standards: Standards, on: date) -> dict[str, SheetLine]:
    """The lines that a day's standards ask for, by id, whether or not their points make a sheet that day."""
    return {
        r.id: _line(standards, r, on)
        for half in HALVES
        for group in standards.of_group(half, on)
        for r in standards.of_group(group.id.removeprefix("group."), on)
        if group.id.startswith("group.") and standards.find(f"{r.id}.cadence", on)
    }


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

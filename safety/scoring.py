"""The sheet: counts per line against points, exactly (PURE).

Points are integers of hundredths, ratios are fractions; a line's points are rounded half-up once, and the total is the
sum of the lines as printed, less penalties. Lines that do not apply share their points out by largest remainder.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from operator import attrgetter
from typing import Any
from uuid import UUID

from safety.calendar import Period
from safety.counting import (
    Count,
    LineTallies,
    Moment,
    awareness_need,
    count_awareness,
    count_line,
    settled_until,
)
from safety.duties import AWARENESS, DUTIES, ZERO, ZERO_TARGETS
from safety.facts import SchoolFacts
from safety.incidents.rules import Consequence
from safety.limits import DutyBook
from safety.measures import Fill, Measured, awareness_ratio
from safety.rulebook import InForce, Rulebook
from safety.shares import part_of, share_out
from safety.sheet import HALVES, ScoringSheet, SheetGroup, SheetLine

__all__ = [
    "Count",
    "Evidence",
    "LineTallies",
    "Penalty",
    "Score",
    "ScoredGroup",
    "ScoredLine",
    "Veto",
    "as_json",
    "decimal",
    "score",
    "settled_until",
]

MEASURED_AS = {"T1": "education.weekly", "T2": ZERO, "T4": ZERO, "T5": ZERO, "T6": ZERO}
"""The measured line whose counts a target shows."""


@dataclass(frozen=True, slots=True)
class ScoredLine:
    """One line as printed. `points` and `max` are hundredths; `attainment` is what they were multiplied by."""

    id: str
    applies: bool
    status: str
    count: Count
    points: int
    max: int
    attainment: Fraction
    source: str
    entries: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    id: str
    points: int
    max: int
    lines: tuple[ScoredLine, ...]


@dataclass(frozen=True, slots=True)
class Penalty:
    incident: UUID
    cause: str
    points: int


@dataclass(frozen=True, slots=True)
class Veto:
    incident: UUID
    cause: str


@dataclass(frozen=True, slots=True)
class Score:
    """A school's quarter as of an instant. `total` is None where no line applies at all.

    `standards` names the version that it was scored by, `in_force` the parts of the quarter between its changes.
    """

    school: str
    period: str
    as_of: datetime
    standards: str
    total: int | None
    grade: str | None
    groups: tuple[ScoredGroup, ...]
    penalties: tuple[Penalty, ...] = ()
    veto: tuple[Veto, ...] = ()
    provisional: bool = False
    in_force: tuple[InForce, ...] = ()

    def line(self, line_id: str) -> ScoredLine:
        return next(line for group in self.groups for line in group.lines if line.id == line_id)


# ---------------------------------------------------------------- one line
@dataclass(frozen=True, slots=True)
class Attained:
    applies: bool
    status: str
    ratio: Fraction = Fraction(0)


FULL = Attained(True, "full", Fraction(1))
NONE = Attained(True, "none")


def _graded(part: int, whole: int) -> Attained:
    """An attainment of `part` ÷ `whole` (positive), within 0 and 1."""
    if part >= whole:
        return FULL
    return Attained(True, "partial", Fraction(part, whole)) if part > 0 else NONE


NOTHING_DUE = Attained(False, "nothing-due")


def attain_duty(count: Count, late_factor: Fraction) -> Attained:
    """(on time + ½ late) ÷ expected."""
    if not count.expected:
        return NOTHING_DUE
    half, of = late_factor.numerator, late_factor.denominator
    return _graded(count.on_time * of + half * count.late, count.expected * of)


def attain_t1(count: Count) -> Attained:
    """Pupils reached ÷ pupils of the classes' due weeks."""
    return _graded(count.amount, count.whole) if count.whole else NOTHING_DUE


def attain_t3(count: Count, need: Fraction) -> Attained:
    """Pass ratio × how much of the share was checked; `need` is that share of the enrolment, in pupils."""
    if not count.expected:
        return NOTHING_DUE
    ratio = awareness_ratio(count.amount, count.whole, need)
    return _graded(ratio.numerator, ratio.denominator)


def attain_zero(
    line: str, count: Count, consequences: Sequence[Consequence], sheet: ScoringSheet
) -> Attained:
    """Met, unverified or missed: no incident counts for little when nobody was looking."""
    if any(line in c.missed for c in consequences):
        return Attained(True, "missed")
    pending = line == "T2" and any(c.pending for c in consequences)
    # A pending incident counts before any day does: else reporting it, which covers its day, would cost points. One
    # that became so after the close does not: half of a line is more than none where the other lines got less.
    if not count.expected and not (pending and any(c.pending_since_close for c in consequences)):
        return NOTHING_DUE
    coverage = Fraction(count.on_time, count.expected) if count.expected else Fraction(1)
    rules = sheet.targets
    if coverage >= rules.coverage_met and not pending:
        return Attained(True, "met", Fraction(1))
    ratio = max(Fraction(0), (coverage - rules.unverified_floor) / rules.unverified_range)
    return Attained(True, "unverified", min(ratio, rules.pending_share if pending else Fraction(1)))


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a score is made of: tallies per measured line, incidents' consequences, and the entries behind them."""

    tallies: Mapping[str, LineTallies]
    consequences: Sequence[Consequence] = ()
    fills: Mapping[str, Sequence[Fill]] = field(default_factory=dict)

    @classmethod
    def of(cls, measured: Mapping[str, Measured], costs: Sequence[Consequence], at: datetime) -> "Evidence":
        """What was measured from entries as of an instant."""
        until = settled_until(at)
        tallies = {line: LineTallies.of(line, found.rows, until) for line, found in measured.items()}
        return cls(tallies, costs, {line: found.fills for line, found in measured.items()})


@dataclass(frozen=True, slots=True)
class _Scoring:
    facts: SchoolFacts
    duties: DutyBook
    sheet: ScoringSheet
    evidence: Evidence
    moment: Moment
    counted: dict[str, Count] = field(default_factory=dict)

    def count(self, line: str) -> Count:
        if line == AWARENESS:
            return count_awareness(self.facts, self._need(), self._tallies(AWARENESS), self.moment)
        measured = MEASURED_AS.get(line, line)
        if measured not in self.counted:
            tallies = self._tallies(measured)
            self.counted[measured] = count_line(measured, self.facts, self.duties, tallies, self.moment)
        return self.counted[measured]

    def _need(self) -> Fraction:
        return awareness_need(self.facts, self.sheet.targets.awareness_share, self.moment)

    def _tallies(self, measured: str) -> LineTallies:
        found = self.evidence.tallies.get(measured)
        return found or LineTallies.of(measured, (), self.moment.until)

    def attain(self, line: str, count: Count) -> Attained:
        if not self.facts.has_canteen and (line == "T5" or line.startswith("food.")):
            return Attained(False, "no-canteen")
        if line in ZERO_TARGETS:
            return attain_zero(line, count, self.evidence.consequences, self.sheet)
        if line == "T1":
            return attain_t1(count)
        if line == AWARENESS:
            return attain_t3(count, self._need())
        return attain_duty(count, self.sheet.factors.late)

    def line(self, line: str) -> tuple[Count, Attained]:
        if MEASURED_AS.get(line, line) not in DUTIES:
            canteen = line.startswith("food.") and not self.facts.has_canteen
            return Count(), Attained(False, "no-canteen" if canteen else "no-ledger")
        count = self.count(line)
        attained = self.attain(line, count)
        return (Count() if attained.status == "no-canteen" else count), attained

    def entries(self, line: str) -> tuple[UUID, ...]:
        fills = self.evidence.fills.get(MEASURED_AS.get(line, line), ())
        if not fills and not self.evidence.consequences:
            return ()
        ids = {fill.entry for fill in fills}
        if line in ZERO_TARGETS:
            ids |= {
                c.incident
                for c in self.evidence.consequences
                if line in c.missed or (line == "T2" and c.pending)
            }
        return tuple(sorted(ids, key=attrgetter("int")))  # as ids compare, at a third of the time


def score(facts: SchoolFacts, period: Period, book: Rulebook, evidence: Evidence, at: datetime) -> Score:
    """The score of a school's quarter as of an instant, from its evidence."""
    sheet = book.sheet
    scoring = _Scoring(facts, book.duties, sheet, evidence, Moment.of(period, at))
    counted = {line.id: scoring.line(line.id) for group in sheet.groups for line in group.lines}
    groups = tuple(
        _group(scoring, group, maximum, counted)
        for group, maximum in zip(sheet.groups, _group_maxima(sheet, counted), strict=True)
    )
    penalties = tuple(
        Penalty(c.incident, cause, book.incidents.price(cause))
        for c in evidence.consequences
        for cause in c.penalties
    )
    veto = tuple(Veto(c.incident, cause) for c in evidence.consequences for cause in c.veto)
    total = _total(groups, penalties)
    return Score(
        school=facts.code,
        period=period.id,
        as_of=at,
        standards=book.version,
        in_force=book.spans,
        total=total,
        grade=None if total is None else sheet.grade(total, vetoed=bool(veto)).name("zh"),
        groups=groups,
        penalties=penalties,
        veto=veto,
        provisional=facts.calendar.is_provisional(period.start, period.end),
    )


def _total(groups: Iterable[ScoredGroup], penalties: Iterable[Penalty]) -> int | None:
    groups = list(groups)
    if not any(line.applies for group in groups for line in group.lines):
        return None
    return max(0, sum(group.points for group in groups) - sum(p.points for p in penalties))


def _group_maxima(sheet: ScoringSheet, counted: Mapping[str, tuple[Count, Attained]]) -> list[int]:
    """What each group can give: each half over its applying groups; a half with none leaves 100 to the other."""

    def applies(group: SheetGroup) -> bool:
        return any(counted[line.id][1].applies for line in group.lines)

    halves = {half: [g for g in sheet.groups_of(half) if applies(g)] for half in HALVES}
    whole = sum(sheet.half_points.values())
    alive = [half for half, groups in halves.items() if groups]
    maxima: dict[str, int] = {}
    for half in alive:
        points = sheet.half_points[half] if len(alive) == len(halves) else whole
        groups = halves[half]
        shares = share_out(points, [group.points for group in groups])
        maxima.update({group.id: share for group, share in zip(groups, shares, strict=True)})
    return [maxima.get(group.id, 0) for group in sheet.groups]


def _group(
    scoring: _Scoring, group: SheetGroup, maximum: int, counted: Mapping[str, tuple[Count, Attained]]
) -> ScoredGroup:
    weights = [line.points if counted[line.id][1].applies else 0 for line in group.lines]
    shares = share_out(maximum, weights)
    lines = tuple(
        _line(scoring, line, share, *counted[line.id])
        for line, share in zip(group.lines, shares, strict=True)
    )
    return ScoredGroup(group.id, sum(line.points for line in lines), maximum, lines)


def _line(scoring: _Scoring, line: SheetLine, maximum: int, count: Count, attained: Attained) -> ScoredLine:
    points = part_of(maximum, attained.ratio) if attained.applies else 0
    return ScoredLine(
        id=line.id,
        applies=attained.applies,
        status=attained.status,
        count=count,
        points=points,
        max=maximum,
        attainment=attained.ratio,
        source=line.citation("zh"),
        entries=scoring.entries(line.id),
    )


# ---------------------------------------------------------------- as JSON
def decimal(hundredths: int) -> str:
    """Hundredths as a string with two decimals: 995 → "9.95"."""
    sign, value = ("-", -hundredths) if hundredths < 0 else ("", hundredths)
    return f"{sign}{value // 100}.{value % 100:02}"


def as_json(score: Score) -> dict[str, Any]:
    """The document that `safe-campus score --json` prints and the return carries."""
    return {
        "school": score.school,
        "period": score.period,
        "as_of": score.as_of.isoformat(),
        "standards": score.standards,
        "in_force": [
            {"since": span.since.isoformat(), "until": span.until.isoformat(), "changed": list(span.changed)}
            for span in score.in_force
        ],
        "total": None if score.total is None else decimal(score.total),
        "grade": score.grade,
        "provisional": score.provisional,
        "veto": [{"incident": str(v.incident), "cause": v.cause} for v in score.veto],
        "penalties": [
            {"incident": str(p.incident), "cause": p.cause, "points": decimal(p.points)}
            for p in score.penalties
        ],
        "groups": [_group_json(group) for group in score.groups],
    }


def _group_json(group: ScoredGroup) -> dict[str, Any]:
    return {
        "id": group.id,
        "points": decimal(group.points),
        "max": decimal(group.max),
        "lines": [_line_json(line) for line in group.lines],
    }


def _line_json(line: ScoredLine) -> dict[str, Any]:
    count = line.count
    return {
        "id": line.id,
        "applies": line.applies,
        "expected": count.expected,
        "on_time": count.on_time,
        "late": count.late,
        "backfilled": count.backfilled,
        "missing": count.missing,
        "open": count.open,
        "points": decimal(line.points),
        "max": decimal(line.max),
        "status": line.status,
        "source": line.source,
        "entries": [str(entry) for entry in line.entries],
    }

"""A score, worked out for a page: rates, the arithmetic behind every line, occurrences with their entries (PURE)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from uuid import UUID

from safety.calendar import Period
from safety.clock import local_day
from safety.duties import AWARENESS, DUTIES, ZERO_TARGETS, Window, base_expected, close_day
from safety.facts import SchoolFacts
from safety.limits import DutyBook
from safety.measures import Beside, Fill, Measured, Row
from safety.scoring import Score, ScoredLine
from safety.sheet import GradeStep, ScoringSheet

TARGETS = "targets"
"""The group whose lines are no duties: they count the same work again, zero-reports, or pupils."""
TIMINGS = ("on-time", "late", "backfilled")
STATUS_KINDS = {
    "full": "ok",
    "met": "ok",
    "partial": "warn",
    "unverified": "warn",
    "none": "bad",
    "missed": "bad",
}
"""How a line's status is marked; anything else is quiet."""


@dataclass(frozen=True, slots=True)
class Totals:
    """What the duty lines that apply come to together, in occurrences."""

    expected: int = 0
    on_time: int = 0
    late: int = 0
    backfilled: int = 0
    missing: int = 0
    open: int = 0

    @property
    def done(self) -> int:
        return self.on_time + self.late + self.backfilled


def totals_of(score: Score) -> Totals:
    """Over the duty lines that apply."""
    lines = [line for group in score.groups if group.id != TARGETS for line in group.lines if line.applies]
    names = ("expected", "on_time", "late", "backfilled", "missing", "open")
    return Totals(*(sum(getattr(line.count, name) for line in lines) for name in names))


def grade_of(score: Score, sheet: ScoringSheet) -> GradeStep | None:
    """The grade as the sheet names it in both languages; None where there is no total."""
    return None if score.total is None else sheet.grade(score.total, vetoed=bool(score.veto))


def grade_kind(grade: GradeStep | None, sheet: ScoringSheet) -> str:
    """How a grade is marked: the best ones ok, the lowest bad."""
    if grade is None:
        return "quiet"
    place = sheet.grades.index(grade)
    return "bad" if place == len(sheet.grades) - 1 else "ok" if place < len(sheet.grades) - 2 else "warn"


# ---------------------------------------------------------------- the sum behind a line
def sum_kind(line: ScoredLine, *, pending: bool = False) -> str:
    """Which of the sheet's formulas a line goes by: duty, reached, awareness, or a zero target's state.

    `pending`: an incident's liability is not decided, which limits an unverified target.
    """
    if line.id == "T1":
        return "reached"
    if line.id == AWARENESS:
        return "awareness"
    if pending and line.status == "unverified":
        return "zero-pending"
    return f"zero-{line.status}" if line.id in ZERO_TARGETS else "duty"


def unrounded(line: ScoredLine) -> str:
    """Maximum × attainment in points, to four places, before it is rounded to two."""
    return f"{float(line.max * line.attainment) / 100:.4f}"


# ---------------------------------------------------------------- occurrences
@dataclass(frozen=True, slots=True)
class Answer:
    """An entry that answers an occurrence. `unit`: class, meal or number of the slot; `ledger` leads to it."""

    entry: UUID
    ledger: str
    unit: str
    day: date
    timing: str
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One due date of a line. `missing` names what lacks an entry where units have names, `lacking` counts it.

    `beside` are entries of the occurrence that do not answer it: a drill not evaluated, a zero-report made after that
    day's incident was discovered.
    """

    window: Window
    expected: int
    answers: tuple[Answer, ...]
    missing: tuple[str, ...]
    lacking: int
    is_open: bool
    in_time_until: date
    by_close: bool
    beside: tuple[Beside, ...] = ()

    def count(self, state: str) -> int:
        """How many of what was due are in a state: missing, open, on-time, late or backfilled."""
        if state in {"missing", "open"}:
            return self.lacking if self.is_open == (state == "open") else 0
        return sum(item.timing == state for item in self.answers)

    @property
    def state(self) -> str:
        """open, missing, backfilled, late or on-time: the worst of it."""
        if self.lacking:
            return "open" if self.is_open else "missing"
        worst = max((TIMINGS.index(item.timing) for item in self.answers), default=0)
        return TIMINGS[worst]


@dataclass(frozen=True)
class LineReader:
    """Turns what was measured of a line into occurrences. `incidents` are entries of another ledger than the line's."""

    line: str
    facts: SchoolFacts
    period: Period
    book: DutyBook
    ledger: str
    at: datetime
    incidents: frozenset[UUID] = field(default_factory=frozenset)

    def occurrences(self, spans: Sequence[Window], measured: Measured) -> list[Occurrence]:
        """The occurrences due by the instant looked from, newest first; those that ask for nothing left out."""
        rows = {row.day: row for row in measured.rows}
        keys = {window.key for window in spans}
        fills, beside = _by_key(measured.fills, keys), _by_key(measured.beside, keys)
        due = [window for window in spans if window.due <= local_day(self.at)]
        found = (
            self._occurrence(
                window, rows.get(window.due), fills.get(window.key, []), beside.get(window.key, [])
            )
            for window in due
        )
        return [item for item in reversed(list(found)) if item.expected or item.answers]

    def _occurrence(
        self, window: Window, row: Row | None, fills: Sequence[Fill], beside: Sequence[Beside]
    ) -> Occurrence:
        expected = base_expected(self.line, self.facts, window, self.book) + (row.extra if row else 0)
        closes = close_day(self.period)
        until = window.in_time_until(closes)
        return Occurrence(
            window=window,
            expected=expected,
            answers=tuple(sorted(map(self._answer, fills), key=lambda a: (-TIMINGS.index(a.timing), a.unit))),
            missing=tuple(self._missing(window, fills)),
            lacking=max(0, expected - (row.filled if row else 0)),
            is_open=local_day(self.at) <= until,
            in_time_until=until,
            by_close=window.is_cut_by(closes),
            beside=tuple(beside),
        )

    def _answer(self, fill: Fill) -> Answer:
        ledger = "incidents" if fill.entry in self.incidents else self.ledger
        return Answer(
            fill.entry, ledger, self._unit_name(_unit(fill)), fill.day, TIMINGS[fill.timing], fill.recorded_at
        )

    def _missing(self, window: Window, fills: Iterable[Fill]) -> Iterable[str]:
        answered = {_unit(fill) for fill in fills}
        units = DUTIES[self.line].units
        if units == "class":
            return [c.name for c in self.facts.classes_on(window.due) if str(c.id) not in answered]
        if units == "meal":
            return [meal for meal in self.facts.meals if meal not in answered]
        return []

    def _unit_name(self, unit: str) -> str:
        if DUTIES[self.line].units == "class":
            return self._class_names.get(unit, unit)
        return unit if DUTIES[self.line].units in {"meal", "slots"} else ""

    @property
    def _class_names(self) -> Mapping[str, str]:
        return {str(item.id): item.name for item in self.facts.classes}


def _unit(fill: Fill) -> str:
    return fill.occurrence.rpartition("/")[2]


Entry = TypeVar("Entry", Fill, Beside)


def _by_key(fills: Iterable[Entry], keys: set[str]) -> dict[str, list[Entry]]:
    found: dict[str, list[Entry]] = {}
    for fill in fills:
        key = fill.occurrence if fill.occurrence in keys else fill.occurrence.rpartition("/")[0]
        found.setdefault(key, []).append(fill)
    return found

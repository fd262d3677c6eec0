"""Everything the standards say for one quarter, typed and ready (PURE)."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from safety.calendar import Period
from safety.incidents.rules import IncidentBook
from safety.limits import Dated, DutyBook, DutyRules, IncidentRules
from safety.sheet import ScoringSheet, SheetLine, lines_on
from safety.standards import Standards


@dataclass(frozen=True, slots=True)
class InForce:
    """A part of a quarter in which no standard changes; `changed` names those that did on its first day."""

    since: date
    until: date
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rulebook:
    """A quarter's standards: the sheet in force on its last day, and what holds on each day of it.

    `duties` and `lines` (their words) go by the day, `incidents` by their discovery. `version` names the standards,
    and after them every day within the quarter from which a changed value holds.
    """

    sheet: ScoringSheet
    duties: DutyBook
    incidents: IncidentBook
    lines: Dated[dict[str, SheetLine]]
    spans: tuple[InForce, ...]

    @classmethod
    def of(cls, standards: Standards, period: Period) -> "Rulebook":
        """NoStandard names a value that is missing on the quarter's last day."""
        return _rulebook(standards, period)

    @classmethod
    def as_on(cls, standards: Standards, period: Period, day: date) -> "Rulebook":
        """As if a day's standards held for the whole quarter: for comparing, never for the score itself.

        NoStandard or BadSheet if that day's standards make no sheet.
        """
        return _as_on(standards, period, day)

    @property
    def version(self) -> str:
        """Such as `2026-11+0f3a…`, and with a change of that day `2026-11+0f3a…+2026-08-15`."""
        return "+".join((self.sheet.version, *(span.since.isoformat() for span in self.spans[1:])))

    def line_on(self, id_: str, day: date) -> SheetLine:
        """A line's rule and source as they read that day. KeyError if the sheet has no such line."""
        return self.lines.on(day).get(id_) or self.sheet.line(id_)

    def rules_of(self, id_: str, period: Period) -> list[tuple[date, date, SheetLine]]:
        """A line as it reads from day to day of the quarter, once for each rule and source that it had."""
        found: list[tuple[date, date, SheetLine]] = []
        for since, until, _ in self.lines.spans(period.start, period.end):
            line = self.line_on(id_, since)
            same = bool(found) and _words(found[-1][2]) == _words(line)
            found.append((found.pop()[0] if same else since, until, line))
        return found


def _words(line: SheetLine) -> tuple[str, ...]:
    return tuple(said(lang) for said in (line.rule, line.citation) for lang in ("zh", "en"))


@lru_cache(maxsize=64)
def _rulebook(standards: Standards, period: Period) -> Rulebook:
    sheet = ScoringSheet.from_standards(standards, period.end)
    spans = _spans(standards, period)
    # Evaluations that fall due at the quarter's beginning are those of drills of the quarter before.
    since = period.previous().start
    duties = _duties(standards).within(since, period.end)
    incidents = IncidentBook(_incidents(standards), sheet.penalties)
    lines = Dated.of(lambda day: lines_on(standards, day), (span.since for span in spans))
    return Rulebook(sheet, duties, incidents, lines, spans)


@lru_cache(maxsize=64)
def _as_on(standards: Standards, period: Period, day: date) -> Rulebook:
    sheet = ScoringSheet.from_standards(standards, day)
    return Rulebook(
        sheet=sheet,
        duties=Dated.always(DutyRules.from_standards(standards, day)),
        incidents=IncidentBook(Dated.always(IncidentRules.from_standards(standards, day)), sheet.penalties),
        lines=Dated.always({line.id: line for line in sheet.lines}),
        spans=(InForce(period.start, period.end),),
    )


@lru_cache(maxsize=8)
def _duties(standards: Standards) -> DutyBook:
    return Dated.of(lambda day: DutyRules.from_standards(standards, day), standards.change_days)


@lru_cache(maxsize=8)
def _incidents(standards: Standards) -> Dated[IncidentRules]:
    return Dated.of(lambda day: IncidentRules.from_standards(standards, day), standards.change_days)


def _spans(standards: Standards, period: Period) -> tuple[InForce, ...]:
    within = (day for day in standards.change_days if period.start < day <= period.end)
    changes = [(day, changed) for day in within if (changed := standards.changed_on(day))]
    firsts = [(period.start, ()), *changes]
    lasts = [*(day - timedelta(days=1) for day, _ in changes), period.end]
    return tuple(InForce(day, last, changed) for (day, changed), last in zip(firsts, lasts, strict=True))

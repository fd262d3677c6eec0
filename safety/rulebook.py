"""Everything the standards say for one quarter, typed and ready (PURE)."""

from dataclasses import dataclass
from functools import lru_cache

from safety.calendar import Period
from safety.incidents.rules import IncidentBook
from safety.sheet import DutyRules, IncidentRules, ScoringSheet
from safety.standards import Standards


@dataclass(frozen=True)
class Rulebook:
    """The sheet, the duties' numbers and the incidents' numbers in force on the quarter's last day."""

    sheet: ScoringSheet
    duties: DutyRules
    incidents: IncidentBook

    @classmethod
    def of(cls, standards: Standards, period: Period) -> "Rulebook":
        """NoStandard names a value that is missing on that day."""
        return _rulebook(standards, period)


@lru_cache(maxsize=64)
def _rulebook(standards: Standards, period: Period) -> Rulebook:
    sheet = ScoringSheet.from_standards(standards, period.end)
    incidents = IncidentBook(
        IncidentRules.from_standards(standards, period.end), sheet.penalties, sheet.targets.pending_days
    )
    return Rulebook(sheet, DutyRules.from_standards(standards, period.end), incidents)

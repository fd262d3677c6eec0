"""What a return comes to on boards and roll-ups, read out of its sealed document (PURE).

The same figures as its pages print: occurrences of the duty lines that apply, incidents that weigh on the quarter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

import msgspec

from reports.rollup.suppression import SENSITIVE
from safety.web.score_view import TARGETS, Totals

COUNTS = ("expected", "on_time", "late", "backfilled", "missing")
COLUMNS = ("enrolment", "vetoed", *COUNTS, "incidents", "sensitive")
"""Of the table of sealed returns."""


class LinePart(msgspec.Struct):
    """As much of a line of the score as is counted here."""

    applies: bool
    expected: int
    on_time: int
    late: int
    backfilled: int
    missing: int
    open: int


class GroupPart(msgspec.Struct):
    id: str
    lines: tuple[LinePart, ...]


class ScorePart(msgspec.Struct):
    """As much of a document's score as boards and roll-ups need; the rest is skipped over."""

    total: str | None
    grade: str | None
    groups: tuple[GroupPart, ...]
    veto: tuple[msgspec.Raw, ...] = ()


class _School(msgspec.Struct):
    enrolment: int


class _Incident(msgspec.Struct):
    category: str


class Document(msgspec.Struct):
    """As much of a return's document as is counted here."""

    school: _School
    score: ScorePart
    incidents: tuple[_Incident, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """A school's quarter in a row of a board. `sensitive` are the incidents of kinds whose small counts are not shown;
    `incidents` the others.
    """

    enrolment: int
    vetoed: bool
    totals: Totals
    incidents: int
    sensitive: int

    @property
    def columns(self) -> tuple[int | bool, ...]:
        """As they are kept with a sealed return, in the order of `COLUMNS`."""
        counts = (getattr(self.totals, name) for name in COUNTS)
        return (self.enrolment, self.vetoed, *counts, self.incidents, self.sensitive)

    @classmethod
    def of_columns(cls, enrolment: int, vetoed: int, *rest: int) -> Figures:
        """Read back. What is sealed had nothing open any more."""
        *counts, incidents, sensitive = rest
        totals = Totals(**dict(zip(COUNTS, counts, strict=True)))
        return cls(enrolment, bool(vetoed), totals, incidents, sensitive)


def duty_totals(score: ScorePart) -> Totals:
    """Over the duty lines that apply, as `totals_of` has it of a score that was not sealed yet."""
    lines = [line for group in score.groups if group.id != TARGETS for line in group.lines if line.applies]
    return Totals(*(sum(getattr(line, item.name) for line in lines) for item in fields(Totals)))


def parted(categories: Iterable[str]) -> tuple[int, int]:
    """How many incidents are of kinds that may be counted out loud, and how many of the others."""
    known = list(categories)
    sensitive = sum(category in SENSITIVE for category in known)
    return len(known) - sensitive, sensitive


def read(text: bytes) -> Figures:
    """The figures of a document as it is stored. Raises msgspec.DecodeError for anything else."""
    return of(msgspec.json.decode(text, type=Document))


def of(document: Document) -> Figures:
    """The figures of a document that was read."""
    counts = parted(item.category for item in document.incidents)
    return Figures(document.school.enrolment, bool(document.score.veto), duty_totals(document.score), *counts)

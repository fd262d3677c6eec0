"""A quarter's score beside what it would come to by the standards of another day: shown, and never kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from safety import in_use
from safety.calendar import Period
from safety.errors import BadInput
from safety.facts import SchoolFacts
from safety.rulebook import Rulebook
from safety.scores import measured_score
from safety.scoring import Score, ScoredLine, as_json, decimal
from safety.sheet import BadSheet, ScoringSheet, SheetLine
from safety.standards import NoStandard, Record, Standards


@dataclass(frozen=True, slots=True)
class ComparedLine:
    """A line by both; None where the sheet of one has no such line. `difference`: other less standing, hundredths."""

    id: str
    name_zh: str
    name_en: str
    standing: ScoredLine | None
    other: ScoredLine | None

    @property
    def difference(self) -> int:
        return (self.other.points if self.other else 0) - (self.standing.points if self.standing else 0)

    @property
    def is_alike(self) -> bool:
        """Whether both have the line, with the same counts, the same points and the same most that it can give."""
        here, there = (
            None if line is None else (line.count, line.points, line.max, line.status)
            for line in (self.standing, self.other)
        )
        return here == there

    def name(self, lang: str) -> str:
        """Its short name, `zh` or `en`."""
        return self.name_zh if lang == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Differing:
    """A standard that is another: what holds in the quarter, in order, and on the other day (None: not in force);
    `line` is the line of the sheet that it belongs to, if any.
    """

    id: str
    line: SheetLine | None
    standing: tuple[Record | None, ...]
    other: Record | None

    def name(self, lang: str) -> str:
        """Its own short name, or that of the line whose number it is, or nothing."""
        if self.line is not None and self.id == self.line.id:
            return self.line.name(lang)
        records = (record for record in (*self.standing, self.other) if record is not None)
        own = next((record.name(lang) for record in records), "")
        return own or (self.line.name(lang) if self.line else "")


@dataclass(frozen=True, slots=True)
class Comparison:
    """The score as it stands and as it would be if the standards of `day` held for all of the quarter."""

    day: date
    facts: SchoolFacts
    standing: Score
    other: Score
    lines: tuple[ComparedLine, ...]
    differing: tuple[Differing, ...]

    @property
    def moved(self) -> tuple[ComparedLine, ...]:
        """The lines that do not come to the same."""
        return tuple(line for line in self.lines if not line.is_alike)

    @property
    def alike(self) -> tuple[ComparedLine, ...]:
        """Those that do."""
        return tuple(line for line in self.lines if line.is_alike)

    @property
    def difference(self) -> int | None:
        """Other total less standing, in hundredths; None where one has none."""
        if self.standing.total is None or self.other.total is None:
            return None
        return self.other.total - self.standing.total


async def comparison(school_id: int, period: Period, day: date, at: datetime, *, now: bool) -> Comparison:
    """Both scores from the entries as they stood at an instant (`now`: that instant is now).

    BadInput (`standards-of`) if the standards of that day make no sheet; NotFound.
    """
    standards = in_use.standards()
    book, other = Rulebook.of(standards, period), _as_on(standards, period, day)
    facts, found, _ = await measured_score(school_id, period, at, now=now)
    _, compared, _ = await measured_score(school_id, period, at, now=now, book=other)
    return Comparison(
        day=day,
        facts=facts,
        standing=found,
        other=compared,
        lines=tuple(_lines(found, compared, book.sheet, other.sheet)),
        differing=tuple(differing(standards, period, day)),
    )


def _as_on(standards: Standards, period: Period, day: date) -> Rulebook:
    try:
        return Rulebook.as_on(standards, period, day)
    except (NoStandard, BadSheet) as error:
        raise BadInput.one("standards-of", "no-standards-that-day", day=day.isoformat()) from error


def _lines(
    standing: Score, other: Score, sheet: ScoringSheet, other_sheet: ScoringSheet
) -> Iterable[ComparedLine]:
    """In the order of the quarter's own sheet, and after them those that only the other has."""
    here, there = ({line.id: line for g in one.groups for line in g.lines} for one in (standing, other))
    names = {line.id: line for one in (other_sheet, sheet) for line in one.lines}
    for id_ in dict.fromkeys((*here, *there)):
        name = names[id_]
        yield ComparedLine(id_, name.name("zh"), name.name("en"), here.get(id_), there.get(id_))


def differing(standards: Standards, period: Period, day: date) -> Iterable[Differing]:
    """The standards that are not all the quarter what they are on a day, in the order of the files."""
    book = Rulebook.of(standards, period)
    for id_ in standards.by_id:
        here = tuple(dict.fromkeys(standards.find(id_, span.since) for span in book.spans))
        there = standards.find(id_, day)
        if here != (there,):
            line = next((line for line in book.sheet.lines if id_.startswith(f"{line.id}.")), None)
            yield Differing(id_, line, here, there)


# ---------------------------------------------------------------- as JSON
def comparison_json(found: Comparison) -> dict[str, Any]:
    """What `safe-campus score --standards-of --json` prints; `comparison_only` says what it must not be taken for."""
    return {
        "comparison_only": True,
        "school": found.standing.school,
        "period": found.standing.period,
        "standards_of": found.day.isoformat(),
        "differing": [
            {
                "id": item.id,
                "standing": [None if record is None else record.value for record in item.standing],
                "other": None if item.other is None else item.other.value,
            }
            for item in found.differing
        ],
        "lines": [
            {
                "id": line.id,
                "standing": _points(line.standing),
                "other": _points(line.other),
                "difference": decimal(line.difference),
            }
            for line in found.lines
        ],
        "difference": None if found.difference is None else decimal(found.difference),
        "standing": as_json(found.standing),
        "other": as_json(found.other),
    }


def _points(line: ScoredLine | None) -> dict[str, str] | None:
    return None if line is None else {"points": decimal(line.points), "max": decimal(line.max)}

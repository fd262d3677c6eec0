"""What differs between two versions of a return: line by line, and fact by fact (PURE)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reports.document import Fact, LineChange, ReturnDocument, Score, ScoreLine

COUNTS = ("on_time", "late", "backfilled", "missing", "open")


@dataclass(frozen=True, slots=True)
class LineDiff:
    """A line of which the points or the counts moved; None where that version has no such line."""

    line: str
    before: ScoreLine | None
    after: ScoreLine | None

    @property
    def moved(self) -> int:
        """By how many hundredths the points moved."""
        return _hundredths(self.after) - _hundredths(self.before)

    @property
    def counts(self) -> tuple[tuple[str, int, int], ...]:
        """The counts that moved: (name, before, after)."""
        pairs = ((name, _count(self.before, name), _count(self.after, name)) for name in COUNTS)
        return tuple(pair for pair in pairs if pair[1] != pair[2])


@dataclass(frozen=True, slots=True)
class FactDiff:
    """A fact that came, went or was altered. A corrected entry is one alteration, though its id is a new one."""

    kind: Literal["added", "removed", "altered"]
    before: Fact | None
    after: Fact | None

    @property
    def fact(self) -> Fact:
        """The fact as it stands, or as it stood last."""
        found = self.after or self.before
        assert found is not None
        return found


def points_of(text: str) -> int:
    """`"-2.05"` is -205 hundredths."""
    return int(text.replace(".", ""))


def _hundredths(line: ScoreLine | None) -> int:
    return points_of(line.points) if line is not None and line.applies else 0


def _count(line: ScoreLine | None, name: str) -> int:
    return int(getattr(line, name)) if line is not None else 0


def lines_between(before: Score, after: Score) -> tuple[LineDiff, ...]:
    """The lines of which something moved, in the order of the newer sheet, those that it has no more at the end."""
    old, new = _lines(before), _lines(after)
    every = [LineDiff(line, old.get(line), new.get(line)) for line in {**new, **old}]
    return tuple(found for found in every if _figures(found.before) != _figures(found.after))


def _lines(score: Score) -> dict[str, ScoreLine]:
    return {line.id: line for group in score.groups for line in group.lines}


def _figures(line: ScoreLine | None) -> tuple[object, ...] | None:
    if line is None:
        return None
    return line.applies, line.points, line.max, *(getattr(line, name) for name in COUNTS)


def changes_since(before: Score, after: Score, reasons: Mapping[str, str]) -> tuple[LineChange, ...]:
    """The lines of which the points moved, as a new version prints them; `reasons` by line, where there are any."""
    return tuple(
        LineChange(
            line=found.line,
            before=_printed(found.before),
            after=_printed(found.after),
            reason=reasons.get(found.line, ""),
        )
        for found in lines_between(before, after)
        if _printed(found.before) != _printed(found.after)
    )


def _printed(line: ScoreLine | None) -> str | None:
    return line.points if line is not None and line.applies else None


def facts_between(before: tuple[Fact, ...], after: tuple[Fact, ...]) -> tuple[FactDiff, ...]:
    """What came, went or was altered, by line and day."""
    old, new = _by_key(before), _by_key(after)
    gone: dict[tuple[str, str], list[Fact]] = defaultdict(list)
    for key, fact in old.items():
        if key not in new:
            gone[_place(fact)].append(fact)
    found = [
        FactDiff("altered", old[key], new[key]) for key in old.keys() & new.keys() if old[key] != new[key]
    ]
    for key, fact in new.items():
        if key not in old:
            former = gone[_place(fact)].pop(0) if gone.get(_place(fact)) else None
            found.append(FactDiff("altered" if former else "added", former, fact))
    found += [FactDiff("removed", fact, None) for left in gone.values() for fact in left]
    return tuple(sorted(found, key=lambda d: (d.fact.line, d.fact.happened_on, d.fact.occurrence, d.fact.id)))


@dataclass(frozen=True, slots=True)
class CauseDiff:
    """What a school says of a line, and what it said before; empty where it says or said nothing."""

    line: str
    before: str
    after: str


def causes_between(before: ReturnDocument, after: ReturnDocument) -> tuple[CauseDiff, ...]:
    """The lines of which the school says something else, in the order of the newer sheet."""
    old, new = ({cause.line: cause.text for cause in document.causes} for document in (before, after))
    order = {line: at for at, line in enumerate(_lines(after.score))}
    found = (CauseDiff(line, old.get(line, ""), new.get(line, "")) for line in {**old, **new})
    return tuple(
        sorted(
            (diff for diff in found if diff.before != diff.after),
            key=lambda diff: (order.get(diff.line, len(order)), diff.line),
        )
    )


def unchanged(before: ReturnDocument, after: ReturnDocument) -> bool:
    """Whether two versions state the same: entries, incidents, figures, deductions, causes. When each was made and why
    is no part of that.
    """
    same = (before.facts, before.incidents, before.causes) == (after.facts, after.incidents, after.causes)
    return (
        same
        and _judged(before.score) == _judged(after.score)
        and not lines_between(before.score, after.score)
    )


def _judged(score: Score) -> tuple[object, ...]:
    return score.total, score.grade, score.veto, score.penalties


def _by_key(facts: tuple[Fact, ...]) -> dict[tuple[str, str, str], Fact]:
    return {(fact.id, fact.line, fact.occurrence): fact for fact in facts}


def _place(fact: Fact) -> tuple[str, str]:
    return fact.line, fact.occurrence

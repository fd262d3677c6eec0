"""What was missed, late, backfilled or not counted, as a return shows it: a row for each line and kind (PURE)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from reports.document import Exceptional, ReturnDocument, ScoreLine
from reports.layout.wording import Span, Writer, spans_of

ROWS_SHOWN = 22
"""With more than these, each line has one row for all its kinds."""
KINDS = ("missed", "late", "backfilled", "uncounted")
UNIT_SETS_SHOWN = 3
UNITS_SHOWN = 8
CAUSE_SHOWN, CAUSE_MERGED = 90, 26
"""Characters of a cause that are printed; the whole of it is in the files attached."""


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """`dates`: when, and where. `cause`: what the school wrote of the line, at the first of its rows."""

    name: str
    kind: str
    count: int
    dates: str
    cause: str = ""


def exception_rows(document: ReturnDocument, write: Writer) -> tuple[ExceptionRow, ...]:
    """In the order of the scoring sheet. The more rows there are, the less each says."""
    order = {line.id: at for at, line in enumerate(_lines(document))}

    def place(item: Exceptional) -> tuple[int, str, int, date, str]:
        return order.get(item.line, len(order)), item.line, KINDS.index(item.kind), item.due_on, item.unit

    ordered = sorted(document.exceptions, key=place)
    rows = [(*key, list(same)) for key, same in groupby(ordered, key=lambda item: (item.line, item.kind))]
    causes = {cause.line: cause.text for cause in document.causes}
    if len(rows) > ROWS_SHOWN:
        return tuple(
            _merged(line, list(kinds), causes, write) for line, kinds in groupby(rows, lambda r: r[0])
        )
    return tuple(_separate(rows, causes, write))


Kept = tuple[str, str, list[Exceptional]]
"""A line, a kind, and what is of both."""


def _separate(rows: Sequence[Kept], causes: Mapping[str, str], write: Writer) -> Iterable[ExceptionRow]:
    most, told = _spans_shown(len(rows)), set[str]()
    for line, kind, items in rows:
        cause = "" if line in told else _cause(causes.get(line, ""), CAUSE_SHOWN, write)
        told.add(line)
        called = write.text(f"return.kind.{kind}")
        yield ExceptionRow(write.fact_name(line), called, len(items), _when(items, most, write), cause)


def _merged(line: str, kinds: Sequence[Kept], causes: Mapping[str, str], write: Writer) -> ExceptionRow:
    """A line's one row: how often of each kind, and between which days."""
    everything = [item for *_, items in kinds for item in items]
    said = [
        write.text("return.exceptions.of_kind", kind=write.text(f"return.kind.{kind}"), count=len(items))
        for _, kind, items in kinds
    ]
    dates = write.text("return.comma").join(said) + _between(everything, write)
    only = f"return.kind.{kinds[0][1]}" if len(kinds) == 1 else "return.exceptions.several"
    cause = _cause(causes.get(line, ""), CAUSE_MERGED, write)
    return ExceptionRow(write.fact_name(line), write.text(only), len(everything), dates, cause)


def _lines(document: ReturnDocument) -> Iterable[ScoreLine]:
    return (line for group in document.score.groups for line in group.lines)


def _spans_shown(rows: int) -> int:
    """So that a bad quarter's table still leaves the return within four pages."""
    return 16 if rows <= 10 else 10


def _cause(text: str, most: int, write: Writer) -> str:
    return write.text("return.exceptions.cause", cause=write.cut(text, most)) if text else ""


def _when(items: Sequence[Exceptional], most: int, write: Writer) -> str:
    """`9月2—4日`, by class or post where they are few; otherwise how often in which class, and between which days."""
    days = [(day, list(same)) for day, same in groupby(items, key=lambda item: item.due_on)]
    units = {day: tuple(sorted({item.unit for item in same if item.unit})) for day, same in days}
    sets = sorted(set(units.values()))
    if len(sets) > UNIT_SETS_SHOWN or any(len(names) > UNIT_SETS_SHOWN for names in sets):
        return _by_unit(items, write)
    counts = {day: len(same) for day, same in days}
    parts, hidden = [], 0
    for names in sets:
        spans = spans_of([day for day in units if units[day] == names])
        shown, rest = spans[:most], spans[most:]
        most -= len(shown)
        hidden += sum(counts[day] for day in counts if units[day] == names and _within(day, rest))
        if shown:
            parts.append(_named(names, write.spans(shown), write))
    return _listed(parts, hidden, write)


def _within(day: date, spans: list[Span]) -> bool:
    return any(first <= day <= last for first, last in spans)


def _named(names: tuple[str, ...], days: str, write: Writer) -> str:
    comma = write.text("return.comma")
    return (
        write.text("return.exceptions.of", units=comma.join(map(write.unit_name, names)), dates=days)
        if names
        else days
    )


def _listed(parts: list[str], hidden: int, write: Writer) -> str:
    if hidden:
        parts.append(write.text("return.exceptions.more", count=hidden))
    return write.listed(parts)


def _by_unit(items: Sequence[Exceptional], write: Writer) -> str:
    often = sorted(Counter(item.unit for item in items).items(), key=lambda pair: (-pair[1], pair[0]))
    shown, rest = often[:UNITS_SHOWN], often[UNITS_SHOWN:]
    named = [
        write.text("return.exceptions.times", unit=write.unit_name(unit), count=count)
        for unit, count in shown
    ]
    if rest:
        more = sum(count for _, count in rest)
        named.append(write.text("return.exceptions.more_units", units=len(rest), count=more))
    return write.text("return.comma").join(named) + _between(items, write)


def _between(items: Sequence[Exceptional], write: Writer) -> str:
    first, last = (write.short_day(end(item.due_on for item in items)) for end in (min, max))
    between = "one_day" if first == last else "between"
    return write.text(f"return.exceptions.{between}", first=first, last=last)

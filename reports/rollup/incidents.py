"""The incidents of a roll-up by category and severity, small counts of sensitive kinds withheld (PURE)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import get_args

from reports.document import Incident
from reports.rollup.document import Category, IncidentRow, Severities, Severity
from reports.rollup.suppression import SENSITIVE, is_small, suppressed, total

CATEGORIES: tuple[Category, ...] = get_args(Category)
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
PEOPLE = ("deaths", "serious_injuries", "minor_injuries", "affected")


def incident_rows(incidents: Iterable[Incident]) -> tuple[IncidentRow, ...]:
    """The incidents of one bureau's own schools, a row for each category."""
    several = list(incidents)
    return tuple(_row(name, [item for item in several if item.category == name]) for name in CATEGORIES)


def _row(category: Category, incidents: Sequence[Incident]) -> IncidentRow:
    counts = {name: sum((item.grade or "none") == name for item in incidents) for name in SEVERITIES}
    people = {name: total(getattr(item, name) for item in incidents) for name in PEOPLE}
    if category not in SENSITIVE:
        severities = tuple(Severities(severity=name, count=count) for name, count in counts.items())
        return IncidentRow(category=category, count=len(incidents), severities=severities, **people)
    count = suppressed(len(incidents))
    printed = {name: suppressed(number) for name, number in counts.items()}
    open_ = not any(is_small(figure) for figure in (count, *printed.values()))
    return IncidentRow(
        category=category,
        count=count,
        severities=tuple(Severities(severity=n, count=c) for n, c in printed.items()) if open_ else None,
        **(people if not is_small(count) else dict.fromkeys(PEOPLE)),
    )


def added_rows(sets: Sequence[Sequence[IncidentRow]]) -> tuple[IncidentRow, ...]:
    """Several tables as one. What is withheld in one of them is withheld in the sum."""
    return tuple(
        reduce(_sum, (row for rows in sets for row in rows if row.category == name), _empty(name))
        for name in CATEGORIES
    )


def _empty(category: Category) -> IncidentRow:
    return IncidentRow(
        category=category, severities=tuple(Severities(severity=name, count=0) for name in SEVERITIES)
    )


def _sum(one: IncidentRow, other: IncidentRow) -> IncidentRow:
    people = {name: _both(getattr(one, name), getattr(other, name)) for name in PEOPLE}
    severities = None
    if one.severities is not None and other.severities is not None:
        more: Mapping[str, int | str] = {item.severity: item.count for item in other.severities}
        severities = tuple(
            Severities(severity=item.severity, count=total([item.count, more.get(item.severity, 0)]))
            for item in one.severities
        )
    return IncidentRow(
        category=one.category, count=total([one.count, other.count]), severities=severities, **people
    )


def _both(one: int | str | None, other: int | str | None) -> int | str | None:
    return None if one is None or other is None else total([one, other])

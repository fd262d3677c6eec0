"""What a return's score was worked out of, besides its facts: so that anybody can work it out again (PURE).

No names of people: classes by their names, entries by their ids, an incident's head-counts suppressed as everywhere.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from reports.parts import Count, Instant, Part, Suppressed


class Term(Part, frozen=True, kw_only=True):
    """Both days are inside it."""

    name: str
    starts: date
    ends: date


class SchoolClass(Part, frozen=True, kw_only=True):
    """A class of the quarter, from its first to its last day, with its pupils as the quarter closed."""

    name: str
    since: date
    until: date
    pupils: Count


class Profile(Part, frozen=True, kw_only=True):
    """The school as its duties follow from it: its kitchen, its calendar, its classes.

    `closed` and `extra` are the school's own days; `days_off` are the weekdays on which the country does not work,
    `workdays` the weekend days on which it does, in the days from `since` to `until`.
    """

    has_canteen: bool
    meals: tuple[str, ...] = ()
    since: date
    until: date
    terms: tuple[Term, ...] = ()
    closed: tuple[date, ...] = ()
    extra: tuple[date, ...] = ()
    days_off: tuple[date, ...] = ()
    workdays: tuple[date, ...] = ()
    classes: tuple[SchoolClass, ...] = ()


class Added(Part, frozen=True, kw_only=True):
    """Occurrences due on a day beyond what the standard alone asks for: rostered slots, drills to be evaluated."""

    line: str
    due_on: date
    count: Count


class Tested(Part, frozen=True, kw_only=True):
    """Pupils checked for awareness, and those of them who passed."""

    checked: Count
    passed: Count


class Known(Part, frozen=True, kw_only=True, omit_defaults=True):
    """What a version of an incident's entry said, from `known_at` on. `as_if`: of suppressed deaths the
    least number that is ordered and graded as they are.
    """

    known_at: Instant
    happened_on: date
    discovered_at: Instant
    category: str
    liability: str
    deaths: Count | Suppressed = 0
    serious_injuries: Count | Suppressed = 0
    minor_injuries: Count | Suppressed = 0
    affected: Count | Suppressed = 0
    loss_yuan: Count = 0
    reported_at: Instant | None = None
    reported_by: Literal["school", "superior"] | None = None
    voided: bool = False
    as_if: Count = 0


class Later(Part, frozen=True, kw_only=True, omit_defaults=True):
    """A later fact of an incident: a figure, a finding, a report. Any other kind has no value here."""

    kind: str
    value: str = ""
    happened_at: Instant
    recorded_at: Instant
    as_if: Count = 0


class History(Part, frozen=True, kw_only=True):
    """All that was known of an incident, in the order in which it became known."""

    versions: tuple[Known, ...]
    events: tuple[Later, ...] = ()

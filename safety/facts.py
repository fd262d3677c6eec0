"""What scoring has to know of a school: plain values, read once from storage, shared by every rule (PURE)."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from safety.calendar import DAY, SchoolCalendar

Sizes = tuple[tuple[datetime, int], ...]
"""Head-counts in the order in which they were recorded: (recorded at, pupils)."""

STAGES = ("kindergarten", "primary", "junior", "senior", "nine_year", "complete", "special")
MEALS = ("breakfast", "lunch", "supper")


def size_at(sizes: Sizes, at: datetime) -> int:
    """The head-count in force at an instant; before the first one was recorded, the first one; 0 if none."""
    known = [count for recorded_at, count in sizes if recorded_at <= at]
    if known:
        return known[-1]
    return sizes[0][1] if sizes else 0


@dataclass(frozen=True, slots=True)
class ClassFacts:
    """A class of one school year. `since` and `until` are inclusive and lie within that school year."""

    id: int
    name: str
    since: date
    until: date
    sizes: Sizes

    def exists_on(self, day: date) -> bool:
        return self.since <= day <= self.until


@dataclass(frozen=True, slots=True)
class ZoneFacts:
    """A grid zone. `label` names it within its school: its own name, or campus/name where campuses share that name."""

    id: int
    label: str


def labelled(zones: Sequence[tuple[int, str, str]]) -> tuple[ZoneFacts, ...]:
    """A school's zones from (id, campus, name)."""
    shared = Counter(name for _, _, name in zones)
    return tuple(
        ZoneFacts(id_, name if shared[name] == 1 else f"{campus}/{name}") for id_, campus, name in zones
    )


@dataclass(frozen=True)
class SchoolFacts:
    """A school as the rules see it. `enrolments` are dated so that a closed quarter keeps the count it closed with."""

    id: int
    code: str
    name: str
    stage: str
    has_canteen: bool
    meals: tuple[str, ...]
    enrolments: Sizes
    calendar: SchoolCalendar
    classes: tuple[ClassFacts, ...]
    bureau: int = 0
    name_en: str = ""
    made_up: bool = False
    zones: tuple[ZoneFacts, ...] = ()

    @cached_property
    def memo(self) -> dict[object, object]:
        """Whatever is worked out of these facts alone, kept as long as they are: they never change."""
        return {}

    @cached_property
    def size_changes(self) -> tuple[datetime, ...]:
        """The instants at which any head-count was recorded, in order."""
        every = (self.enrolments, *(item.sizes for item in self.classes))
        return tuple(sorted({at for sizes in every for at, _ in sizes}))

    @cached_property
    def _class_steps(self) -> tuple[list[date], list[tuple[int, ...]]]:
        """The days from which classes exist, or no longer do, in order, and the ids of those that do from each on."""
        days = sorted({day for item in self.classes for day in (item.since, item.until + DAY)})
        return days, [tuple(item.id for item in self.classes_on(day)) for day in days]

    def class_ids_on(self, day: date) -> tuple[int, ...]:
        """The ids of the classes that exist on that day, in their order."""
        days, ids = self._class_steps
        at = bisect_right(days, day)
        return ids[at - 1] if at else ()

    def classes_on(self, day: date) -> tuple[ClassFacts, ...]:
        """The classes that exist on that day."""
        return tuple(item for item in self.classes if item.exists_on(day))


def school_year_span(school_year: str) -> tuple[date, date]:
    """`2025-2026` → 1 September 2025 to 31 August 2026.

    Raises:
        ValueError: if the text is not two consecutive years, or not of these two centuries.
    """
    first, dash, second = school_year.partition("-")
    if not (dash and len(first) == len(second) == 4 and first.isdecimal() and second.isdecimal()):
        raise ValueError(school_year)
    if int(second) != int(first) + 1 or int(first) not in range(2001, 2198):
        raise ValueError(school_year)
    return date(int(first), 9, 1), date(int(second), 8, 31)


def school_year_of(day: date) -> str:
    """The school year that holds a day: 2026-09-01 → `2026-2027`."""
    first = day.year if day.month >= 9 else day.year - 1
    return f"{first}-{first + 1}"

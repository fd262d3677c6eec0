"""A generated county for timing: many schools' quarter as bulk rows, made without the actions people use.

Nothing here is meant to look real; the demo county (`safe-campus demo`) is. Rows are spread as a large school makes
them: a reminder per class and day, a session per class and week, check-ins for every slot, a sample per dish and meal.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from safety.calendar import Period, SchoolCalendar, TermSpan
from safety.clock import ZONE
from safety.database import execute_many, fetch_tuples
from safety.ids import new_id

QUARTER = Period.parse("2026Q2")
TERM = TermSpan("2025-2026-2", date(2026, 2, 23), date(2026, 7, 10))
CALENDAR = SchoolCalendar((TERM,))
CLASSES = 50
DISHES = 10
BATCHES = 15
ENTRY = (
    "id",
    "school",
    "school_class",
    "happened_on",
    "timed_on",
    "recorded_at",
    "submission_key",
    "body_digest",
)
Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What was generated: rows per ledger table, and their sum."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def _at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


class Maker:
    """Rows of one school."""

    def __init__(self, school: int, classes: list[int], person: int, seed: int) -> None:
        self.school, self.classes, self.person = school, classes, person
        self.random = random.Random(seed)  # noqa: S311 - figures, not secrets
        self.days = CALENDAR.school_days(QUARTER.start, QUARTER.end)

    def _entry(self, day: date, school_class: int | None = None) -> Row:
        # One in twenty is recorded two days late, so that every kind of timeliness occurs.
        on = day + timedelta(days=2 if self.random.random() < 0.05 else 0)
        key = new_id()
        return (key, self.school, school_class, day, on, _at(on, 19, self.random.randrange(60)), str(key), "")

    def reminders(self) -> Iterator[Row]:
        for day in self.days:
            for school_class in self.classes:
                yield (*self._entry(day, school_class), "过马路走斑马线")

    def sessions(self) -> Iterator[Row]:
        for week in CALENDAR.iso_weeks(QUARTER.start, QUARTER.end):
            for school_class in self.classes:
                yield (*self._entry(week.due, school_class), "weekly", "交通安全", "injury", 44, 1)

    def zero_reports(self) -> Iterator[Row]:
        for day in self.days:
            yield (*self._entry(day), self.person)

    def slots(self) -> Iterator[Row]:
        for day in self.days:
            for post, hour, until in POSTS:
                entry = list(self._entry(day))
                entry[4], entry[5] = day - timedelta(days=7), _at(day - timedelta(days=7), 9)
                yield (*entry, post, _at(day, hour), _at(day, until), self.person)

    def checkins(self) -> Iterator[Row]:
        for day in self.days:
            for post, hour, _ in POSTS:
                yield (*self._entry(day), post, self.person, None, _at(day, hour, 5))
            for hour in (8, 9, 10, 13, 14, 15, 16):
                yield (*self._entry(day), "patrol", self.person, None, _at(day, hour))

    def samples(self) -> Iterator[Row]:
        for day in self.days:
            for meal, hour in (("breakfast", 7), ("lunch", 11), ("supper", 17)):
                for dish in range(DISHES):
                    yield (*self._entry(day), meal, f"菜{dish}", 130, _at(day, hour), None, self.person)

    def batches(self) -> Iterator[Row]:
        for day in self.days:
            for item in range(BATCHES):
                made = day - timedelta(days=3)
                yield (*self._entry(day), f"货{item}", 5000, "kg", "某厂", made, 30, "某商", "HG-1", "FP-1")

    def drills(self) -> Iterator[Row]:
        for first, _ in QUARTER.months():
            yield (*self._entry(first + timedelta(days=13)), "fire", 900, 110, "", first + timedelta(days=15))

    def checks(self) -> Iterator[Row]:
        for school_class in self.classes:
            yield (*self._entry(self.days[-3], school_class), 20, 19)


POSTS = (
    ("gate", 7, 8),
    ("gate", 11, 12),
    ("gate", 16, 17),
    ("marshal", 7, 8),
    ("marshal", 16, 17),
    ("leader", 7, 18),
)
TABLES: dict[str, tuple[tuple[str, ...], Callable[[Maker], Iterator[Row]]]] = {
    "daily_reminder": (("text",), Maker.reminders),
    "class_session": (("kind", "topic", "module", "present", "made_up"), Maker.sessions),
    "zero_report": (("person",), Maker.zero_reports),
    "duty_slot": (("post", "starts_at", "ends_at", "person"), Maker.slots),
    "duty_checkin": (("post", "person", "substitute_for", "happened_at"), Maker.checkins),
    "food_sample": (("meal", "dish", "grams", "stored_at", "discarded_at", "person"), Maker.samples),
    "purchase_batch": (
        (
            "item",
            "quantity",
            "unit",
            "maker",
            "produced_on",
            "shelf_life_days",
            "supplier",
            "certificate_no",
            "invoice_no",
        ),
        Maker.batches,
    ),
    "drill": (("kind", "participants", "evacuation_seconds", "problems", "evaluated_on"), Maker.drills),
    "awareness_check": (("checked", "passed"), Maker.checks),
}
SUMMED = {
    "daily_reminder": "length(text)",
    "class_session": "present + made_up",
    "zero_report": "person",
    "duty_slot": "person",
    "duty_checkin": "person",
    "food_sample": "grams",
    "purchase_batch": "quantity",
    "drill": "participants",
    "awareness_check": "checked",
}
"""What the bare scan of each table adds up."""


def _silent(done: int) -> None:
    del done


async def make(schools: int, progress: Callable[[int], object] = _silent) -> Made:
    """A bureau with schools of about 7,800 rows each."""
    person = await _one(
        "insert into account (login, name, must_change_password, created_at)"
        " values ('bench', 'bench', false, $1) returning id",
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    bureau = await _one("insert into bureau (code, name, made_up) values ('B', 'B', true) returning id")
    counts = dict.fromkeys(TABLES, 0)
    for number in range(schools):
        maker = await _school(number, bureau, person)
        for table, (columns, rows) in TABLES.items():
            counts[table] += await _insert(table, columns, list(rows(maker)))
        progress(number + 1)
    return Made(counts)


async def _one(sql: str, *args: Any) -> int:
    return int((await fetch_tuples(None, sql, args))[0][0])


async def _school(number: int, bureau: int, person: int) -> Maker:
    school = await _one(
        "insert into school (code, name, name_en, stage, enrolment, has_canteen, meals, boarding, has_bus, bureau,"
        " revision, made_up) values ($1, $1, '', 'primary', 1800, true, 'breakfast+lunch+supper', true, false, $2, 1,"
        " true) returning id",
        f"S{number:04}",
        bureau,
    )
    await fetch_tuples(
        None, "insert into term (school, name, starts, ends) values ($1, $2, $3, $4)", [school, *_term()]
    )
    classes = [await _class(school, f"{n}") for n in range(CLASSES)]
    return Maker(school, classes, person, number)


def _term() -> tuple[str, date, date]:
    return TERM.name, TERM.start, TERM.end


async def _class(school: int, name: str) -> int:
    return await _one(
        "insert into school_class (school, school_year, grade, name, pupils, first_day, last_day)"
        " values ($1, '2025-2026', '', $2, 45, $3, $4) returning id",
        school,
        name,
        date(2025, 9, 1),
        date(2026, 8, 31),
    )


async def _insert(table: str, columns: tuple[str, ...], rows: list[Row]) -> int:
    names = (*ENTRY, *columns)
    places = ", ".join(f"${n + 1}" for n in range(len(names)))
    await execute_many(None, f"insert into {table} ({', '.join(names)}) values ({places})", rows)  # noqa: S608
    return len(rows)

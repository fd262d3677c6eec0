"""A county office for the save bench: schools with an officer each, in a database of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from config.benchmarks.load import Officer
from config.rules import put_in_use
from safety.access import tokens
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.access.tables import Account
from safety.calendar import Period
from safety.clock import local_day
from safety.database import (
    CampusEngine,
    close_engine,
    engine_from_url,
    engine_in_use,
    fetch_tuples,
    open_engine,
)
from safety.facts import school_year_of, school_year_span
from safety.migrations import migrate
from safety.places.facts import school_facts

# Fixed, so that the run does not depend on whether today is a school day. A Wednesday, 16:00 in Shanghai.
NOW = datetime(2026, 12, 16, 8, 0, tzinfo=UTC)
CLASSES = 20
PASSWORD = "only for this run"  # noqa: S105 - the database lives as long as the run
TEXT = "过马路请走斑马线，骑车请戴头盔，天黑前到家。"
FORM = "/schools/{code}/ledgers/daily_reminders/new"


@asynccontextmanager
async def private_database(folder: Path) -> AsyncIterator[CampusEngine]:
    """A migrated, empty, open SQLite database in `folder`, in use inside the block."""
    put_in_use()
    engine = engine_from_url(database_url(folder))
    with engine_in_use(engine):
        await open_engine(engine)
        try:
            await migrate(engine)
            yield engine
        finally:
            await close_engine(engine)


def database_url(folder: Path) -> str:
    """The address of the database in `folder`."""
    return f"sqlite:///{folder / 'bench.db'}"


@dataclass(frozen=True, slots=True)
class Place:
    """A school of the office: its code, its officer's login, its classes' names and the days to record."""

    code: str
    login: str
    classes: list[str]
    days: list[date]

    def officer(self, path: str = FORM) -> Officer:
        """What its officer sends: a reminder for every class of every school day of the quarter, the last day first."""
        bodies = [
            {"class": name, "happened_on": day.isoformat(), "text": TEXT}
            for day in self.days
            for name in self.classes
        ]
        return Officer(self.login, PASSWORD, path.format(code=self.code), bodies)


async def make_office(count: int) -> list[Place]:
    """So many schools of 20 classes, each with an officer, late in a term."""
    bureau = await _added("bureau", code="B", name="测速县教育局", made_up=True)
    places = [await _school(number, bureau) for number in range(count)]
    hashed = await tokens.hash_password(PASSWORD)
    await Account.update({Account.password_hash: hashed}, force=True)
    return places


async def _added(table: str, **values: object) -> int:
    names = ", ".join(values)
    numbers = ", ".join(f"${n + 1}" for n in range(len(values)))
    sql = f"insert into {table} ({names}) values ({numbers}) returning id"  # noqa: S608 - names of our own
    return int((await fetch_tuples(None, sql, list(values.values())))[0][0])


async def _school(number: int, bureau: int) -> Place:
    today, code, login = local_day(NOW), f"S{number:03}", f"officer{number:03}"
    school = await _added(
        "school", code=code, name=f"测速{number}小学", name_en="", stage="primary", enrolment=900, has_canteen=True,
        meals="lunch", boarding=False, has_bus=False, bureau=bureau, revision=1, made_up=True,
    )  # fmt: skip
    term = {"starts": today - timedelta(days=105), "ends": today + timedelta(days=30)}
    await _added("term", school=school, name="测速学期", **term)
    names = await _classes(school, school_year_of(today))
    role = NewRole("officer", school=school)
    await create_accounts(None, [NewPerson(login, login, (role,), one_time=False)], NOW)
    calendar = (await school_facts(school)).calendar
    days = calendar.school_days(Period.of(today).start, today)
    return Place(code, login, names, list(days[::-1]) or [today])


async def _classes(school: int, year: str) -> list[str]:
    first, last = school_year_span(year)
    names = [f"{n // 4 + 1}({n % 4 + 1})班" for n in range(CLASSES)]
    for name in names:
        await _added(
            "school_class", school=school, school_year=year, grade="", name=name, pupils=45, first_day=first,
            last_day=last,
        )  # fmt: skip
    return names

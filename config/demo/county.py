"""The whole county, quarter by quarter and week by week: who is asked what, in order of time."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from config.demo import afterwards, canteen, duty, exercises, incidents, lessons, places, returns
from config.demo import people as people_
from config.demo.acts import DemoSchool
from config.demo.ids import SeededIds
from config.demo.names import Names
from config.demo.people import Town
from config.demo.profiles import school_code
from reports.press import Press
from safety.access.queries import account_exists
from safety.bundles.actions import import_sheets
from safety.calendar import Period
from safety.clock import day_start
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.errors import Conflict
from safety.ids import made_by
from safety.ledger.tallies import deferred
from safety.places.facts import school_facts

DAY = timedelta(days=1)
FOUNDED = timedelta(hours=6)
"""The hour of its first day at which the county begins to keep records: before that no quarter was its to close."""
NEW_YEAR = (8, 26)
"""Month and day on which schools enter the classes of the coming school year."""
ENROLS = 9
"""On which day of the last closed quarter, counted from 0, the school is enrolled that keeps an instance of its own:
after the roll-up of the quarter before.
"""
LONG_GAP = timedelta(days=14)

Progress = Callable[[str, int, int], None]


def quiet(stage: str, done: int, total: int) -> None:
    """No progress shown."""
    del stage, done, total


@dataclass(frozen=True, slots=True)
class Wish:
    """What demo is wanted: how many schools and past quarters, from which seed, until the beginning of `today`."""

    today: date
    schools: int = 12
    quarters: int = 2
    seed: str = "1"

    @property
    def first(self) -> Period:
        """The first quarter."""
        period = Period.of(self.today)
        for _ in range(self.quarters):
            period = period.previous()
        return period


@dataclass
class Loaded:
    """What came of it. `logins` as interfaces.md has them; `acts`: how many things people did."""

    logins: list[dict[str, str]]
    acts: int
    periods: list[Period] = field(default_factory=list)


async def load(wish: Wish, press: Press | None = None, progress: Progress = quiet) -> Loaded:
    """Make the demo. Raises Conflict (`demo-not-empty`) where there is an account or a school already."""
    if await account_exists() or await fetch_tuples(None, "select 1 from bureau limit 1"):
        raise Conflict("demo-not-empty")
    ids = SeededIds(wish.seed)
    with made_by(ids):
        return await County(wish, ids, press, progress).live()


class County:
    """One run."""

    def __init__(self, wish: Wish, ids: SeededIds, press: Press | None, progress: Progress) -> None:
        self.wish, self.ids, self.press, self.progress = wish, ids, press, progress
        self.plans = places.plans(wish.schools, wish.seed)
        self.town = Town(Names(wish.seed))
        self.schools: list[DemoSchool] = []
        self.closed: list[Period] = []

    async def live(self) -> Loaded:
        """From the founding to the beginning of today."""
        await self._found()
        steps = list(_steps(self.wish.first.start, self.wish.today))
        for number, (first, until) in enumerate(steps, start=1):
            await self._step(first, until)
            self.progress("weeks", number, len(steps))
        acts = sum(school.written for school in self.schools)
        return Loaded(self.town.logins(), acts, self.closed)

    # ---- places and people
    async def _found(self) -> None:
        first = self.wish.first.start
        now = min(day_start(first) + FOUNDED, day_start(self.wish.today))
        self.ids.move_to(now)
        year = _school_year(first)
        await self._take_in(year, now, founding=True)
        people_.engage_bureau(self.town)
        for plan in self.plans:
            people_.engage_school(self.town, plan)
            people_.engage_teachers(self.town, plan, year)
        people_.hand_out_passwords(self.town, self.plans)
        await people_.open_accounts(self.town, self.plans, year, now)
        known = dict(await fetch_tuples(None, "select code, id from school"))
        for plan in self.plans:
            chance = random.Random(f"{self.wish.seed}:{plan.code}")  # noqa: S311
            facts = await school_facts(known[plan.code])
            staff = self.town.staffs[plan.code]
            # Its own ids: what one school does never moves another's.
            ids = SeededIds(f"{self.wish.seed}:{plan.code}")
            self.schools.append(DemoSchool(plan, facts.id, staff, self.town, ids, chance, facts))

    async def _take_in(self, year: int, now: datetime, *, founding: bool = False) -> None:
        sheets = [
            places.schools(self.plans, year),
            places.classes(self.plans, year),
            places.terms(self.plans, year),
        ]
        if founding:
            sheets = [places.bureaus(), *sheets, places.campuses(self.plans), places.zones(self.plans)]
        await import_sheets(None, {sheet.name: sheet for sheet in sheets}, now)

    async def _turn_year(self, year: int, now: datetime) -> None:
        """New classes, new enrolment, the teachers with their groups one grade up."""
        self.ids.move_to(now)
        await self._take_in(year, now)
        for plan in self.plans:
            people_.engage_teachers(self.town, plan, year)
        await people_.open_accounts(self.town, self.plans, year, now)

    # ---- days
    async def _step(self, first: date, until: date) -> None:
        if (first.month, first.day) == NEW_YEAR:
            await self._turn_year(first.year, day_start(first) + timedelta(hours=9))
        for school in self.schools:
            await self._school_step(school, first, until)
        period = Period.of(first)
        if self.press is not None:
            await self._bureau_step(self.press, first, until)
        if until > period.end:
            self.ids.move_to(close_at(period))
            await returns.close(self.press, self.schools, period, self.progress)
            self._closed(period)

    async def _bureau_step(self, press: Press, first: date, until: date) -> None:
        period = Period.of(first)
        day = period.start + ENROLS * DAY
        if first <= day < until and _quarters_between(period, self.wish.today) == 1:
            now = day_start(day) + timedelta(hours=9)
            self.ids.move_to(now)
            far = places.elsewhere(len(self.plans))
            await import_sheets(None, {far.name: far}, now)
            await returns.enrol_elsewhere(press, school_code(len(self.plans)), now)
        if self.closed:
            self.ids.move_to(day_start(first))
            days = [first + n * DAY for n in range((until - first).days)]
            await returns.follow(press, days, self.progress)

    def _closed(self, period: Period) -> None:
        self.closed.append(period)
        # Without a press nothing is received, and so nothing is decided on.
        for school in self.schools if self.press else ():
            afterwards.plan_quarter(school, period, last=_quarters_between(period, self.wish.today) == 1)

    async def _school_step(self, school: DemoSchool, first: date, until: date) -> None:
        decided = places.closures(school.plan, first, until - DAY)
        if decided is not None:
            await import_sheets(None, {decided.name: decided}, day_start(first) + timedelta(hours=7))
        school.facts = await school_facts(school.id)
        period = Period.of(first)
        if first == period.start:
            returns.plan_quarter(school, period)
        days = school.facts.calendar.school_days(first, until - DAY)
        ago = _quarters_between(period, self.wish.today)
        incidents.plan_stories(school, days, ago, len(self.plans))
        self._rosters(school, first, until)
        for plan in (lessons.plan, duty.plan, canteen.plan, exercises.plan, incidents.plan):
            plan(school, days)
        with made_by(school.ids):
            async with deferred():
                await school.live_until(day_start(until))

    def _rosters(self, school: DemoSchool, first: date, until: date) -> None:
        """The rosters that are written in these days, each for a coming week."""
        calendar = school.facts.calendar
        start = self.wish.first.start
        for week in calendar.iso_weeks(first - 7 * DAY, until + 28 * DAY):
            days = calendar.school_days(max(week.start, start), week.end)
            before = calendar.last_school_day(week.start - LONG_GAP, week.start - DAY)
            written_on = before or (days[0] - 2 * DAY if days else week.start)
            # The first week's roster is the first thing that is entered.
            if first == start and days and written_on < start <= week.end:
                duty.plan_roster(school, days, day_start(start) + FOUNDED * 1.1)
            elif first <= written_on < until and days:
                duty.plan_roster(school, days, school.some_time(written_on, 15))


def _school_year(day: date) -> int:
    """The year in which the school year of a day began, as far as its classes have been entered."""
    return day.year if (day.month, day.day) >= NEW_YEAR else day.year - 1


def _quarters_between(period: Period, today: date) -> int:
    count = 0
    while period.end < today:
        period, count = period.next(), count + 1
    return count


def _steps(first: date, until: date) -> Iterator[tuple[date, date]]:
    """Weeks, cut where a quarter begins and where a school year is entered."""
    start = first
    while start < until:
        cuts = [start + (7 - start.weekday()) * DAY, Period.of(start).end + DAY, until]
        cuts += [day for day in (date(start.year, *NEW_YEAR),) if day > start]
        yield start, min(cuts)
        start = min(cuts)

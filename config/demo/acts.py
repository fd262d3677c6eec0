"""What people do in the demo: acts in order of time, each through the action that its page calls."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Protocol
from uuid import UUID

from config.demo.ids import SeededIds
from config.demo.people import Person, Staff, Town
from config.demo.places import Plan
from safety import in_use
from safety.calendar import Period
from safety.clock import ZONE
from safety.duties import close_at
from safety.errors import BadInput
from safety.facts import SchoolFacts
from safety.ids import new_id
from safety.ledger import actions
from safety.ledger.parse import Context

Values = dict[str, Any]


def at(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A local time of a day."""
    return datetime.combine(day, time(hour, minute, second), ZONE)


class Act(Protocol):
    """Something that somebody does."""

    async def do(self, school: "DemoSchool", now: datetime) -> None: ...


@dataclass
class DemoSchool:
    """A school while its days go by: its people, its habits, what it has still to do, what it has written."""

    plan: Plan
    id: int
    staff: Staff
    town: Town
    ids: SeededIds
    random: random.Random
    facts: SchoolFacts
    entries: dict[str, UUID] = field(default_factory=dict)
    """Entries that something comes back to, by a name of the planner's own."""
    troubled: set[date] = field(default_factory=set)
    """Days of which the school reported an incident."""
    written: int = 0
    _todo: list[tuple[datetime, int, Act]] = field(default_factory=list)
    _count: int = 0

    def will(self, moment: datetime, act: Act) -> None:
        """Somebody does it at that moment."""
        self._count += 1
        heapq.heappush(self._todo, (moment, self._count, act))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def some_time(self, day: date, hour: int, within: int = 60) -> datetime:
        """A moment of an hour, to the second, as clocks have it."""
        minutes, second = self.random.randrange(within), self.random.randrange(60)
        return at(day, hour, 0, second) + timedelta(minutes=minutes)

    def late_or_never(self, moment: datetime, done: float, least_days: int = 3) -> datetime | None:
        """When something is written that was due at that moment: then, later, after the close, or never."""
        habits = self.plan.profile.habits
        if not self.chance(done):
            return None
        if self.chance(habits.backfilled):
            close = close_at(Period.of(moment.date())).astimezone(ZONE)
            return self.some_time(close.date() + timedelta(days=self.random.randint(1, 9)), 10)
        if self.chance(habits.late):
            return self.some_time(moment.date() + timedelta(days=least_days + self.random.randrange(4)), 16)
        return moment

    async def live_until(self, end: datetime) -> None:
        """Do, in order, everything that comes before that moment."""
        while self._todo and self._todo[0][0] < end:
            moment, _, act = heapq.heappop(self._todo)
            self.ids.move_to(moment)
            await act.do(self, moment)
            self.written += 1

    def classes_on(self, day: date) -> Iterator[tuple[Any, Person]]:
        """The classes of a day with their teachers."""
        year = day.year if day.month >= 9 else day.year - 1
        labels = {group.label: self.staff.teachers.get(group.cohort) for group in self.plan.groups(year)}
        for item in self.facts.classes_on(day):
            teacher = labels.get(item.name)
            if teacher is not None:
                yield item, teacher


# ---------------------------------------------------------------- acts
@dataclass(frozen=True, slots=True)
class Write:
    """An entry. `name` lets later acts come back to it; `for_` is whom it is entered for."""

    by: Person
    ledger: str
    values: Values
    name: str = ""
    for_: Person | None = None

    async def do(self, school: DemoSchool, now: datetime) -> None:
        scope = await school.town.scope(self.by, now)
        made = await actions.record(
            in_use.registry()[self.ledger], scope, school.id, self.values, str(new_id()), now,
            on_behalf_of=self.for_.id if self.for_ else None, context=Context(school.facts, now),
        )  # fmt: skip
        if self.name:
            school.entries[self.name] = made.id


@dataclass(frozen=True, slots=True)
class Refused:
    """An entry that the ledger refuses: somebody tries, reads the reason, and nothing is written."""

    by: Person
    ledger: str
    values: Values

    async def do(self, school: DemoSchool, now: datetime) -> None:
        try:
            await Write(self.by, self.ledger, self.values).do(school, now)
        except BadInput:
            return
        raise AssertionError(f"{self.ledger} took what it should refuse")


@dataclass(frozen=True, slots=True)
class Mend:
    """A correction of an entry made before."""

    by: Person
    ledger: str
    name: str
    values: Values
    why: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        scope = await school.town.scope(self.by, now)
        made = await actions.correct(
            in_use.registry()[self.ledger], scope, school.id, school.entries[self.name], self.values, self.why,
            str(new_id()), now, context=Context(school.facts, now),
        )  # fmt: skip
        school.entries[self.name] = made.id


@dataclass(frozen=True, slots=True)
class Void:
    """An entry made before declared void."""

    by: Person
    ledger: str
    name: str
    why: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        scope = await school.town.scope(self.by, now)
        entry = school.entries[self.name]
        await actions.void(in_use.registry()[self.ledger], scope, school.id, entry, self.why, now)


@dataclass(frozen=True, slots=True)
class Add:
    """A later fact about an entry made before."""

    by: Person
    ledger: str
    name: str
    kind: str
    value: str = ""

    async def do(self, school: DemoSchool, now: datetime) -> None:
        scope = await school.town.scope(self.by, now)
        await actions.add_event(
            in_use.registry()[self.ledger], scope, school.id, school.entries[self.name], self.kind, self.value, now,
            str(new_id()), now,
        )  # fmt: skip

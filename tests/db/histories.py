"""Random histories of a small school: entries, corrections, voidings, later facts, and changes of what they rest on."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from config.ledgers import REGISTRY
from safety.clock import ZONE, local_day
from safety.database import fetch_tuples, transaction
from safety.errors import Refusal
from safety.ledger.actions import add_event, correct, record, void
from safety.ledger.tallies import rebuild_all
from safety.places.tables import School, SchoolClass, Term
from tests.cast import Cast

START = datetime(2026, 6, 8, 1, 0, tzinfo=UTC)
MEALS = ("breakfast", "lunch", "supper")
Step = Callable[["History"], Any]


@dataclass
class Known:
    ledger: str
    id: UUID
    values: dict[str, Any]


@dataclass
class History:
    """A school being lived through. `now` only ever moves forward, as clocks do."""

    random: Random
    cast: Cast
    school: int
    classes: list[int]
    people: list[int]
    now: datetime = START
    entries: list[Known] = field(default_factory=list)
    refused: int = 0

    @classmethod
    async def begin(cls, random: Random, cast: Cast) -> "History":
        school = School(
            code=secrets.token_hex(6), name="历史小学", stage=random.choice(("primary", "kindergarten")),
            enrolment=60, has_canteen=random.random() < 0.9, meals="breakfast+lunch", bureau=cast.county,
        )  # fmt: skip
        await school.save()
        for name, first, last in (
            ("春", date(2026, 2, 23), date(2026, 7, 8)),
            ("秋", date(2026, 9, 1), date(2027, 1, 22)),
        ):
            await Term(school=school.id, name=name, starts=first, ends=last).save()
        classes = []
        for name, year, first, last in (
            ("一(1)", 2025, date(2025, 9, 1), date(2026, 8, 31)),
            ("一(2)", 2025, date(2025, 9, 1), date(2026, 6, 24)),
            ("一(1)", 2026, date(2026, 9, 1), date(2027, 8, 31)),
        ):
            made = SchoolClass(
                school=school.id, school_year=f"{year}-{year + 1}", grade="一", name=name, pupils=30,
                first_day=first, last_day=last,
            )  # fmt: skip
            await made.save()
            classes.append(made.id)
        people = [cast["officer"].account_id, cast["guard"].account_id]
        return cls(random, cast, school.id, classes, people)

    # ---- the steps of a life
    async def live(self, steps: int) -> None:
        """So many random steps; what the product refuses is counted and leaves no trace."""
        for _ in range(steps):
            step = self.random.choices(STEPS, WEIGHTS)[0] if len(self.entries) > 3 else History.enter
            try:
                await step(self)
            except Refusal:
                self.refused += 1

    async def wait(self) -> None:
        self.now += timedelta(minutes=self.random.choice((7, 60, 60 * 9, 60 * 24, 60 * 24 * 3, 60 * 24 * 9)))

    async def enter(self) -> None:
        name = self.random.choice(list(REGISTRY.ledgers))
        values = MAKERS[name](self)
        await self._record(name, values)

    async def roster_day(self) -> None:
        """A day's slots and check-ins that may or may not fit them."""
        post = self.random.choice(("gate", "marshal", "leader", "patrol"))
        for _ in range(self.random.randrange(1, 4)):
            await self._record("duty_slots", self.slot(post))
        self.now += timedelta(hours=self.random.choice((1, 20, 30)))
        for _ in range(self.random.randrange(1, 7)):
            await self._record("duty_checkins", self.checkin(post))

    async def _record(self, name: str, values: dict[str, Any]) -> None:
        made = await record(
            REGISTRY[name], self.cast["admin"], self.school, values, secrets.token_hex(8), self.now
        )
        self.entries.append(Known(name, made.id, values))

    async def mend(self) -> None:
        known = self.random.choice(self.entries)
        fresh = MAKERS[known.ledger](self)
        changed = self.random.sample(list(fresh), k=self.random.randrange(1, 3))
        values = known.values | {name: fresh[name] for name in changed}
        made = await correct(
            REGISTRY[known.ledger],
            self.cast["admin"],
            self.school,
            known.id,
            values,
            "改",
            secrets.token_hex(8),
            self.now,
        )
        known.id, known.values = made.id, values

    async def strike_out(self) -> None:
        known = self.random.choice(self.entries)
        await void(REGISTRY[known.ledger], self.cast["admin"], self.school, known.id, "错", self.now)

    async def learn(self) -> None:
        eventful = [known for known in self.entries if REGISTRY[known.ledger].events]
        if not eventful:
            return
        known = self.random.choice(eventful)
        event = self.random.choice(REGISTRY[known.ledger].events)
        value = {
            "liability": self.random.choice(("yes", "no")),
            "reported": self.random.choice(("school", "superior")),
        }
        text = value.get(event.kind, "" if event.value is None else str(self.random.randrange(3)))
        await add_event(
            REGISTRY[known.ledger], self.cast["admin"], self.school, known.id, event.kind, text,
            self.now - timedelta(hours=self.random.randrange(30)), secrets.token_hex(8), self.now,
        )  # fmt: skip

    async def close_or_open(self) -> None:
        day = self._day(20)
        sql = (
            "insert into closure (school, day, kind, reason) values ($1, $2, $3, '')"
            " on conflict (school, day) do nothing"
        )
        await self._change(sql, [self.school, day, self.random.choice(("closed", "extra"))])

    async def undo_closure(self) -> None:
        await self._change("delete from closure where school = $1 and day > $2", [self.school, self._day(20)])

    async def resize(self) -> None:
        sql = "insert into headcount (school, school_class, recorded_at, pupils) values ($1, $2, $3, $4)"
        school_class = self.random.choice([*self.classes, None])
        await self._change(sql, [self.school, school_class, self.now, self.random.randrange(1, 60)])

    async def move_class(self) -> None:
        sql = "update school_class set last_day = $2 where id = $1"
        await self._change(sql, [self.classes[0], self.random.choice((date(2026, 6, 20), date(2026, 8, 31)))])

    async def _change(self, sql: str, args: list[Any]) -> None:
        async with transaction():
            await fetch_tuples(None, sql, args)
            revision = secrets.randbelow(2**31)
            await fetch_tuples(None, "update school set revision = $2 where id = $1", [self.school, revision])
            await rebuild_all(self.school, self.now)

    # ---- what people write down
    def _day(self, back: int = 9) -> date:
        return local_day(self.now) - timedelta(days=self.random.randrange(back))

    def _instant(self, hours: int = 30) -> datetime:
        return self.now - timedelta(minutes=self.random.randrange(hours * 60))

    def slot(self, post: str) -> dict[str, Any]:
        day = local_day(self.now) + timedelta(days=self.random.choice((0, 0, 1, 1, 1, 3)))
        hour = self.random.choice((7, 8, 16))
        at = datetime(day.year, day.month, day.day, hour, tzinfo=ZONE).astimezone(UTC)
        return {
            "post": post, "starts_at": at, "ends_at": at + timedelta(hours=self.random.choice((1, 2))),
            "person": self.random.choice(self.people),
        }  # fmt: skip

    def checkin(self, post: str) -> dict[str, Any]:
        day = self._day(3)
        minutes = self.random.choice(
            (6 * 60 + 44, 6 * 60 + 45, 7 * 60 + 10, 8 * 60, 8 * 60 + 1, 9 * 60, 16 * 60)
        )
        at = datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC) + timedelta(minutes=minutes)
        person, other = self.random.sample(self.people, 2)
        return {
            "post": post, "person": person, "substitute_for": self.random.choice((None, None, other)),
            "happened_at": min(at, self.now),
        }  # fmt: skip


def _session(h: History) -> dict[str, Any]:
    return {
        "class": h.random.choice([*h.classes, None]), "happened_on": h._day(), "topic": h.random.choice("甲乙"),
        "kind": h.random.choice(("weekly", "weekly", "monthly", "legal")), "module": "injury",
        "present": h.random.randrange(40), "made_up": h.random.randrange(4),
    }  # fmt: skip


def _sample(h: History) -> dict[str, Any]:
    stored = h._instant()
    gone = stored + timedelta(hours=h.random.choice((47, 48, 60)))
    return {
        "happened_on": local_day(stored), "meal": h.random.choice(MEALS), "dish": "菜",
        "grams": h.random.choice((124, 125, 200)), "stored_at": stored,
        "discarded_at": h.random.choice((None, None, gone)), "person": h.people[0],
    }  # fmt: skip


def _batch(h: History) -> dict[str, Any]:
    day = h._day()
    return {
        "happened_on": day, "item": "米", "quantity": 1000, "unit": "kg", "maker": "厂", "produced_on": day,
        "shelf_life_days": None, "supplier": "", "certificate_no": "1", "invoice_no": "",
    }  # fmt: skip


def _drill(h: History) -> dict[str, Any]:
    day = h._day(12)
    evaluated = day + timedelta(days=h.random.randrange(16))
    return {
        "happened_on": day, "kind": h.random.choice(("fire", "evacuation")), "participants": 50,
        "evacuation_seconds": None, "problems": "", "evaluated_on": h.random.choice((None, evaluated)),
    }  # fmt: skip


def _incident(h: History) -> dict[str, Any]:
    happened = h._instant(60)
    discovered = happened + (h.now - happened) * h.random.random()
    reported = h.random.choice((None, discovered + (h.now - discovered) * h.random.random()))
    return {
        "happened_at": happened, "discovered_at": discovered, "reported_at": reported,
        "reported_by": reported and h.random.choice(("school", "superior")),
        "category": h.random.choice(("traffic", "food_poisoning", "mental_health", "other")),
        "liability": "pending", "deaths": h.random.choice((0, 0, 3)), "serious_injuries": 0,
        "minor_injuries": h.random.randrange(2), "affected": 1, "loss_yuan": 0,
    }  # fmt: skip


MAKERS: dict[str, Callable[[History], dict[str, Any]]] = {
    "class_sessions": _session,
    "daily_reminders": lambda h: {
        "class": h.random.choice(h.classes),
        "happened_on": h._day(),
        "text": h.random.choice("慢行"),
    },
    "awareness_checks": lambda h: {
        "class": h.random.choice(h.classes),
        "happened_on": h._day(),
        "checked": 20 + h.random.randrange(9),
        "passed": h.random.randrange(20),
    },
    "duty_slots": lambda h: h.slot(h.random.choice(("gate", "patrol"))),
    "duty_checkins": lambda h: h.checkin(h.random.choice(("gate", "leader", "patrol"))),
    "food_samples": _sample,
    "purchase_batches": _batch,
    "drills": _drill,
    "incidents": _incident,
    "zero_reports": lambda h: {"happened_on": h._day(5), "person": h.random.choice(h.people)},
}
_WEIGHTED: list[tuple[Step, int]] = [
    (History.wait, 30),
    (History.enter, 50),
    (History.roster_day, 8),
    (History.mend, 20),
    (History.strike_out, 5),
    (History.learn, 8),
    (History.close_or_open, 3),
    (History.undo_closure, 1),
    (History.resize, 3),
    (History.move_class, 1),
]
STEPS = [step for step, _ in _WEIGHTED]
WEIGHTS = [weight for _, weight in _WEIGHTED]

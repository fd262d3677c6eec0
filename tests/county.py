"""A county with a term behind it: what the cast's schools recorded in the autumn of 2026, lateness and gaps included.

Rows are written as they lie in the tables, some thousands at a time; the tallies are rebuilt from them as any rebuild
does it.
"""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from checklists.tables import FoodSample, PurchaseBatch
from drills.tables import Drill
from safety.calendar import Period
from safety.clock import day_start, local_day
from safety.database import execute_many, fetch_tuples, transaction
from safety.duty.tables import DutyCheckin, DutySlot
from safety.education.tables import AwarenessCheck, ClassSession, DailyReminder
from safety.ids import new_id
from safety.incidents.tables import Incident, ZeroReport
from safety.ledger.tallies import rebuild
from safety.places.facts import school_facts
from safety.places.tables import Closure, School, SchoolClass, Term
from tests.cast import NOW, Cast

FIRST, LAST = date(2026, 9, 1), date(2027, 1, 22)
GRADES = ("一年级", "二年级", "三年级", "四年级")
TOPICS = ("过马路的规则", "食堂用餐安全", "防溺水“六不”", "火场逃生", "陌生人与网络", "地震避险")
Kept = dict[tuple[int, str], UUID]


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A local time of a day, in UTC."""
    return day_start(day) + timedelta(hours=hour, minutes=minute)


class Writer:
    """Collects rows of one table and writes them at once."""

    def __init__(self, table: Any, school: int, by: int) -> None:
        self.table, self.school, self.by = table, school, by
        self.rows: list[dict[str, Any]] = []

    def add(self, day: date, recorded_at: datetime, **values: Any) -> UUID:
        number = new_id()
        row = {
            "id": number, "school": self.school, "happened_on": day, "timed_on": local_day(recorded_at),
            "recorded_at": recorded_at, "recorded_by": self.by, "submission_key": str(number), "body_digest": "0" * 64,
        }  # fmt: skip
        self.rows.append(row | values)
        return number

    async def write(self) -> None:
        if not self.rows:
            return
        names = sorted(self.rows[0])
        places = ", ".join(f"${n + 1}" for n in range(len(names)))
        sql = f"insert into {self.table._meta.tablename} ({', '.join(names)}) values ({places})"
        await execute_many(None, sql, [[row[name] for name in names] for row in self.rows])


async def make_county(cast: Cast, now: datetime = NOW) -> None:
    """Terms, classes and entries of S001 (diligent but not perfect) and S002 (half-hearted); S003 has nothing yet."""
    async with transaction():
        for number, school in enumerate((cast.school, cast.other_school, cast.far_school)):
            await _term(school)
            classes = await _classes(school, cast, 4 if number == 0 else 2)
            if number < 2:
                await _entries(school, classes, cast, now, gap=11 if number == 0 else 3)
    for school in (cast.school, cast.other_school, cast.far_school):
        for period in ("2026Q3", "2026Q4"):
            await rebuild(school, Period.parse(period), now)


async def _term(school: int) -> None:
    await Term(school=school, name="2026—2027学年第一学期", starts=FIRST, ends=LAST).save()
    await Closure(school=school, day=date(2026, 9, 25), kind="closed", reason="台风停课").save()
    await School.update({School.revision: new_id().int % 2**31}).where(School.id == school)


async def _classes(school: int, cast: Cast, count: int) -> list[int]:
    found = [cast.school_class] if school == cast.school else []
    for number in range(count - len(found)):
        made = SchoolClass(
            school=school, school_year="2026-2027", grade=GRADES[number], name=f"{GRADES[number][0]}({number + 2})班",
            pupils=40 + number, first_day=FIRST, last_day=date(2027, 8, 31),
        )  # fmt: skip
        await made.save()
        found.append(int(made.id))
    return found


async def _entries(school: int, classes: list[int], cast: Cast, now: datetime, gap: int) -> None:
    facts = await school_facts(school)
    officer = cast["officer" if school == cast.school else "outsider"].account_id
    guard, cook = (cast[name].account_id for name in ("guard", "canteen"))
    tables = (
        ClassSession,
        DailyReminder,
        ZeroReport,
        FoodSample,
        PurchaseBatch,
        DutySlot,
        DutyCheckin,
        Drill,
    )
    w = {table: Writer(table, school, officer) for table in (*tables, Incident, AwarenessCheck)}
    today = now.date()
    days = facts.calendar.school_days(FIRST, today + timedelta(days=3))
    for n, day in enumerate(days):
        _slots(w[DutySlot], day, guard)
        if day >= today:
            continue
        late = timedelta(days=4 if n % 9 == 5 else 0)
        for k, item in enumerate(classes):
            if (n + k) % gap:
                w[DailyReminder].add(day, at(day, 16) + late, school_class=item, text="过马路请走斑马线")
            if day.weekday() == 2 and (n + k) % (gap + 2):
                w[ClassSession].add(
                    day, at(day, 17) + late * 2, school_class=item, kind="weekly", topic=TOPICS[n % 6],
                    module="injury", present=38, made_up=1,
                )  # fmt: skip
        if n % gap:
            w[ZeroReport].add(day, at(day, 17), person=officer)
            w[FoodSample].add(
                day, at(day, 12), meal="lunch", dish="红烧豆腐", grams=130, stored_at=at(day, 11, 50),
                discarded_at=None, person=cook,
            )  # fmt: skip
        for hour in (7, 16) if n % gap else (7,):
            w[DutyCheckin].add(
                day,
                at(day, hour, 25),
                post="gate",
                person=guard,
                substitute_for=None,
                happened_at=at(day, hour, 25),
            )
        if day.weekday() == 0:
            w[PurchaseBatch].add(
                day, at(day, 9), item="大米", quantity=50_000, unit="kg", maker="青山粮油", produced_on=FIRST,
                shelf_life_days=365, supplier="县粮站", certificate_no=f"C{n:04}", invoice_no=f"I{n:04}",
            )  # fmt: skip
    w[ClassSession].add(
        date(2026, 9, 15), at(date(2026, 9, 15), 15), school_class=None, kind="monthly", topic="消防宣传月",
        module="other", present=160, made_up=0,
    )  # fmt: skip
    w[Drill].add(
        date(2026, 9, 18), at(date(2026, 9, 18), 15), kind="fire", participants=800, evacuation_seconds=170,
        problems="三楼东侧疏散稍慢", evaluated_on=None,
    )  # fmt: skip
    happened = at(date(2026, 9, 22), 10)
    w[Incident].add(
        date(2026, 9, 22), at(date(2026, 9, 24), 9), happened_at=happened, discovered_at=happened,
        reported_at=at(date(2026, 9, 24), 9), reported_by="school", category="facility", liability="pending",
        deaths=0, serious_injuries=0, minor_injuries=1, affected=1, loss_yuan=300,
    )  # fmt: skip
    w[AwarenessCheck].add(
        date(2026, 9, 28), at(date(2026, 9, 28), 15), school_class=classes[0], checked=40, passed=36
    )
    w[DailyReminder].add(
        date(2026, 9, 7), at(date(2026, 10, 9), 10), school_class=classes[-1], text="台风天气请家长接送"
    )
    for writer in w.values():
        await writer.write()


def _slots(writer: Writer, day: date, guard: int) -> None:
    for hour in (7, 16):
        start = at(day, hour, 20)
        writer.add(
            day, at(day - timedelta(days=7), 9), post="gate", starts_at=start,
            ends_at=start + timedelta(minutes=50), person=guard,
        )  # fmt: skip


async def entry_of(table: Any, school: int) -> UUID:
    """Some entry of a school's ledger."""
    name = table._meta.tablename
    rows = await fetch_tuples(
        None, f"select id from {name} where school = $1 order by happened_on limit 1", [school]
    )
    return UUID(str(rows[0][0]))

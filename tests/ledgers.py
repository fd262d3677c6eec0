"""What the shared ledger suite runs on: every declared ledger, one declared only here, and values made from the
declaration alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from piccolo.columns import Date, ForeignKey, Integer, Timestamptz, Varchar
from piccolo.columns.base import OnDelete
from piccolo.table import Table

from config.ledgers import REGISTRY
from config.rules import put_in_use
from safety import in_use
from safety.access.tables import Account
from safety.clock import local_day
from safety.database import current_engine, fetch_tuples
from safety.ledger.declare import Choice, EventKind, Field, Kind, Ledger, Registry
from safety.ledger.entry import Entry
from safety.ledger.parse import Context, format_local
from safety.ledger.queries import context_for
from safety.ledger.values import parse_values
from safety.standards import parse_all
from safety.text import Text
from tests.cast import NOW, Cast

STANDARDS = Path(__file__).parent.parent / "config" / "standards"
WRITERS = frozenset({"officer", "canteen"})


class FridgeReading(Entry, Table, tablename="fridge_reading"):
    """A ledger that exists in the tests only: one field of every kind."""

    place = Varchar(length=40)
    reading = Integer()
    weight = Integer()
    cleaned_on = Date(null=True, default=None)
    read_at = Timestamptz(default=None)
    state = Varchar(length=10)
    person = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=False)
    remark = Varchar(length=300, default="")


FRIDGE_READINGS = Ledger(
    name="fridge_readings",
    table=FridgeReading,
    title=Text("冰箱测温", "Fridge readings"),
    purpose=Text("每日测温。", "A reading a day."),
    fields=(
        Field("class", Kind.SCHOOL_CLASS, Text("班级", "Class"), required=False),
        Field("place", Kind.TEXT, Text("位置", "Place"), maximum=40),
        Field("reading", Kind.INTEGER, Text("温度", "Degrees"), minimum=-30, maximum=40),
        Field("weight", Kind.THOUSANDTHS, Text("重量", "Weight"), minimum=0, maximum=900),
        Field("cleaned_on", Kind.DAY, Text("清洗日期", "Cleaned on"), required=False),
        Field("read_at", Kind.INSTANT, Text("时间", "Read at"), initial="now"),
        Field(
            "state",
            Kind.CHOICE,
            Text("状态", "State"),
            choices=(Choice("good", Text("正常", "Good")), Choice("bad", Text("异常", "Bad"))),
        ),
        Field("person", Kind.PERSON, Text("测温人", "Person"), initial="me"),
        Field("remark", Kind.TEXT, Text("备注", "Remark"), required=False, maximum=300, long=True),
    ),
    writers=WRITERS,
    happened="read_at",
    events=(EventKind("repaired", Text("修复", "Repaired"), WRITERS),),
)

LEDGERS: tuple[Ledger, ...] = (*REGISTRY, FRIDGE_READINGS)
NAMES = tuple(ledger.name for ledger in LEDGERS)


@contextmanager
def ledgers_in_use() -> Iterator[Registry]:
    """The product's standards, and its ledgers with the one of the tests, in use for the process."""
    registry = Registry(LEDGERS)
    in_use.use(parse_all({f.name: f.read_text("utf-8") for f in sorted(STANDARDS.glob("*.toml"))}), registry)
    try:
        yield registry
    finally:
        # What follows runs on the product's own ledgers again, in whatever order the tests are run.
        put_in_use()


async def create_test_table() -> None:
    """What a new ledger's migration does."""
    await FridgeReading.create_table(if_not_exists=True)
    await current_engine().run_ddl(
        "create unique index if not exists fridge_reading_key on fridge_reading (school, submission_key)"
    )


def sample(ledger: Ledger, number: int = 0, now: datetime = NOW) -> dict[str, str]:
    """A row as somebody would type it, made from the declaration; another `number` gives another row.

    Days and instants ascend with the fields, as they do in every ledger that has several.
    """
    return {item.name: _text_for(item, place, number, now) for place, item in enumerate(ledger.fields)}


def _text_for(  # noqa: PLR0911 - one case per kind
    item: Field, place: int, number: int, now: datetime
) -> str:
    match item.kind:
        case Kind.SCHOOL_CLASS:
            return "三(1)班"
        case Kind.PERSON:
            return "officer" if item.required else "principal"
        case Kind.CHOICE:
            return item.initial or item.choices[number % len(item.choices)].value
        case Kind.INTEGER:
            return str(
                max(item.minimum or 0, 125 if item.name == "grams" else 1) + (number if place == 0 else 0)
            )
        case Kind.THOUSANDTHS:
            return "12.5"
        case Kind.DAY:
            return (
                local_day(now).isoformat() if item.past else (local_day(now) + timedelta(days=1)).isoformat()
            )
        case Kind.INSTANT:
            return format_local(now - timedelta(hours=1) + timedelta(minutes=place))
        case _:
            return f"防火 {item.name} {number}"[: item.maximum]


def other(ledger: Ledger, raw: dict[str, str]) -> dict[str, str]:
    """The same row with one thing in it mended, so that it still is the same occurrence."""
    for item in ledger.fields:
        if item.kind is Kind.TEXT and item.name != "unit":
            return {**raw, item.name: "更正后的内容"}
    for item in ledger.fields:
        if item.kind is Kind.PERSON:
            return {**raw, item.name: "leader"}
        if item.kind is Kind.INTEGER and item.initial in {"0", None}:
            return {**raw, item.name: str(int(raw[item.name]) + 1)}
    raise AssertionError(f"nothing to change in {ledger.name}")


async def typed(ledger: Ledger, cast: Cast, raw: dict[str, str], now: datetime = NOW) -> dict[str, Any]:
    """The values of a row that is in order."""
    values, problems = parse_values(ledger, raw, await context_for(ledger, cast.school, now))
    assert problems == []
    return values


def writer_of(ledger: Ledger) -> str:
    """Somebody of the cast who may write the ledger."""
    return next(name for name in ("officer", "canteen", "principal") if name in ledger.writers)


async def context(ledger: Ledger, cast: Cast, now: datetime = NOW) -> Context:
    return await context_for(ledger, cast.school, now)


async def count(ledger: Ledger) -> int:
    rows = await fetch_tuples(None, f"select count(*) from {ledger.table._meta.tablename}")
    return int(rows[0][0])


def school_day(now: datetime = NOW) -> date:
    return local_day(now)

"""The canteen ledgers, declared."""

from collections.abc import Hashable, Sequence
from datetime import date, timedelta

from checklists.feeds import BATCH_FEEDS, SAMPLE_COLUMNS, SAMPLE_FEEDS
from checklists.tables import FoodSample, PurchaseBatch
from safety import in_use
from safety.calendar import Period
from safety.errors import Problem
from safety.facts import MEALS, SchoolFacts
from safety.ledger.declare import Choice, EventKind, Field, Kind, Ledger, Remark, Values
from safety.limits import DutyRules
from safety.rulebook import Rulebook
from safety.text import Text

CANTEEN = frozenset({"canteen", "officer", "principal"})
MEAL_TEXTS = dict(
    zip(MEALS, (Text("早餐", "Breakfast"), Text("午餐", "Lunch"), Text("晚餐", "Supper")), strict=True)
)
DAY = Field("happened_on", Kind.DAY, Text("日期", "Date"), initial="today")


def _sample_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    problems = []
    if not facts.has_canteen:
        problems.append(Problem(None, "no-canteen"))
    discarded = values.get("discarded_at")
    if discarded is not None and discarded < values["stored_at"]:
        problems.append(Problem("discarded_at", "discarded-before-stored"))
    return problems


def _rules(day: date) -> DutyRules:
    return Rulebook.of(in_use.standards(), Period.of(day)).duties.on(day)


def _sample_remarks(values: Values, facts: SchoolFacts) -> Sequence[Remark]:
    del facts
    rules, remarks = _rules(values["happened_on"]), []
    if values["grams"] < rules.sample_grams:
        remarks.append(Remark("sample-too-light", {"grams": rules.sample_grams}))
    discarded = values.get("discarded_at")
    if discarded is not None and discarded - values["stored_at"] < rules.sample_kept:
        hours = int(rules.sample_kept.total_seconds() // 3600)
        remarks.append(Remark("sample-discarded-early", {"hours": hours}))
    return remarks


def _sample_occurrence(values: Values) -> Hashable:
    # A version under the least weight was no sample, and so does not time the version that is one.
    day = values["happened_on"]
    return day, values["meal"], values["grams"] >= _rules(day).sample_grams


FOOD_SAMPLES = Ledger(
    name="food_samples",
    table=FoodSample,
    title=Text("食品留样", "Food samples"),
    purpose=Text(
        "每餐每样食品留样，不少于125克，保存不少于48小时。",
        "Each dish of each meal: at least 125 g, kept at least 48 hours.",
    ),
    fields=(
        DAY,
        Field(
            "meal",
            Kind.CHOICE,
            Text("餐次", "Meal"),
            choices=tuple(Choice(meal, text) for meal, text in MEAL_TEXTS.items()),
            initial="lunch",
        ),
        Field("dish", Kind.TEXT, Text("菜品", "Dish"), maximum=120),
        Field("grams", Kind.INTEGER, Text("留样量（克）", "Grams"), minimum=1, maximum=10_000, initial="125"),
        Field("stored_at", Kind.INSTANT, Text("入柜时间", "Stored"), initial="now"),
        Field("discarded_at", Kind.INSTANT, Text("销毁时间", "Discarded"), required=False, past=False),
        Field("person", Kind.PERSON, Text("留样人", "Person"), initial="me"),
    ),
    writers=CANTEEN,
    feeds=SAMPLE_FEEDS,
    feed_columns=SAMPLE_COLUMNS,
    natural=_sample_occurrence,
    check=_sample_problems,
    remarks=_sample_remarks,
    events=(EventKind("discarded", Text("销毁", "Discarded"), CANTEEN),),
)


def _batch_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    problems = []
    if not facts.has_canteen:
        problems.append(Problem(None, "no-canteen"))
    if values["produced_on"] > values["happened_on"]:
        problems.append(Problem("produced_on", "produced-after-purchase"))
    life = values.get("shelf_life_days")
    if life is not None and values["produced_on"] + timedelta(days=life) < values["happened_on"]:
        problems.append(Problem("shelf_life_days", "past-shelf-life"))
    return problems


def _batch_occurrence(values: Values) -> Hashable:
    return tuple(values["happened_on"].isocalendar()[:2])


PURCHASE_BATCHES = Ledger(
    name="purchase_batches",
    table=PurchaseBatch,
    title=Text("采购验收（索证索票）", "Purchase batches"),
    purpose=Text(
        "缺生产者、生产日期或合格证明的，不得验收（严禁“三无”食品）。",
        "A batch that lacks its maker, production date or certificate is refused.",
    ),
    fields=(
        DAY,
        Field("item", Kind.TEXT, Text("品名", "Item"), maximum=120),
        Field("quantity", Kind.THOUSANDTHS, Text("数量", "Quantity"), minimum=0, maximum=1_000_000),
        Field("unit", Kind.TEXT, Text("单位", "Unit"), maximum=20, initial="kg"),
        Field("maker", Kind.TEXT, Text("生产者", "Maker"), maximum=160),
        Field("produced_on", Kind.DAY, Text("生产日期", "Produced on")),
        Field(
            "shelf_life_days",
            Kind.INTEGER,
            Text("保质期（天）", "Shelf life (days)"),
            required=False,
            minimum=0,
            maximum=100_000,
        ),
        Field("supplier", Kind.TEXT, Text("供货者", "Supplier"), required=False, maximum=160),
        Field("certificate_no", Kind.TEXT, Text("合格证明编号", "Certificate no."), maximum=80),
        Field("invoice_no", Kind.TEXT, Text("票据编号", "Invoice no."), required=False, maximum=80),
    ),
    writers=CANTEEN,
    feeds=BATCH_FEEDS,
    natural=_batch_occurrence,
    check=_batch_problems,
)

LEDGERS = (FOOD_SAMPLES, PURCHASE_BATCHES)

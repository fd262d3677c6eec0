"""The drill ledger, declared."""

from collections.abc import Hashable, Sequence

from drills.feeds import DRILL_COLUMNS, DRILL_FEEDS
from drills.tables import Drill
from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.ledger.declare import Choice, EventKind, Field, Kind, Ledger, Values
from safety.text import Text

WRITERS = frozenset({"officer", "principal", "leader"})


def _drill_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    evaluated = values.get("evaluated_on")
    if evaluated is not None and evaluated < values["happened_on"]:
        return [Problem("evaluated_on", "evaluated-before-drill")]
    return ()


def _drill_occurrence(values: Values) -> Hashable:
    return values["happened_on"].year, values["happened_on"].month


DRILLS = Ledger(
    name="drills",
    table=Drill,
    title=Text("应急演练", "Drills"),
    purpose=Text(
        "中小学每月至少一次，幼儿园每季度至少一次；演练后七日内评估。",
        "At least monthly (kindergartens quarterly); evaluated within seven days.",
    ),
    fields=(
        Field("happened_on", Kind.DAY, Text("日期", "Date"), initial="today"),
        Field(
            "kind",
            Kind.CHOICE,
            Text("演练类型", "Kind"),
            choices=(
                Choice("evacuation", Text("紧急疏散", "Evacuation")),
                Choice("earthquake", Text("防震", "Earthquake")),
                Choice("fire", Text("消防", "Fire")),
                Choice("bus", Text("校车", "School bus")),
                Choice("other", Text("其他", "Other")),
            ),
        ),
        Field("participants", Kind.INTEGER, Text("参加人数", "Participants"), minimum=1, maximum=1_000_000),
        Field(
            "evacuation_seconds",
            Kind.INTEGER,
            Text("疏散用时（秒）", "Evacuation time (s)"),
            required=False,
            minimum=0,
            maximum=86_400,
        ),
        Field(
            "problems",
            Kind.TEXT,
            Text("发现的问题", "Problems found"),
            required=False,
            maximum=1000,
            long=True,
        ),
        Field("evaluated_on", Kind.DAY, Text("评估日期", "Evaluated on"), required=False, past=False),
    ),
    writers=WRITERS,
    feeds=DRILL_FEEDS,
    feed_columns=DRILL_COLUMNS,
    whole_history=True,
    natural=_drill_occurrence,
    check=_drill_problems,
    events=(EventKind("evaluated", Text("评估", "Evaluated"), WRITERS),),
)

LEDGERS = (DRILLS,)

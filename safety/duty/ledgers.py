"""The duty ledgers, declared."""

from collections.abc import Hashable, Sequence

from safety.clock import local_day
from safety.duty.feeds import CHECKIN_COLUMNS, CHECKIN_FEEDS, SLOT_COLUMNS
from safety.duty.tables import DutyCheckin, DutySlot
from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.ledger.declare import Choice, Field, Kind, Ledger, Values
from safety.text import Text

POST = Field(
    "post",
    Kind.CHOICE,
    Text("岗位", "Post"),
    choices=(
        Choice("gate", Text("校门值守", "Gate")),
        Choice("marshal", Text("护学岗（交通疏导）", "Traffic marshal")),
        Choice("leader", Text("带班领导", "Duty leader")),
        Choice("patrol", Text("校园巡查", "Patrol")),
    ),
)


def _slot_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    if values["ends_at"] <= values["starts_at"]:
        return [Problem("ends_at", "ends-before-start")]
    if local_day(values["ends_at"]) != local_day(values["starts_at"]):
        return [Problem("ends_at", "slot-over-midnight")]
    return ()


def _slot_occurrence(values: Values) -> Hashable:
    return values["post"], values["starts_at"], values["person"]


DUTY_SLOTS = Ledger(
    name="duty_slots",
    table=DutySlot,
    title=Text("值班安排", "Duty roster"),
    purpose=Text(
        "谁在何时值守哪个岗位；以当天零时的安排为准。",
        "Who is on which post and when; it counts as it stood when the day began.",
    ),
    fields=(
        POST,
        Field("starts_at", Kind.INSTANT, Text("开始时间", "Starts"), past=False),
        Field("ends_at", Kind.INSTANT, Text("结束时间", "Ends"), past=False),
        Field("person", Kind.PERSON, Text("值班人", "Person")),
    ),
    writers=frozenset({"officer", "principal", "leader"}),
    feed_columns=SLOT_COLUMNS,
    whole_history=True,
    happened="starts_at",
    natural=_slot_occurrence,
    check=_slot_problems,
    future=True,
)


def _checkin_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    if values.get("substitute_for") is not None and values["substitute_for"] == values["person"]:
        return [Problem("substitute_for", "substitute-self")]
    return ()


def _checkin_occurrence(values: Values) -> Hashable:
    serves = values["substitute_for"] if values.get("substitute_for") is not None else values["person"]
    return values["post"], local_day(values["happened_at"]), serves


DUTY_CHECKINS = Ledger(
    name="duty_checkins",
    table=DutyCheckin,
    title=Text("值班签到", "Duty check-ins"),
    purpose=Text(
        "到岗时签到；替班须注明被替人，只抵被替人的班次。",
        "Check in at the post; a substitute names who is replaced and serves only that person's slot.",
    ),
    fields=(
        POST,
        Field("person", Kind.PERSON, Text("到岗人", "Person"), initial="me"),
        Field("substitute_for", Kind.PERSON, Text("替谁值班", "Substitute for"), required=False),
        Field("happened_at", Kind.INSTANT, Text("到岗时间", "Time"), initial="now"),
    ),
    writers=frozenset({"officer", "principal", "leader", "guard", "teacher"}),
    feeds=CHECKIN_FEEDS,
    feed_columns=CHECKIN_COLUMNS,
    happened="happened_at",
    natural=_checkin_occurrence,
    check=_checkin_problems,
)

LEDGERS = (DUTY_SLOTS, DUTY_CHECKINS)

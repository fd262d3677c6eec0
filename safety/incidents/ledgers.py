"""Incidents and zero-reports, declared."""

from collections.abc import Hashable, Sequence
from datetime import datetime, timedelta

from safety import in_use
from safety.calendar import Period
from safety.clock import local_day
from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.incidents.feeds import INCIDENT_COLUMNS, ZERO_FEEDS, incidents_of
from safety.incidents.rules import Clock, clocks
from safety.incidents.tables import Incident, ZeroReport
from safety.ledger.declare import Choice, EventKind, Field, Kind, Ledger, Remark, Values
from safety.ledger.feeds import Rows
from safety.rulebook import Rulebook
from safety.text import Text

BUREAU = frozenset({"clerk"})
SCHOOL = frozenset({"officer", "principal"})

REPORTERS = (
    Choice("school", Text("学校", "School")),
    Choice("superior", Text("上级", "Superior")),
)
CATEGORIES = (
    Choice("traffic", Text("交通", "Traffic")),
    Choice("food_poisoning", Text("食物中毒", "Food poisoning")),
    Choice("mental_health", Text("心理健康", "Mental health")),
    Choice("facility", Text("设施设备", "Facilities")),
    Choice("other", Text("其他", "Other")),
)
LIABILITY = (
    Choice("pending", Text("待认定", "Pending")),
    Choice("yes", Text("有责任", "Liable")),
    Choice("no", Text("无责任", "Not liable")),
)


def _figure(name: str, zh: str, en: str, maximum: int = 1_000_000) -> Field:
    return Field(name, Kind.INTEGER, Text(zh, en), minimum=0, maximum=maximum, initial="0")


FIGURES = (
    _figure("deaths", "死亡人数", "Deaths"),
    _figure("serious_injuries", "重伤人数", "Serious injuries"),
    _figure("minor_injuries", "轻伤人数", "Minor injuries"),
    _figure("affected", "受影响人数", "People affected"),
    _figure("loss_yuan", "直接经济损失（元）", "Direct loss (yuan)", 1_000_000_000_000),
)


def _incident_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    problems = []
    if values["discovered_at"] < values["happened_at"]:
        problems.append(Problem("discovered_at", "discovered-before-happened"))
    if (values.get("reported_at") is None) != (values.get("reported_by") is None):
        problems.append(Problem("reported_by", "report-half-given"))
    elif values.get("reported_at") is not None and values["reported_at"] < values["discovered_at"]:
        problems.append(Problem("reported_at", "reported-before-discovered"))
    return problems


def _reporting(history: Rows, now: datetime) -> Sequence[Remark]:
    """By when an incident that is not reported yet must be, and what is left of that."""
    (incident,) = incidents_of(history)
    book = Rulebook.of(in_use.standards(), Period.of(local_day(now))).incidents
    return [_limit(clock, now) for clock in clocks(incident, now, book) if clock.reported_at is None]


def _limit(clock: Clock, now: datetime) -> Remark:
    left = clock.deadline - now
    if left >= timedelta(0):
        return Remark("report-due", {"deadline": clock.deadline, "left": left})
    return Remark("report-overdue", {"deadline": clock.deadline, "late": -left}, kind="bad")


def _incident_occurrence(values: Values) -> Hashable:
    return local_day(values["happened_at"])


INCIDENTS = Ledger(
    name="incidents",
    table=Incident,
    title=Text("安全事故", "Incidents"),
    purpose=Text(
        "事故发生后第一时间登记并逐级上报；责任由教育局认定。",
        "Record at once and report upward; liability is found by the bureau.",
    ),
    fields=(
        Field("happened_at", Kind.INSTANT, Text("发生时间", "Happened"), initial="now"),
        Field("discovered_at", Kind.INSTANT, Text("发现时间", "Discovered"), initial="now"),
        Field("reported_at", Kind.INSTANT, Text("上报时间", "Reported"), required=False),
        Field("reported_by", Kind.CHOICE, Text("由谁上报", "Reported by"), required=False, choices=REPORTERS),
        Field("category", Kind.CHOICE, Text("类别", "Category"), choices=CATEGORIES),
        Field(
            "liability",
            Kind.CHOICE,
            Text("责任认定", "Liability"),
            choices=LIABILITY,
            initial="pending",
            by=frozenset({"admin"}),
        ),
        *FIGURES,
    ),
    writers=SCHOOL,
    recorders=BUREAU,
    recorded_as=(("reported_by", "superior"),),
    feed_columns=INCIDENT_COLUMNS,
    whole_history=True,
    happened="happened_at",
    natural=_incident_occurrence,
    check=_incident_problems,
    outlook=_reporting,
    events=(
        EventKind(
            "liability",
            Text("责任认定", "Finding on liability"),
            BUREAU,
            Field("value", Kind.CHOICE, Text("认定结果", "Finding"), choices=LIABILITY[1:]),
        ),
        EventKind(
            "reported",
            Text("上报", "Report made"),
            SCHOOL | BUREAU,
            Field("value", Kind.CHOICE, Text("由谁上报", "Reported by"), choices=REPORTERS),
        ),
        *(
            EventKind(
                item.name, Text(f"{item.label.zh}变化", f"Change of {item.label.en.lower()}"), SCHOOL, item
            )
            for item in FIGURES
        ),
    ),
)

ZERO_REPORTS = Ledger(
    name="zero_reports",
    table=ZeroReport,
    title=Text("零报告", "Zero-reports"),
    purpose=Text("每个教学日确认当日无安全事故。", "Each school day, the word that nothing happened."),
    fields=(
        Field("happened_on", Kind.DAY, Text("日期", "Date"), initial="today"),
        Field("person", Kind.PERSON, Text("报告人", "Person"), initial="me"),
    ),
    writers=SCHOOL | {"leader"},
    feeds=ZERO_FEEDS,
)

LEDGERS = (ZERO_REPORTS, INCIDENTS)

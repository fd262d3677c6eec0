"""The education ledgers, declared."""

from collections.abc import Hashable, Sequence

from safety.education.feeds import (
    CHECK_COLUMNS,
    CHECK_FEEDS,
    REMINDER_COLUMNS,
    REMINDER_FEEDS,
    SESSION_COLUMNS,
    SESSION_FEEDS,
)
from safety.education.tables import AwarenessCheck, ClassSession, DailyReminder
from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.ledger.declare import Choice, Field, Kind, Ledger, Remark, Values
from safety.text import Text

CLASS = Field("class", Kind.SCHOOL_CLASS, Text("班级", "Class"))
DAY = Field("happened_on", Kind.DAY, Text("日期", "Date"), initial="today")

MODULES = (
    Choice("social", Text("社会安全", "Social safety")),
    Choice("health", Text("公共卫生", "Public health")),
    Choice("injury", Text("意外伤害", "Accidental injury")),
    Choice("cyber", Text("网络信息安全", "Network and information safety")),
    Choice("natural", Text("自然灾害", "Natural disasters")),
    Choice("other", Text("其他", "Other")),
)


def _session_occurrence(values: Values) -> Hashable:
    day = values["happened_on"]
    if values["kind"] == "weekly":
        return "weekly", values.get("class"), day.isocalendar()[:2]
    return values["kind"], day.year, day.month


def _session_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    if values["kind"] == "weekly" and values.get("class") is None:
        return [Problem("class", "session-class-missing")]
    return ()


def _over_class(count: int, values: Values, facts: SchoolFacts) -> Sequence[Remark]:
    """More pupils than the class has count as the class (T1, T3)."""
    sizes = [item.sizes[-1][1] for item in facts.classes if item.id == values.get("class") and item.sizes]
    if sizes and count > sizes[0]:
        return [Remark("over-class", {"count": count, "pupils": sizes[0]})]
    return ()


def _session_remarks(values: Values, facts: SchoolFacts) -> Sequence[Remark]:
    return _over_class(values["present"] + values["made_up"], values, facts)


def _check_remarks(values: Values, facts: SchoolFacts) -> Sequence[Remark]:
    return _over_class(values["checked"], values, facts)


CLASS_SESSIONS = Ledger(
    name="class_sessions",
    table=ClassSession,
    title=Text("安全教育课", "Safety sessions"),
    purpose=Text(
        "每班每周一次安全专题教育，每月一次安全宣传，每学期一次法制教育。",
        "A safety lesson per class and week, an awareness activity a month, a legal lesson a term.",
    ),
    fields=(
        Field(
            "class",
            Kind.SCHOOL_CLASS,
            Text("班级", "Class"),
            required=False,
            help=Text(
                "每月、每学期的全校活动可不选班级。",
                "May stay empty for monthly and termly whole-school activities.",
            ),
        ),
        DAY,
        Field(
            "kind",
            Kind.CHOICE,
            Text("类别", "Kind"),
            choices=(
                Choice("weekly", Text("每周专题", "Weekly")),
                Choice("monthly", Text("每月宣传", "Monthly")),
                Choice("legal", Text("每学期法制教育", "Termly legal")),
            ),
            initial="weekly",
        ),
        Field("topic", Kind.TEXT, Text("主题", "Topic"), maximum=200),
        Field("module", Kind.CHOICE, Text("内容模块", "Module"), choices=MODULES),
        Field("present", Kind.INTEGER, Text("到课人数", "Present"), minimum=0, maximum=100_000),
        Field("made_up", Kind.INTEGER, Text("补课人数", "Made up"), minimum=0, maximum=100_000, initial="0"),
    ),
    writers=frozenset({"officer", "principal", "teacher"}),
    feeds=SESSION_FEEDS,
    feed_columns=SESSION_COLUMNS,
    natural=_session_occurrence,
    check=_session_problems,
    remarks=_session_remarks,
)

DAILY_REMINDERS = Ledger(
    name="daily_reminders",
    table=DailyReminder,
    title=Text("放学安全提示", "Daily reminders"),
    purpose=Text("每天放学时班主任的安全提示。", "The class teacher's safety reminder at dismissal."),
    fields=(CLASS, DAY, Field("text", Kind.TEXT, Text("提示内容", "Reminder"), maximum=400, long=True)),
    writers=frozenset({"officer", "principal", "teacher"}),
    feeds=REMINDER_FEEDS,
    feed_columns=REMINDER_COLUMNS,
)


def _check_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del facts
    if values["passed"] > values["checked"]:
        return [Problem("passed", "passed-over-checked", {"checked": values["checked"]})]
    return ()


AWARENESS_CHECKS = Ledger(
    name="awareness_checks",
    table=AwarenessCheck,
    title=Text("安全知识知晓率检查", "Awareness checks"),
    purpose=Text(
        "抽查学生安全知识的知晓情况。", "How many pupils were asked about safety, and how many knew."
    ),
    fields=(
        CLASS,
        DAY,
        Field("checked", Kind.INTEGER, Text("抽查人数", "Checked"), minimum=1, maximum=100_000),
        Field("passed", Kind.INTEGER, Text("知晓人数", "Passed"), minimum=0, maximum=100_000),
    ),
    writers=frozenset({"officer", "principal", "teacher"}),
    feeds=CHECK_FEEDS,
    feed_columns=CHECK_COLUMNS,
    whole_history=True,
    check=_check_problems,
    remarks=_check_remarks,
)

LEDGERS = (CLASS_SESSIONS, DAILY_REMINDERS, AWARENESS_CHECKS)

"""Which files a bundle may hold and what their columns are; the ledgers' follow from their declarations (PURE)."""

from collections.abc import Iterable
from dataclasses import dataclass

from safety.access.scope import ROLES
from safety.facts import MEALS, STAGES
from safety.ledger.declare import GRID_ZONE, Choice, Field, Kind, Ledger, Registry
from safety.text import Text


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file: the columns that it must have, in order, and those that it may have after them.

    `labels` are the columns' names on screen, in both languages: a header may be written so too.
    """

    name: str
    columns: tuple[str, ...]
    optional: tuple[str, ...] = ()
    labels: tuple[tuple[str, str], ...] = ()

    def named(self, header: str) -> str:
        """The column that a header cell means; an unknown one stays as it was written."""
        written = header.strip()
        return dict(self.labels).get(written.casefold(), written)


def _text(name: str, zh: str, en: str, maximum: int, required: bool = True) -> Field:
    return Field(name, Kind.TEXT, Text(zh, en), required, maximum=maximum)


def _number(name: str, zh: str, en: str) -> Field:
    return Field(name, Kind.INTEGER, Text(zh, en), minimum=0, maximum=1_000_000)


def _one_of(name: str, zh: str, en: str, values: tuple[str, ...], required: bool = True) -> Field:
    choices = tuple(Choice(value, Text(value, value)) for value in values)
    return Field(name, Kind.CHOICE, Text(zh, en), required, choices=choices)


def _day(name: str, zh: str, en: str, required: bool = True) -> Field:
    return Field(name, Kind.DAY, Text(zh, en), required)


def _yes_no(name: str, zh: str, en: str) -> Field:
    return _one_of(name, zh, en, ("true", "false"))


SCHOOL = _text("school", "学校代码", "School code", 40)
MADE_UP = _one_of("made_up", "演示数据", "Made up", ("true", "false"), required=False)
YEAR = _text("school_year", "学年", "School year", 9)
CLASS = _text("class", "班级", "Class", 40)
LOGIN = _text("login", "登录名", "Login", 64)
RECORDED_AT = Field("recorded_at", Kind.INSTANT, Text("记录时间", "Recorded"), required=False, past=False)

FIELDS: dict[str, tuple[Field, ...]] = {
    "bureaus": (
        _text("code", "代码", "Code", 40),
        _text("name", "名称", "Name", 120),
        _text("parent", "上级代码", "Parent's code", 40, required=False),
        MADE_UP,
    ),
    "schools": (
        _text("code", "代码", "Code", 40),
        _text("name", "名称", "Name", 120),
        _text("name_en", "英文名称", "English name", 160, required=False),
        _one_of("stage", "学段", "Stage", STAGES),
        _number("enrolment", "在校学生数", "Enrolment"),
        _yes_no("has_canteen", "有食堂", "Has a canteen"),
        _text("meals", "供餐", "Meals", 40, required=False),
        _yes_no("boarding", "寄宿", "Boarding"),
        _yes_no("has_bus", "有校车", "Has a bus"),
        _text("bureau", "教育局代码", "Bureau's code", 40),
        MADE_UP,
    ),
    "terms": (
        SCHOOL,
        _text("name", "名称", "Name", 60),
        _day("starts", "开始", "Starts"),
        _day("ends", "结束", "Ends"),
    ),
    "closures": (
        SCHOOL,
        _day("date", "日期", "Date"),
        _one_of("kind", "类别", "Kind", ("closed", "extra")),
        _text("reason", "原因", "Reason", 200, required=False),
    ),
    "classes": (
        SCHOOL,
        YEAR,
        _text("grade", "年级", "Grade", 20),
        CLASS,
        _number("pupils", "学生数", "Pupils"),
        _text("teacher", "班主任登录名", "Teacher's login", 64, required=False),
        _day("from", "起", "From", required=False),
        _day("until", "止", "Until", required=False),
    ),
    "people": (
        LOGIN,
        _text("name", "姓名", "Name", 80),
        _one_of("role", "角色", "Role", ROLES, required=False),
        _text("school", "学校代码", "School code", 40, required=False),
        _text("bureau", "教育局代码", "Bureau's code", 40, required=False),
        _text("class", "班级", "Class", 40, required=False),
        _text("school_year", "学年", "School year", 9, required=False),
        _day("from", "起", "From", required=False),
        _day("until", "止", "Until", required=False),
        _one_of("language", "语言", "Language", ("zh", "en"), required=False),
        Field("disabled_at", Kind.INSTANT, Text("停用时间", "Disabled at"), required=False, past=False),
    ),
    "campuses": (SCHOOL, _text("name", "校区", "Campus", 80)),
    "zones": (SCHOOL, _text("campus", "校区", "Campus", 80), _text("name", "网格", "Zone", 80)),
    "headcounts": (
        SCHOOL,
        _text("school_year", "学年", "School year", 9, required=False),
        _text("class", "班级", "Class", 40, required=False),
        _number("pupils", "学生数", "Pupils"),
        Field("recorded_at", Kind.INSTANT, Text("记录时间", "Recorded"), past=False),
    ),
}
"""The files of places and people: their columns as fields, so that they are read as the ledgers' are."""

OPTIONAL = {
    "bureaus": ("made_up",),
    "schools": ("made_up",),
    "classes": ("from", "until"),
    "people": ("school_year", "from", "until", "language", "disabled_at"),
}
"""Columns that may be missing; those of ours are written only where somebody needs them."""

STATE = ("id", "supersedes", "voided_at", "why", "recorded_by")
OWN = ("on_behalf_of", "void_why", "voided_by", "submission_key")
"""After the state: what else an entry carries."""

PLACE_FILES = (
    "bureaus",
    "schools",
    "campuses",
    "zones",
    "terms",
    "closures",
    "headcounts",
    "classes",
    "people",
)
EVENTS = FileSpec(
    "events", ("entry", "kind", "value", "happened_at", "recorded_at"), ("id", *OWN[3:], "recorded_by")
)
MEAL_NAMES = MEALS


def place_spec(name: str) -> FileSpec:
    """The columns of a file of places or people."""
    optional = OPTIONAL.get(name, ())
    columns = tuple(f.name for f in FIELDS[name] if f.name not in optional)
    return FileSpec(name, columns, optional, _labels(FIELDS[name]))


SCHOOL_LABELS = (("学校", "school"), ("school", "school"))
RECORDED_LABELS = (("登记时间", "recorded_at"), ("recorded at", "recorded_at"))


def _labels(fields: Iterable[Field]) -> tuple[tuple[str, str], ...]:
    """Labels that name one column only, folded, with the column."""
    found = [(text.casefold(), f.name) for f in fields for text in (f.label.zh, f.label.en)]
    texts = [text for text, _ in found]
    return tuple((text, name) for text, name in found if texts.count(text) == 1)


def ledger_spec(ledger: Ledger) -> FileSpec:
    """The columns of a ledger's file."""
    names = tuple(item.name for item in ledger.fields)
    labels = (*SCHOOL_LABELS, *RECORDED_LABELS, *_labels(ledger.every_field))
    return FileSpec(ledger.name, ("school", *names), ("recorded_at", *STATE, *OWN, GRID_ZONE.name), labels)


def specs(registry: Registry) -> dict[str, FileSpec]:
    """Every file by name, in the order in which they are taken in."""
    found = {name: place_spec(name) for name in PLACE_FILES}
    found |= {ledger.name: ledger_spec(ledger) for ledger in registry}
    found[EVENTS.name] = EVENTS
    return found

"""How a ledger is declared. From one `Ledger` follow its form, list, detail page, correction, voiding, Excel template,
import, export, JSON API and audit lines; a new ledger is a new declaration and a migration, nothing else."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from piccolo.table import Table

from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.ledger.feeds import Feed, Rows
from safety.text import Text

Values = Mapping[str, Any]
"""A row's values by field name, already of the right type; absent optional fields are None."""


class Kind(StrEnum):
    """What a field holds, and so how it is asked for, read, stored and written out.

    text, code: str · integer: int · thousandths: int, written as a decimal with up to 3 places · day: date ·
    instant: aware UTC datetime, written in local time · choice: one of `choices` ·
    school_class: a class of the school, written as its name · person: an account, written as its login ·
    zone: a grid zone of the school, written as its label.
    """

    TEXT = "text"
    INTEGER = "integer"
    THOUSANDTHS = "thousandths"
    DAY = "day"
    INSTANT = "instant"
    CHOICE = "choice"
    SCHOOL_CLASS = "school_class"
    PERSON = "person"
    ZONE = "zone"


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Field:
    """One column: its bundle and form name, its kind, and what a person reads beside it.

    `minimum`/`maximum` bound numbers (in the unit shown) and, for text, `maximum` its length. `initial` pre-fills the
    form: "today", "now", "me" or a literal. `by` names the roles that may state it (None: whoever may write the
    ledger). `past`: a day or instant that may not lie after the recording.
    """

    name: str
    kind: Kind
    label: Text
    required: bool = True
    help: Text | None = None
    choices: tuple[Choice, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    initial: str | None = None
    by: frozenset[str] | None = None
    past: bool = True
    long: bool = False

    @property
    def column(self) -> str:
        """The table's column: the same name, but for `class`, which Python keeps to itself."""
        return "school_class" if self.name == "class" else self.name


GRID_ZONE = Field("zone", Kind.ZONE, Text("网格", "Grid zone"), required=False)
"""Where in the school: every entry may say so, whatever its ledger declares. Asked where the school has zones."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """A later fact that may be added to an entry, by whom, and what its value may be."""

    kind: str
    label: Text
    roles: frozenset[str]
    value: Field | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What a reader must know beside an entry, such as why it counts for less than it seems: the text `remark.<code>`,
    with its values. `kind` marks it: info, warn or bad.
    """

    code: str
    values: Mapping[str, int | datetime | timedelta] = field(default_factory=dict)
    kind: str = "warn"


Check = Callable[[Values, SchoolFacts], Sequence[Problem]]
Notice = Callable[[Values, SchoolFacts], Sequence[Remark]]
Outlook = Callable[[Rows, datetime], Sequence[Remark]]
Natural = Callable[[Values], Hashable]


def _no_problems(values: Values, facts: SchoolFacts) -> Sequence[Problem]:
    del values, facts
    return ()


def _no_remarks(values: Values, facts: SchoolFacts) -> Sequence[Remark]:
    del values, facts
    return ()


def _no_outlook(history: Rows, now: datetime) -> Sequence[Remark]:
    del history, now
    return ()


def by_day(values: Values) -> Hashable:
    """The default occurrence of an entry: its day and class."""
    return values["happened_on"], values.get("class")


@dataclass(frozen=True, slots=True)
class Ledger:
    """A ledger, declared once.

    `fields` are in the order of the bundle's columns (without school and recorded_at). `feeds` say which measured
    lines its rows answer and how, `feed_columns` which columns they read; with `whole_history` versions that no
    longer stand are read too. `natural` gives the finest occurrence that an entry stands for: a corrected entry
    keeps the time of its first version with the same one. `check` refuses, with reasons, what no standard would
    accept. `recorders` may record too, at the schools of their bureau, and mend what they recorded; their entries say
    `recorded_as` (field, value). `remarks` says of what is kept all the same why it counts for less than it seems
    (texts `remark.<code>`). `outlook` says of an entry's versions and later facts what is still to be done about it
    and by when. `happened` names the instant field that `happened_on` is taken from, where there is one. `future`: its
    entries may lie ahead (rosters).
    """

    name: str
    table: type[Table]
    title: Text
    purpose: Text
    fields: tuple[Field, ...]
    writers: frozenset[str]
    recorders: frozenset[str] = frozenset()
    recorded_as: tuple[tuple[str, str], ...] = ()
    feeds: tuple[Feed, ...] = ()
    feed_columns: tuple[str, ...] = ()
    whole_history: bool = False
    happened: str | None = None
    natural: Natural = by_day
    check: Check = _no_problems
    remarks: Notice = _no_remarks
    outlook: Outlook = _no_outlook
    events: tuple[EventKind, ...] = ()
    sources: tuple[str, ...] = ()
    future: bool = False

    @property
    def table_name(self) -> str:
        """The name of its table in the database."""
        return str(self.table._meta.tablename)

    @property
    def lines(self) -> tuple[str, ...]:
        """The measured lines that its entries answer."""
        return tuple(feed.line for feed in self.feeds)

    @property
    def every_field(self) -> tuple[Field, ...]:
        """The declared fields, and what every entry may say besides."""
        return (*self.fields, GRID_ZONE)

    @property
    def columns(self) -> tuple[str, ...]:
        """The table's own columns, in the order of the fields."""
        return tuple(item.column for item in self.fields)

    def field_named(self, name: str) -> Field:
        """The field of that name; KeyError if there is none."""
        for item in self.fields:
            if item.name == name:
                return item
        raise KeyError(name)


class Registry:
    """The ledgers that this installation keeps, by name; put together in `config`."""

    def __init__(self, ledgers: Sequence[Ledger]) -> None:
        self.ledgers = {ledger.name: ledger for ledger in ledgers}
        if len(self.ledgers) != len(ledgers):
            raise ValueError("two ledgers share a name")

    def __iter__(self) -> Any:
        return iter(self.ledgers.values())

    def get(self, name: str) -> Ledger | None:
        return self.ledgers.get(name)

    def __getitem__(self, name: str) -> Ledger:
        return self.ledgers[name]

"""One dated value of law or default: its shape, its citation, its faults. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

Value = int | str | tuple[str, ...]

DEFAULT_SOURCE = ("本系统默认值，可由主管部门调整", "Default of this product; the authority may change it")
#: V1 article read in full, V2 read on a secondary page, U not verified, D default without a legal source.
MARKS = {
    "V1": ("", ""),
    "V2": ("", ""),
    "U": ("待核实", "unverified"),
    "D": DEFAULT_SOURCE,
}
WHOLE_UNITS = frozenset(
    {
        "days",
        "school_days",
        "hours",
        "minutes",
        "grams",
        "degrees",
        "people",
        "slots",
        "rounds",
        "times",
        "count",
        "yuan",
    }
)
UNITS = WHOLE_UNITS | {"points", "fraction", "list", "text"}

_POINTS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,2})?")
_FRACTION = re.compile(r"[0-9]{1,6}(/[1-9][0-9]{0,5})?")


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault of a standards file; `line` is its record header's, 0 where the whole file is meant."""

    file: str
    line: int
    record: str
    key: str
    code: str
    detail: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        what = " ".join(part for part in (self.record, self.key) if part)
        return f"{where}: {what + ': ' if what else ''}{self.detail}"


class BadStandards(ValueError):
    """The files cannot be used; `problems` lists every fault found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class NoStandard(LookupError):
    """No value of that id is in force on that day."""

    def __init__(self, id_: str, on: date) -> None:
        self.id, self.on = id_, on
        super().__init__(f"no value of {id_!r} is in force on {on}")


@dataclass(frozen=True, slots=True)
class Record:
    """One value of one id from `since` on, until a later record of the same id.

    `value` is a whole number, points or a fraction as text, a text or a tuple of texts, as `unit` says; None
    when `repealed`. `by` names the bureau that set it and is empty for the product's own. `plan` names the
    clauses of the founding plan that it answers.
    """

    id: str
    unit: str
    since: date
    source: str
    article: str
    checked_on: date
    verified: str
    value: Value | None = None
    repealed: bool = False
    group: str = ""
    plan: str = ""
    name_zh: str = ""
    name_en: str = ""
    rule_zh: str = ""
    rule_en: str = ""
    by: str = ""
    file: str = ""

    @property
    def is_law(self) -> bool:
        """Whether it may be shown as law: read at its source or a secondary page, and no bureau's own."""
        return self.verified in {"V1", "V2"} and not self.by

    def name(self, lang: str) -> str:
        """Its short name, `zh` or `en`."""
        return self.name_zh if lang == "zh" else self.name_en

    def rule(self, lang: str) -> str:
        """Its rule in one sentence, `zh` or `en`."""
        return self.rule_zh if lang == "zh" else self.rule_en

    def citation(self, lang: str) -> str:
        """What is printed as its source: never an unverified value as law, never a default as a citation."""
        chosen = 0 if lang == "zh" else 1
        if self.by:
            text = f"{self.by}：{self.source}" if lang == "zh" else f"{self.by}: {self.source}"
        elif self.verified == "D":
            return MARKS["D"][chosen]
        else:
            text = self.source
        text = f"{text} {self.article}".strip()
        mark = MARKS[self.verified][chosen]
        if not mark or self.verified == "D":
            return text
        return f"{text}（{mark}）" if lang == "zh" else f"{text} ({mark})"


# ---------------------------------------------------------------- typed values
def as_int(record: Record) -> int:
    """The whole number a record holds; TypeError names the record if it holds something else."""
    if record.unit not in WHOLE_UNITS or not isinstance(record.value, int):
        raise TypeError(f"{record.id} holds {record.unit}, not a whole number")
    return record.value


def as_fraction(record: Record) -> Fraction:
    """The exact ratio a record holds."""
    if record.unit != "fraction" or not isinstance(record.value, str):
        raise TypeError(f"{record.id} holds {record.unit}, not a fraction")
    return Fraction(record.value)


def as_hundredths(record: Record) -> int:
    """The points a record holds, as whole hundredths."""
    if record.unit != "points" or not isinstance(record.value, str):
        raise TypeError(f"{record.id} holds {record.unit}, not points")
    whole, _, part = record.value.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0"))


def as_list(record: Record) -> tuple[str, ...]:
    """The words a record holds."""
    if record.unit != "list" or not isinstance(record.value, tuple):
        raise TypeError(f"{record.id} holds {record.unit}, not a list")
    return record.value


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one key: a code, and a sentence for the person who keeps the file."""

    code: str
    detail: str


def typed_value(value: object, unit: str) -> Value | Fault:
    """The value as its unit wants it, or what is wrong with it."""
    if unit == "points":
        # Floats are refused: points are exact, and 2.675 has no exact float.
        text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        return (
            text
            if isinstance(text, str) and _POINTS.fullmatch(text)
            else _wrong(value, 'points, such as 4 or "2.50"')
        )
    if unit == "fraction":
        good = isinstance(value, str) and _FRACTION.fullmatch(value) and not re.search(r"/0+$", value)
        return (
            value if good and isinstance(value, str) else _wrong(value, 'a fraction as text, such as "1/2"')
        )
    if unit == "list":
        good = isinstance(value, list | tuple) and all(isinstance(v, str) for v in value)
        return tuple(map(str, value)) if isinstance(value, list | tuple) and good else _wrong(value, "texts")
    if unit == "text":
        return value if isinstance(value, str) else _wrong(value, "text")
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    return _wrong(value, f"a whole number of {unit}, 0 or more")


def _wrong(value: object, wanted: str) -> Fault:
    return Fault("wrong_type", f"must be {wanted}, is {value!r}")

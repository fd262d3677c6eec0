"""Text to values and back, for every kind of field (PURE).

One pair of functions reads and writes forms, bundles, Excel and the API, so what one way in refuses, every way
refuses. Problems carry codes; their sentences are `problem.<code>` in the catalogue.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any

from safety.clock import ZONE, local_day, parse_instant
from safety.facts import ClassFacts, SchoolFacts, ZoneFacts
from safety.ledger.declare import Field, Kind

YEARS = range(2001, 2199)
"""Of what can be recorded: a year less at either end than the calendar knows, for the quarters around it."""
MOST_DIGITS = 15
COMPUTED = frozenset({"today", "now", "me"})
"""Values of `Field.initial` that are worked out when a form is drawn, not taken literally."""

_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?", re.ASCII | re.IGNORECASE
)
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_DECIMAL = re.compile(r"([+-]?)(\d*)(?:\.(\d*))?", re.ASCII)


class FieldError(ValueError):
    """A text that is no value of its field; `code` and `values` make the sentence."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True)
class Context:
    """What reading needs to know: the school, logins → account ids at the school, and when it is recorded."""

    facts: SchoolFacts
    recorded_at: datetime
    people: Mapping[str, int] = field(default_factory=dict)

    @cached_property
    def recorded_on(self) -> date:
        """The local day of recording."""
        return local_day(self.recorded_at)

    @cached_property
    def logins(self) -> dict[int, str]:
        """Account id → login."""
        return {number: login for login, number in self.people.items()}

    @cached_property
    def classes(self) -> dict[str, list[ClassFacts]]:
        """Class name → the classes of that name, one per school year; full-width forms folded."""
        found: dict[str, list[ClassFacts]] = {}
        for item in self.facts.classes:
            for name in {item.name, _folded(item.name)}:
                found.setdefault(name, []).append(item)
        return found

    @cached_property
    def class_by_id(self) -> dict[int, ClassFacts]:
        """The school's classes of all years."""
        return {item.id: item for item in self.facts.classes}

    @cached_property
    def zones(self) -> dict[str, int]:
        """Label → the grid zone's id; full-width forms folded."""
        return {name: z.id for z in self.facts.zones[::-1] for name in (_folded(z.label), z.label)}

    @cached_property
    def zone_by_id(self) -> dict[int, ZoneFacts]:
        return {item.id: item for item in self.facts.zones}


# ---------------------------------------------------------------- reading
def parse_field(field: Field, text: str, context: Context, day: date | None = None) -> Any:
    """The value that a text stands for; None for an empty text of an optional field.

    `day` is the entry's day, by which a class name is resolved. Raises FieldError.
    """
    text = _cleaned(text)
    if not text:
        if field.required:
            raise FieldError("required")
        return None
    if field.kind is Kind.SCHOOL_CLASS:
        return _school_class(text, context, day)
    return _READERS[field.kind](field, text, context)


# ---------------------------------------------------------------- each kind
def _cleaned(text: str) -> str:
    return text.strip().strip("\ufeff").strip()


_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(94)} | {0x3000: 0x20}


def _folded(text: str) -> str:
    """Full-width digits, letters and brackets become plain ones. Not NFKC, which would read 10² as 102."""
    return text if text.isascii() else text.translate(_FULL_WIDTH)


def _text(item: Field, text: str, context: Context) -> str:
    del context
    text = text.replace("\r\n", "\n") if item.long else text
    if not text.isprintable():
        _refuse_control(text, "\n\t" if item.long else "")
    if item.maximum is not None and len(text) > item.maximum:
        raise FieldError("text-long", maximum=item.maximum, length=len(text))
    return text


def _refuse_control(text: str, allowed: str) -> None:
    for letter in text:
        if unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"} and letter not in allowed:
            raise FieldError("text-control", character=f"U+{ord(letter):04X}")


def _integer(item: Field, text: str, context: Context) -> int:
    del item, context
    folded = _folded(text)
    if not _INTEGER.fullmatch(folded):
        raise FieldError("integer-form", text=_short(text))
    if len(folded) > MOST_DIGITS:
        raise FieldError("number-huge")
    return int(folded)


def _thousandths(item: Field, text: str, context: Context) -> int:
    del item, context
    match = _DECIMAL.fullmatch(_folded(text))
    if match is None or not (match[2] or match[3]):
        raise FieldError("decimal-form", text=_short(text))
    places = (match[3] or "").rstrip("0")
    if len(places) > 3:
        raise FieldError("decimal-places", text=_short(text))
    if len(match[2]) > MOST_DIGITS:
        raise FieldError("number-huge")
    value = int(match[2] or "0") * 1000 + int(places.ljust(3, "0"))
    return -value if match[1] == "-" else value


def _day(item: Field, text: str, context: Context) -> date:
    del item, context
    return read_day(text)


def read_day(text: str) -> date:
    """A day as people and programs write it: 2026-10-14. Raises FieldError."""
    match = _DAY.fullmatch(_folded(text))
    if match is None:
        raise FieldError("day-form", text=_short(text))
    try:
        day = date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError as error:
        raise FieldError("day-impossible", text=_short(text)) from error
    if day.year not in YEARS:
        raise FieldError("year-range", first=YEARS[0], last=YEARS[-1])
    return day


def _instant(item: Field, text: str, context: Context) -> datetime:
    del item, context
    folded = _folded(text)
    if not _INSTANT.fullmatch(folded):
        raise FieldError("instant-form", text=_short(text))
    try:
        at = parse_instant(folded.upper())
    except (ValueError, OverflowError) as error:
        raise FieldError("instant-impossible", text=_short(text)) from error
    # In local time: the last evening of a year in UTC is another year's morning here.
    if at.astimezone(ZONE).year not in YEARS:
        raise FieldError("year-range", first=YEARS[0], last=YEARS[-1])
    return at


def _choice(item: Field, text: str, context: Context) -> str:
    del context
    for choice in item.choices:
        if choice.value == text:
            return text
    # People fill in spreadsheets with what they read on the screen.
    for choice in item.choices:
        if text in {choice.label.zh, choice.label.en}:
            return choice.value
    raise FieldError(
        "choice-unknown", text=_short(text), allowed=", ".join(choice.value for choice in item.choices)
    )


def _person(item: Field, text: str, context: Context) -> int:
    del item
    found = context.people.get(text) or context.people.get(_folded(text).lower())
    if found is None:
        raise FieldError("person-unknown", text=_short(text))
    return found


def _zone(item: Field, text: str, context: Context) -> int:
    del item
    found = context.zones.get(text) or context.zones.get(_folded(text))
    if found is None:
        raise FieldError("zone-unknown", name=_short(text))
    return found


def _school_class(text: str, context: Context, day: date | None) -> int:
    """A class by its name in the school year of the day; or by its id, where no class has that name."""
    named = context.classes.get(text) or context.classes.get(_folded(text))
    if not named:
        return _class_by_number(text, context)
    for item in named:
        if day is None or item.exists_on(day):
            return item.id
    raise FieldError("class-not-then", name=text, day=day.isoformat() if day else "")


def _class_by_number(text: str, context: Context) -> int:
    if _INTEGER.fullmatch(text) and len(text) < MOST_DIGITS and int(text) in context.class_by_id:
        return int(text)
    raise FieldError("class-unknown", name=_short(text))


_READERS: dict[Kind, Callable[[Field, str, Context], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.THOUSANDTHS: _thousandths,
    Kind.DAY: _day,
    Kind.INSTANT: _instant,
    Kind.CHOICE: _choice,
    Kind.PERSON: _person,
    Kind.ZONE: _zone,
}


def _short(text: str) -> str:
    """What was typed, short enough to be quoted in a sentence."""
    return text if len(text) <= 40 else text[:39] + "…"


def local_minute(at: datetime) -> str:
    """An instant as a sentence names it: 2026-03-01 08:05."""
    return at.astimezone(ZONE).strftime("%Y-%m-%d %H:%M")


# ---------------------------------------------------------------- writing
def format_field(field: Field, value: Any, context: Context) -> str:
    """The text that `parse_field` reads as this value; empty for None."""
    if value is None:
        return ""
    if field.kind is Kind.SCHOOL_CLASS:
        return context.class_by_id[value].name
    if field.kind is Kind.PERSON:
        return context.logins[value]
    if field.kind is Kind.ZONE:
        return context.zone_by_id[value].label
    return format_plain(field, value)


def format_plain(field: Field, value: Any) -> str:
    """`format_field` for the kinds that name nothing outside the row."""
    if value is None:
        return ""
    if field.kind is Kind.THOUSANDTHS:
        return _decimal_text(value)
    if field.kind is Kind.INSTANT:
        return format_local(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def format_local(at: datetime) -> str:
    """Local time as `datetime-local` writes it: 2026-03-01T08:05, seconds only where there are some."""
    local = at.astimezone(ZONE).replace(tzinfo=None)
    return local.isoformat(timespec="auto" if local.second or local.microsecond else "minutes")


def _decimal_text(thousandths: int) -> str:
    whole, rest = divmod(abs(thousandths), 1000)
    sign = "-" if thousandths < 0 else ""
    return f"{sign}{whole}" + (f".{rest:03d}".rstrip("0") if rest else "")

"""Law and defaults as dated records: parsed from TOML text, looked up by id and day. Pure.

A file is a list of `[[record]]` tables, each one value of one id from one day on, with its unit, source,
article, day of checking and mark of verification. Every problem of every file is found in one pass, and each
names file, line, record and key.
"""

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cached_property
from hashlib import sha256
from typing import Any

from safety.standard_records import (
    MARKS,
    UNITS,
    BadStandards,
    Fault,
    NoStandard,
    Problem,
    Record,
    Value,
    as_fraction,
    as_hundredths,
    as_int,
    as_list,
    typed_value,
)

__all__ = [
    "BadStandards",
    "NoStandard",
    "Problem",
    "Record",
    "Standards",
    "Value",
    "as_hundredths",
    "parse",
    "parse_all",
]

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*")
_PLACE = re.compile(r"\{([A-Za-z0-9_.]+)(%?)\}")
_HEADER = re.compile(r"\s*\[\[\s*record\s*\]\]")


@dataclass(frozen=True)
class Standards:
    """All records, in the order of their files. Equal content has equal `version`, whatever its layout."""

    records: tuple[Record, ...]
    edition: str = ""
    by_id: Mapping[str, tuple[Record, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        index: dict[str, list[Record]] = {}
        layers: dict[str, int] = {"": 0}
        for record in self.records:
            layers.setdefault(record.by, len(layers))
            index.setdefault(record.id, []).append(record)
        # The bureau laid on last first, the product's own last; of one hand the newest first.
        ordered = {
            id_: tuple(sorted(found, key=lambda r: (layers[r.by], r.since), reverse=True))
            for id_, found in index.items()
        }
        object.__setattr__(self, "by_id", ordered)

    def __hash__(self) -> int:
        return hash(self.version)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical content, 64 hexadecimal digits."""
        rows = sorted((_canonical(r) for r in self.records), key=lambda row: json.dumps(row, sort_keys=True))
        text = json.dumps([self.edition, rows], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return sha256(text.encode()).hexdigest()

    @cached_property
    def version(self) -> str:
        """The edition and twelve digits of the digest, such as `2026-11+0f3a…`."""
        return f"{self.edition}+{self.digest[:12]}"

    def find(self, id_: str, on: date) -> Record | None:
        """The record in force that day, or None; a bureau's value wins from its own day until repealed."""
        seen_of: set[str] = set()
        for record in self.by_id.get(id_, ()):
            if record.since <= on and record.by not in seen_of:
                if not record.repealed:
                    return record
                seen_of.add(record.by)
        return None

    def record_on(self, id_: str, on: date) -> Record:
        """The record in force that day; NoStandard if there is none."""
        record = self.find(id_, on)
        if record is None:
            raise NoStandard(id_, on)
        return record

    def record_near(self, id_: str, on: date) -> Record:
        """The record in force that day; before the first one that one, after a repeal the last; NoStandard if none.

        For numbers of duties that may not exist that day: nobody is asked for them then.
        """
        known = [r for r in self.by_id.get(id_, ()) if not r.repealed]
        if not known:
            raise NoStandard(id_, on)
        before = [r for r in known if r.since <= on]
        return (
            self.find(id_, on)
            or max(before, key=lambda r: r.since, default=None)
            or min(known, key=lambda r: r.since)
        )

    @cached_property
    def change_days(self) -> tuple[date, ...]:
        """The days from which any value holds, in order."""
        return tuple(sorted({r.since for r in self.records}))

    def changed_on(self, day: date) -> tuple[str, ...]:
        """The ids for which another record is in force than the day before, in the order of the files."""
        before = day - timedelta(days=1)
        return tuple(
            id_
            for id_, found in self.by_id.items()
            if any(r.since == day for r in found) and self.find(id_, day) is not self.find(id_, before)
        )

    def value_on(self, id_: str, on: date) -> Value:
        """The value in force that day, typed as its unit says; NoStandard if there is none."""
        value = self.record_on(id_, on).value
        assert value is not None, "only a repeal has no value"
        return value

    def int_on(self, id_: str, on: date) -> int:
        """A whole number in the record's unit; NoStandard if none, TypeError if it is something else."""
        return as_int(self.record_on(id_, on))

    def fraction_on(self, id_: str, on: date) -> Fraction:
        """A ratio, exact."""
        return as_fraction(self.record_on(id_, on))

    def hundredths_on(self, id_: str, on: date) -> int:
        """Points as whole hundredths: 4 points are 400."""
        return as_hundredths(self.record_on(id_, on))

    def list_on(self, id_: str, on: date) -> tuple[str, ...]:
        """A list of words."""
        return as_list(self.record_on(id_, on))

    def rule_on(self, id_: str, on: date, lang: str) -> str:
        """The record's rule with that day's numbers: `{id}` stands for a value, `{id%}` for it in percent."""
        return _PLACE.sub(lambda m: self._shown(m[1], m[2], on), self.record_on(id_, on).rule(lang))

    def _shown(self, id_: str, percent: str, on: date) -> str:
        value = self.value_on(id_, on)
        if percent:
            # Exact for the ratios in use; anything finer is shown to two places.
            return f"{float(self.fraction_on(id_, on) * 100):.4g}%"
        return "、".join(value) if isinstance(value, tuple) else str(value)

    def in_force(self, on: date) -> tuple[Record, ...]:
        """One record per id in force that day, in the order of the files."""
        found = (self.find(id_, on) for id_ in self.by_id)
        return tuple(record for record in found if record is not None)

    def of_group(self, group: str, on: date) -> tuple[Record, ...]:
        """The records in force that day whose `group` it is, in the order of the files."""
        return tuple(r for r in self.in_force(on) if r.group == group)

    def override(
        self, id_: str, value: object, *, since: date, by: str, source: str, article: str = ""
    ) -> Record:
        """A bureau's own value of a known id; BadStandards if the value is not of the id's unit."""
        base = next((r for r in self.by_id.get(id_, ()) if not r.by), None)
        if base is None:
            raise BadStandards([Problem(by, 0, id_, "id", "unknown_id", "no such standard")])
        made = typed_value(value, base.unit)
        if isinstance(made, Fault):
            raise BadStandards([Problem(by, 0, id_, "value", made.code, made.detail)])
        own = replace(base, value=made, repealed=False, verified="D", file="")
        return replace(own, since=since, checked_on=since, by=by, source=source, article=article)

    def with_overrides(self, records: Iterable[Record]) -> "Standards":
        """These standards with a bureau's own records laid over them; a bureau laid on later wins.

        BadStandards names each record that does not fit.
        """
        added = tuple(records)
        problems = [p for r in added if (p := self._misfit(r))]
        problems += _duplicates((*self.records, *added))
        if problems:
            raise BadStandards(problems)
        return Standards(self.records + added, self.edition)

    def _misfit(self, record: Record) -> Problem | None:
        at = (record.file or record.by, 0, record.id)
        base = next((r for r in self.by_id.get(record.id, ()) if not r.by), None)
        if base is None:
            return Problem(*at, "id", "unknown_id", "no such standard")
        if not record.by:
            return Problem(*at, "by", "missing_key", "an override must name the bureau that set it")
        if record.unit != base.unit:
            return Problem(*at, "unit", "wrong_unit", f"is {record.unit!r}, must be {base.unit!r}")
        return None


# ---------------------------------------------------------------- reading
def parse(text: str, name: str) -> Standards:
    """The standards of one file, `name` being how errors call it; BadStandards lists every fault."""
    return parse_all({name: text})


def parse_all(files: Mapping[str, str]) -> Standards:
    """The standards of several files, name to text, in that order; BadStandards lists every fault of all."""
    problems: list[Problem] = []
    records: list[Record] = []
    editions: list[str] = []
    for name, text in files.items():
        edition, found = _file(text, name, problems)
        editions.append(edition)
        records += found
    problems += _duplicates(records)
    if problems:
        raise BadStandards(problems)
    return Standards(tuple(records), max(editions, default=""))


def _file(text: str, name: str, problems: list[Problem]) -> tuple[str, list[Record]]:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(name, _line_of(str(error)), "", "", "broken_toml", f"not TOML: {error}"))
        return "", []
    problems += [
        Problem(name, 0, "", key, "unknown_key", "not a key of a standards file")
        for key in data.keys() - {"edition", "record"}
    ]
    edition, tables = data.get("edition", ""), data.get("record", [])
    if not isinstance(edition, str):
        problems.append(Problem(name, 0, "", "edition", "wrong_type", "must be text"))
        edition = ""
    if not isinstance(tables, list) or not all(isinstance(t, dict) for t in tables):
        problems.append(Problem(name, 0, "", "record", "wrong_type", "must be [[record]] tables"))
        return edition, []
    lines = [n for n, line in enumerate(text.splitlines(), 1) if _HEADER.match(line)]
    lines += [0] * (len(tables) - len(lines))
    made = [_record(t, name, line, problems) for t, line in zip(tables, lines, strict=False)]
    return edition, [record for record in made if record is not None]


def _line_of(message: str) -> int:
    found = re.search(r"line ([0-9]+)", message)
    return int(found[1]) if found else 0


_TEXTS = ("group", "plan", "name_zh", "name_en", "rule_zh", "rule_en")
_REQUIRED = ("id", "unit", "from", "source", "article", "checked_on", "verified")
_KEYS = frozenset((*_REQUIRED, *_TEXTS, "value", "repealed"))


def _record(table: Mapping[str, object], name: str, line: int, problems: list[Problem]) -> Record | None:
    faults = list(_faults(table))
    shown = table.get("id")
    record_id = shown if isinstance(shown, str) else ""
    problems += [Problem(name, line, record_id, key, f.code, f.detail) for key, f in faults]
    if faults:
        return None
    # Everything below was checked above; Any is what a checked table's values are to the type checker.
    sound: dict[str, Any] = {key: table[key] for key in table.keys() - {"from", "value"}}
    value: Any = typed_value(table["value"], sound["unit"]) if "value" in table else None
    since: Any = table["from"]
    return Record(**sound, since=since, value=value, file=name)


def _faults(table: Mapping[str, object]) -> Iterable[tuple[str, Fault]]:
    for key in sorted(table.keys() - _KEYS):
        yield key, Fault("unknown_key", "not a key of a record")
    for key in _REQUIRED:
        if key not in table:
            yield key, Fault("missing_key", "is missing")
        elif fault := _key_fault(key, table[key]):
            yield key, fault
    for key in _TEXTS:
        if not isinstance(table.get(key, ""), str):
            yield key, Fault("wrong_type", f"must be text, is {table[key]!r}")
    yield from _value_faults(table)
    if table.get("verified") not in {"D", None} and table.get("source") == "":
        yield "source", Fault("missing_key", "only a default (D) has no source")


def _key_fault(key: str, value: object) -> Fault | None:
    if key in {"from", "checked_on"}:
        # A datetime is also a date to Python; a record is dated by the day alone.
        is_day = isinstance(value, date) and not isinstance(value, datetime)
        return None if is_day else Fault("bad_date", f"must be a date such as 2026-01-31, is {value!r}")
    if not isinstance(value, str):
        return Fault("wrong_type", f"must be text, is {value!r}")
    if key == "id" and not _ID.fullmatch(value):
        return Fault("bad_id", f"must be words joined by dots, is {value!r}")
    if key == "verified" and value not in MARKS:
        return Fault("unknown_mark", f"must be one of {', '.join(MARKS)}, is {value!r}")
    if key == "unit" and value not in UNITS:
        return Fault("unknown_unit", f"must be one of {', '.join(sorted(UNITS))}, is {value!r}")
    return None


def _value_faults(table: Mapping[str, object]) -> Iterable[tuple[str, Fault]]:
    repealed, unit = table.get("repealed", False), table.get("unit")
    if not isinstance(repealed, bool):
        yield "repealed", Fault("wrong_type", f"must be true or false, is {repealed!r}")
    elif repealed and "value" in table:
        yield "value", Fault("repealed_value", "a repeal has no value")
    elif not repealed and "value" not in table:
        yield "value", Fault("missing_key", "is missing, and the record is not a repeal")
    elif not repealed and unit in UNITS:
        made = typed_value(table["value"], str(unit))
        if isinstance(made, Fault):
            yield "value", made


def _duplicates(records: Iterable[Record]) -> list[Problem]:
    seen: dict[tuple[str, date, str], Record] = {}
    problems = []
    for r in records:
        first = seen.setdefault((r.id, r.since, r.by), r)
        if first is not r:
            detail = f"{r.since} is already given in {first.file or first.by}"
            problems.append(Problem(r.file or r.by, 0, r.id, "from", "duplicate", detail))
    return problems


def _canonical(record: Record) -> dict[str, object]:
    row = asdict(record)
    # Where a record stands says nothing of what it says.
    del row["file"]
    return row | {"since": record.since.isoformat(), "checked_on": record.checked_on.isoformat()}

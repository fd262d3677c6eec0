"""How an entry lies in its table: the statements over it, made once per ledger, and its canonical digest (PURE)."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from safety.ledger.declare import GRID_ZONE, Kind, Ledger, Values
from safety.ledger.parse import format_plain

META = (
    "id", "school", "happened_on", "timed_on", "recorded_at", "recorded_by", "on_behalf_of", "submission_key",
    "body_digest", "why", "supersedes", "superseded_by", "superseded_at", "voided_at", "voided_by", "void_why",
)  # fmt: skip
"""What every entry carries, in the order in which `Shape` reads it; class and zone are among every ledger's columns."""

WRITTEN = META[:11]
"""What is written when an entry is made; the rest are marks set later."""


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One version of an entry as it is stored. `values` are by field name, `happened_on` always among them."""

    id: UUID
    school: int
    happened_on: date
    timed_on: date
    recorded_at: datetime
    recorded_by: int | None
    on_behalf_of: int | None
    submission_key: str
    body_digest: str
    why: str | None
    supersedes: UUID | None
    superseded_by: UUID | None
    superseded_at: datetime | None
    voided_at: datetime | None
    voided_by: int | None
    void_why: str | None
    values: Mapping[str, Any]

    @property
    def stands(self) -> bool:
        """Whether it is neither superseded nor voided."""
        return self.superseded_by is None and self.voided_at is None


class Shape:
    """The SQL of one ledger's table. Nothing of it comes from outside: names are those of the declaration."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.table = ledger.table._meta.tablename
        self.own = tuple(item.column for item in ledger.every_field if item.column != "happened_on")
        self._unset = {
            column._meta.name: column._meta.params.get("default", "")
            for column in ledger.table._meta.columns
            if not column._meta.null
        }

    @cached_property
    def columns(self) -> str:
        """Everything that `read` needs, prefixed `e.`."""
        return ", ".join(f"e.{name}" for name in (*META, *self.own))

    @cached_property
    def insert(self) -> str:
        """Adds an entry unless its submission is known already; gives back the id if it was added."""
        names = (*WRITTEN, *self.own)
        places = ", ".join(f"${n + 1}" for n in range(len(names)))
        return (
            f"insert into {self.table} ({', '.join(names)}) values ({places}) "  # noqa: S608
            "on conflict (school, submission_key) do nothing returning id"
        )

    @cached_property
    def by_id(self) -> str:
        return f"select {self.columns} from {self.table} e where e.school = $1 and e.id = $2"  # noqa: S608

    @cached_property
    def by_key(self) -> str:
        return f"select id, body_digest from {self.table} where school = $1 and submission_key = $2"  # noqa: S608

    @cached_property
    def supersede(self) -> str:
        """Marks an entry as corrected, if it still stands."""
        return (
            f"update {self.table} set superseded_by = $3, superseded_at = $4 where school = $1 and id = $2 "  # noqa: S608
            "and superseded_by is null and voided_at is null returning id"
        )

    @cached_property
    def void(self) -> str:
        """Marks an entry as void, if it still stands."""
        return (
            f"update {self.table} set voided_at = $3, voided_by = $4, void_why = $5 "  # noqa: S608
            "where school = $1 and id = $2 and superseded_by is null and voided_at is null returning id"
        )

    def read(self, row: Sequence[Any]) -> EntryRow:
        """An entry from a row of `columns`."""
        meta = row[: len(META)]
        values: dict[str, Any] = {"happened_on": meta[2]}
        stored = dict(zip(self.own, row[len(META) :], strict=True))
        for item in self.ledger.every_field:
            if item.name != "happened_on":
                value = stored[item.column]
                # A text that was not given is stored as an empty one.
                values[item.name] = None if value == "" and item.kind is Kind.TEXT else value
        return EntryRow(*(*meta, values))

    def own_values(self, values: Values) -> list[Any]:
        """The ledger's own columns of a row, in order, as they are stored."""
        found = []
        for item in self.ledger.every_field:
            if item.name != "happened_on":
                value = values.get(item.name)
                if value is None and item.column in self._unset:
                    value = self._unset[item.column]
                found.append(value)
        return found


_shapes: dict[str, Shape] = {}


def shape_of(ledger: Ledger) -> Shape:
    """The ledger's statements, made at first use."""
    known = _shapes.get(ledger.name)
    if known is None or known.ledger is not ledger:
        known = _shapes[ledger.name] = Shape(ledger)
    return known


def body_digest(
    ledger: Ledger, values: Values, *, supersedes: UUID | None = None, on_behalf_of: int | None = None
) -> str:
    """SHA-256 of what somebody sent: the same submission key with another digest is a conflict."""
    said: list[Any] = [format_plain(item, values.get(item.name)) for item in ledger.fields]
    said += [str(supersedes or ""), on_behalf_of or 0]
    if values.get(GRID_ZONE.name) is not None:
        # Only where there is one: what was sent before entries could name a zone keeps its digest.
        said.append(f"zone:{values[GRID_ZONE.name]}")
    text = json.dumps([ledger.name, *said], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()

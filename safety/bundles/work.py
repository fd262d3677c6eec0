"""What one import knows while it runs: who asks, what is wrong so far, the schools, and what has to be counted anew."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from safety.access.scope import Scope
from safety.bundles.reading import Sheet
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.errors import Problem
from safety.facts import SchoolFacts
from safety.ledger.declare import Field, Kind
from safety.ledger.parse import Context, FieldError, parse_field
from safety.places.facts import facts_of

MOST_PROBLEMS = 10_000
CHUNK = 4000
"""How many values one statement asks for; PostgreSQL takes 32,767."""

Progress = Callable[[str, int, int], None]
Raw = Mapping[str, str]


def quiet(file: str, done: int, of: int) -> None:
    """No progress shown."""
    del file, done, of


@dataclass
class Count:
    """What became of a file's rows."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0


@dataclass
class Told:
    """What the audit trail will say of one file on one chain."""

    new: int = 0
    changed: int = 0
    hash: Any = field(default_factory=hashlib.sha256)


@dataclass
class Work:
    """One import. `actor` None is the machine itself, which may do what an administrator may."""

    actor: Scope | None
    now: datetime
    progress: Progress = quiet
    problems: list[Problem] = field(default_factory=list)
    counts: dict[str, Count] = field(default_factory=dict)
    bureaus: dict[str, int] = field(default_factory=dict)
    schools: dict[str, int] = field(default_factory=dict)
    # Names that a row of this bundle would have made had it been right: what refers to them is not wrong as well.
    spoiled: set[tuple[str, ...]] = field(default_factory=set)
    renewed: set[int] = field(default_factory=set)
    new_schools: set[int] = field(default_factory=set)
    touched: dict[int, set[date]] = field(default_factory=lambda: defaultdict(set))
    chains: dict[tuple[str, int | None], Told] = field(default_factory=lambda: defaultdict(Told))
    headcounts: dict[tuple[str, ...], list[tuple[datetime, int]]] = field(default_factory=dict)
    teachers: list[tuple[str, int, int, str]] = field(default_factory=list)
    _facts: dict[int, SchoolFacts] = field(default_factory=dict)
    _people: dict[int, dict[str, int]] = field(default_factory=dict)
    _contexts: dict[int, Context] = field(default_factory=dict)

    @property
    def may_all(self) -> bool:
        """Whether places, people and times of recording may be stated."""
        return self.actor is None or self.actor.admin

    # ---- what is wrong
    def wrong(self, sheet: Sheet, row: int, column: str | None, code: str, /, **values: Any) -> None:
        self.problems.append(Problem(sheet.place(row, column), code, values))

    def all_wrong(self, sheet: Sheet, row: int, problems: Iterable[Problem]) -> None:
        for found in problems:
            self.wrong(sheet, row, found.field, found.code, **found.values)

    # ---- reading a row of places or people
    def read(self, sheet: Sheet, row: int, raw: Raw, fields: Sequence[Field]) -> dict[str, Any] | None:
        """A row's values; None, its problems noted, if any is wrong."""
        values: dict[str, Any] = {}
        good = True
        for item in fields:
            try:
                values[item.name] = _value(item, raw.get(item.name, ""), self.now)
            except FieldError as error:
                self.wrong(sheet, row, item.name, error.code, **error.values)
                good = False
        return values if good else None

    def school(self, sheet: Sheet, row: int, code: str) -> int | None:
        """The id of a school that this person may name; None, noted, for any other."""
        found = self.schools.get(code)
        if found is not None and (self.actor is None or self.actor.may(found)):
            return found
        if not code:
            self.wrong(sheet, row, "school", "required")
        elif ("school", code) not in self.spoiled:
            self.wrong(sheet, row, "school", "place-unknown", place=code)
        return None

    # ---- what a change sets off
    def same(self, file: str) -> None:
        """A row that changes nothing."""
        self.counts.setdefault(file, Count()).unchanged += 1

    def tell(self, file: str, school: int | None, said: Sequence[Any], *, new: bool = True) -> None:
        """Note that a row was written: it goes into the counts and into the digest that the trail keeps."""
        count = self.counts.setdefault(file, Count())
        count.new, count.changed = count.new + new, count.changed + (not new)
        text = json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=str).encode()
        for chain in {school, None}:
            told = self.chains[file, chain]
            told.new, told.changed = told.new + new, told.changed + (not new)
            told.hash.update(text + b"\n")

    async def context(self, school: int) -> Context:
        """What reading an entry of that school needs, recorded now."""
        if school not in self._contexts:
            if school not in self._facts:
                await self._load(school)
            self._contexts[school] = Context(self._facts[school], self.now, self._people.get(school, {}))
        return self._contexts[school]

    async def _load(self, school: int) -> None:
        self._facts.update(await facts_of([school]))
        if not self._people:
            for at, login, account in await fetch_tuples(None, PEOPLE):
                self._people.setdefault(at, {})[login] = account


PEOPLE = """select g.school, a.login, a.id from role_grant g join account a on a.id = g.account
where g.school is not null"""


def recorded_then(known: Context, at: datetime) -> Context:
    """The same context for another time of recording, without finding classes and people anew."""
    later = Context(known.facts, at, known.people)
    for name in ("classes", "class_by_id", "logins"):
        later.__dict__[name] = getattr(known, name)
    return later


def _value(item: Field, text: str, now: datetime) -> Any:
    if item.choices and item.choices[0].value == "true":
        # Excel writes them in capitals.
        text = text.strip().lower()
    value = parse_field(item, text, Context(_NO_SCHOOL, now))
    if value is not None and item.kind is Kind.INTEGER:
        if item.minimum is not None and value < item.minimum:
            raise FieldError("too-small", minimum=item.minimum)
        if item.maximum is not None and value > item.maximum:
            raise FieldError("too-large", maximum=item.maximum)
    return value


_NO_SCHOOL: Any = None


def quarters_of(days: Iterable[date], reach: int) -> list[Period]:
    """The quarters in which an occurrence that holds one of these days may fall due."""
    found: set[Period] = set()
    for first in {Period.of(day) for day in days}:
        period = first.previous()
        for _ in range(reach + 2):
            found.add(period)
            period = period.next()
    return sorted(found)


def places(count: int, start: int = 1) -> str:
    """`$1, $2, …`"""
    return ", ".join(f"${number}" for number in range(start, start + count))

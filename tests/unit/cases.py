"""Worked cases: a school, its ledgers, and what the score must come to, run through the pure core alone.

`tests/cases/*.toml` hold them in the bundle's column names, so that an inspector can read and recompute each one. What
a case leaves out is filled in here: an entry is recorded at 16:00 of its day (a check-in at its instant), a school has
one class of 40 pupils and a term from September to January, and is looked at as its quarter closes. The standards are
the product's own, but for those that a case says to change from a day on.
"""

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from config.ledgers import REGISTRY
from config.rules import product_standards as standards
from safety.calendar import Period, SchoolCalendar, TermSpan
from safety.clock import ZONE, day_start, local_day
from safety.duties import close_at, windows
from safety.facts import ClassFacts, SchoolFacts, Sizes
from safety.incidents.feeds import incidents_of
from safety.incidents.rules import consequences_of
from safety.ledger.declare import Kind, Ledger
from safety.ledger.feeds import Rows, Stored, StoredEvent, feeds_by_line, measure_line
from safety.measures import Measured, Setting
from safety.rulebook import Rulebook
from safety.scoring import Evidence, Score, score
from safety.standards import Standards
from tests.unit.law import changed, day

CASES = Path(__file__).resolve().parents[1] / "cases"
BEGINNING = datetime(2020, 1, 1, tzinfo=ZONE)
TERMS = [["秋", date(2026, 9, 1), date(2027, 1, 22)]]
RECORDING = ("recorded_at", "id", "supersedes", "voided_at", "refused", "every", "except")
DEFAULTS: dict[str, dict[str, Any]] = {
    "class_sessions": {"kind": "weekly", "topic": "防溺水", "module": "injury", "present": 40, "made_up": 0},
    "daily_reminders": {"text": "注意交通安全"},
    "awareness_checks": {},
    "zero_reports": {"person": "officer"},
    "duty_slots": {"person": "guard"},
    "duty_checkins": {"person": "guard"},
    "food_samples": {"meal": "lunch", "dish": "米饭", "grams": 125, "person": "cook"},
    "purchase_batches": {
        "item": "大米", "quantity": 1000, "unit": "kg", "maker": "某米业", "certificate_no": "C1",
    },
    "drills": {"kind": "evacuation", "participants": 40},
    "incidents": {
        "category": "other", "liability": "pending", "deaths": 0, "serious_injuries": 0, "minor_injuries": 0,
        "affected": 0, "loss_yuan": 0,
    },
}  # fmt: skip


# ---------------------------------------------------------------- reading
@dataclass(frozen=True)
class Case:
    """One worked case, as read."""

    id: str
    zh: str
    en: str
    rules: tuple[str, ...]
    period: Period
    why: str
    given: Mapping[str, Any]
    expected: Mapping[str, Any]
    file: str

    @property
    def at(self) -> datetime:
        """The instant looked from: the close, where the case does not say."""
        said = self.given.get("as_of")
        return close_at(self.period) if said is None else instant(said)

    @cached_property
    def standards(self) -> Standards:
        """The product's, with what the case changes."""
        return changed(self.given.get("standards", []))


@cache
def read_cases() -> tuple[Case, ...]:
    """Every case of every file, in order."""
    found = []
    for file in sorted(CASES.glob("*.toml")):
        if file.name != "rules.toml":
            with file.open("rb") as opened:
                found += [_case(table, file.name) for table in tomllib.load(opened)["case"]]
    return tuple(found)


def read_rules() -> dict[str, str]:
    """The sentences of the scoring rules that cases must work out: id to words."""
    with (CASES / "rules.toml").open("rb") as opened:
        return dict(tomllib.load(opened)["rules"])


KEYS = {
    "id", "zh", "en", "rules", "period", "as_of", "why", "school", "perfect", "without", "events", "standards",
    "expected",
}  # fmt: skip


def _case(table: Mapping[str, Any], file: str) -> Case:
    unknown = table.keys() - KEYS - REGISTRY.ledgers.keys()
    if unknown:
        raise ValueError(f"{file}: {table.get('id')}: unknown {sorted(unknown)}")
    named = {key: table[key] for key in ("id", "zh", "en", "why")}
    period = Period.parse(table["period"])
    return Case(
        **named, rules=tuple(table["rules"]), period=period, given=table, expected=table["expected"], file=file
    )  # fmt: skip


def instant(said: object) -> datetime:
    """An instant as written: local where it names no zone; a day is its midnight."""
    if isinstance(said, date) and not isinstance(said, datetime):
        return day_start(said)
    found = said if isinstance(said, datetime) else datetime.fromisoformat(str(said))
    return found if found.tzinfo else found.replace(tzinfo=ZONE)


# ---------------------------------------------------------------- the school
SCHOOL_KEYS = {"stage", "has_canteen", "meals", "enrolment", "terms", "closed", "extra", "classes"}


def school(given: Mapping[str, Any]) -> SchoolFacts:
    """The facts of a case's school; sizes are a number, or a list of [recorded at, number]."""
    if given.keys() - SCHOOL_KEYS:
        raise ValueError(f"unknown {sorted(given.keys() - SCHOOL_KEYS)}")
    rows = given.get("classes", [{"class": "一(1)班", "pupils": 40}])
    classes = tuple(
        ClassFacts(
            n,
            row["class"],
            day(row.get("from", "2025-09-01")),
            day(row.get("until", "2027-08-31")),
            sizes(row["pupils"]),
        )
        for n, row in enumerate(rows, 1)
    )
    enrolment = given.get("enrolment", sum(item.sizes[-1][1] for item in classes))
    return SchoolFacts(
        id=1,
        code="S1",
        name="某小学",
        stage=given.get("stage", "primary"),
        has_canteen=given.get("has_canteen", False),
        meals=tuple(given.get("meals", ["lunch"] if given.get("has_canteen") else [])),
        enrolments=sizes(enrolment),
        calendar=_calendar(given),
        classes=classes,
    )


def sizes(said: Any) -> Sizes:
    """Dated head-counts."""
    if isinstance(said, int):
        return ((BEGINNING, said),)
    return tuple((instant(at), count) for at, count in said)


def _calendar(given: Mapping[str, Any]) -> SchoolCalendar:
    return SchoolCalendar(
        tuple(TermSpan(name, day(first), day(last)) for name, first, last in given.get("terms", TERMS)),
        frozenset(day(item) for item in given.get("closed", [])),
        frozenset(day(item) for item in given.get("extra", [])),
    )


# ---------------------------------------------------------------- the entries
@dataclass
class Book:
    """Entries by ledger as they would be stored, and their later facts."""

    facts: SchoolFacts
    entries: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    events: list[dict[str, Any]] = field(default_factory=list)
    _ids: dict[UUID, str] = field(default_factory=dict)

    def add(self, ledger: str, *entries: Mapping[str, Any]) -> None:
        """Add entries in the bundle's columns."""
        kept = self.entries.setdefault(ledger, [])
        kept += [dict(one) for entry in entries for one in self._spread(entry)]

    def _spread(self, entry: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
        """`every = [first, last]` stands for an entry on each school day of these, but for those of `except`."""
        if "every" not in entry:
            yield entry
            return
        first, last = map(day, entry["every"])
        out = {day(item) for item in entry.get("except", [])}
        for each in self.facts.calendar.school_days(first, last):
            if each not in out:
                yield {k: v for k, v in entry.items() if k not in {"every", "except"}} | {"happened_on": each}

    def leave_out(self, ledger: str, **like: Any) -> None:
        """Take out the entries whose columns say this."""
        self.entries[ledger] = [
            entry
            for entry in self.entries.get(ledger, [])
            if any(str(entry.get(key)) != str(value) for key, value in like.items())
        ]

    def name_of(self, id_: UUID) -> str:
        """The name that the case gives an entry."""
        return self._ids[id_]

    def rows(self) -> dict[str, Rows]:
        """Every ledger's rows, as storage would hand them over."""
        return {ledger.name: self._rows(ledger) for ledger in REGISTRY}

    def _rows(self, ledger: Ledger) -> Rows:
        entries = self.entries.get(ledger.name, [])
        replaced = {
            entry["supersedes"]: self._recorded(ledger, entry) for entry in entries if "supersedes" in entry
        }
        stored = [
            row
            for n, entry in enumerate(entries)
            if (row := self._stored(ledger, entry, f"{ledger.name}-{n}", replaced)) is not None
        ]
        return Rows(stored, self._events(ledger, entries))

    def _stored(
        self, ledger: Ledger, entry: dict[str, Any], spare: str, replaced: Mapping[str, datetime]
    ) -> Stored | None:
        name = entry.get("id", spare)
        id_ = self._id(name)
        said = self._said(ledger, entry)
        problems = [problem.code for problem in ledger.check(said, self.facts)]
        if problems or "refused" in entry:
            # A refused entry is never stored; the case must say that it is, and why.
            assert [entry.get("refused")] == problems, (name, problems)
            return None
        columns = {item.column: said[item.name] for item in ledger.fields}
        voided = entry.get("voided_at")
        before = entry.get("supersedes")
        return Stored(
            id_,
            self._day(ledger, entry),
            self._recorded(ledger, entry),
            None if before is None else self._id(before),
            replaced.get(name),
            None if voided is None else instant(voided),
            tuple(columns[column] for column in ledger.feed_columns),
        )

    def _id(self, name: str) -> UUID:
        id_ = uuid5(NAMESPACE_OID, name)
        self._ids[id_] = name
        return id_

    def _day(self, ledger: Ledger, entry: Mapping[str, Any]) -> date:
        if ledger.happened is None:
            return day(entry["happened_on"])
        return local_day(instant(entry[ledger.happened]))

    def _recorded(self, ledger: Ledger, entry: Mapping[str, Any]) -> datetime:
        if "recorded_at" in entry:
            return instant(entry["recorded_at"])
        if ledger.future:
            return BEGINNING
        if ledger.name == "incidents":
            return instant(entry.get("reported_at", entry.get("discovered_at", entry["happened_at"])))
        if ledger.happened is not None:
            return instant(entry[ledger.happened])
        return datetime.combine(day(entry["happened_on"]), time(16), tzinfo=ZONE)

    def _said(self, ledger: Ledger, entry: dict[str, Any]) -> dict[str, Any]:
        unknown = entry.keys() - {item.name for item in ledger.fields} - set(RECORDING)
        if unknown:
            raise ValueError(f"{ledger.name} has no {sorted(unknown)}")
        whole = DEFAULTS[ledger.name] | self._implied(ledger, entry) | entry
        return {item.name: self._value(item.kind, whole.get(item.name)) for item in ledger.fields}

    def _implied(self, ledger: Ledger, entry: Mapping[str, Any]) -> dict[str, Any]:
        one = self.facts.classes[0].name if len(self.facts.classes) == 1 else None
        if ledger.name == "food_samples":
            return {"stored_at": datetime.combine(day(entry["happened_on"]), time(12), tzinfo=ZONE)}
        if ledger.name == "purchase_batches":
            return {"produced_on": entry["happened_on"]}
        if ledger.name == "incidents":
            return {"discovered_at": entry["happened_at"]}
        return {"class": one}

    def _value(self, kind: Kind, said: Any) -> Any:
        if said is None or said == "":
            return None
        if kind is Kind.SCHOOL_CLASS:
            return next(item.id for item in self.facts.classes if item.name == said)
        if kind is Kind.PERSON:
            return sum(ord(letter) << 8 * n for n, letter in enumerate(str(said)))
        if kind is Kind.INSTANT:
            return instant(said)
        return day(said) if kind is Kind.DAY else said

    def _events(self, ledger: Ledger, entries: Sequence[Mapping[str, Any]]) -> list[StoredEvent]:
        ids = {entry["id"] for entry in entries if "id" in entry}
        return [
            StoredEvent(
                self._id(event["entry"]),
                event["kind"],
                str(event.get("value", "")),
                instant(event["happened_at"]),
                instant(event.get("recorded_at", event["happened_at"])),
            )
            for event in self.events
            if event["entry"] in ids
        ]


def book_of(case: Case) -> Book:
    """The entries of a case."""
    facts = school(case.given.get("school", {}))
    book = Book(facts)
    if case.given.get("perfect"):
        fill_perfectly(book, case.period, case.standards)
    for like in case.given.get("without", []):
        book.leave_out(**{key: str(value) for key, value in like.items()})
    for ledger in REGISTRY.ledgers:
        book.add(ledger, *case.given.get(ledger, []))
    book.events += case.given.get("events", [])
    return book


# ---------------------------------------------------------------- a school that does everything
MORNING, EVENING = ("07:30", "08:00"), ("16:00", "16:40")


def fill_perfectly(book: Book, period: Period, law: Standards | None = None) -> None:
    """Everything that falls due in a quarter by the product's standards, done and recorded in time."""
    facts, rules = book.facts, Rulebook.of(law or standards(), period).duties

    def due(line: str) -> list[date]:
        return [window.due for window in windows(line, facts, period, rules)]

    for each in facts.calendar.school_days(period.start, period.end):
        _perfect_day(book, each)
    for each in due("education.weekly"):
        for item in facts.classes_on(each):
            book.add("class_sessions", {"class": item.name, "happened_on": each, "present": 100_000})
    for kind, line in (("monthly", "education.monthly"), ("legal", "education.legal")):
        book.add("class_sessions", *({"kind": kind, "class": "", "happened_on": each} for each in due(line)))
    book.add("purchase_batches", *({"happened_on": each} for each in due("food.purchases")))
    drilled = {*due("drills.monthly"), *due("drills.fire")}
    book.add("drills", *({"happened_on": d, "kind": "fire", "evaluated_on": d} for d in sorted(drilled)))
    last = facts.calendar.last_school_day(period.start, period.end) or period.end
    checks = ({"class": item.name, "happened_on": last} for item in facts.classes_on(last))
    book.add("awareness_checks", *(check | {"checked": 100_000, "passed": 100_000} for check in checks))


def _perfect_day(book: Book, each: date) -> None:
    book.add("zero_reports", {"happened_on": each})
    for item in book.facts.classes_on(each):
        book.add("daily_reminders", {"class": item.name, "happened_on": each})
    for post in ("gate", "marshal"):
        for first, last in (MORNING, EVENING):
            book.add(
                "duty_slots", {"post": post, "starts_at": f"{each} {first}", "ends_at": f"{each} {last}"}
            )
            book.add("duty_checkins", {"post": post, "happened_at": f"{each} {first}"})
    book.add("duty_checkins", {"post": "leader", "person": "head", "happened_at": f"{each} 07:40"})
    patrols = ({"post": "patrol", "happened_at": f"{each} {hour:02}:00"} for hour in range(9, 14))
    book.add("duty_checkins", *patrols)
    book.add("food_samples", *({"happened_on": each, "meal": meal} for meal in book.facts.meals))


# ---------------------------------------------------------------- running
def run(book: Book, period: Period, at: datetime, law: Standards | None = None) -> Score:
    """The score of a book's quarter as of an instant: the same functions in the same order as from storage."""
    return scored(book, period, at, Rulebook.of(law or standards(), period))


def scored(book: Book, period: Period, at: datetime, rulebook: Rulebook) -> Score:
    """The same by a given book of rules."""
    rows = book.rows()
    setting = Setting(book.facts, period, rulebook.duties, at)
    measured = {line: _measure(line, rows, setting) for line in feeds_by_line(REGISTRY)}
    costs = consequences_of(incidents_of(rows["incidents"]), period, at, rulebook.incidents)
    return score(book.facts, period, rulebook, Evidence.of(measured, costs, at), at)


def _measure(line: str, rows: Mapping[str, Rows], setting: Setting) -> Measured:
    ledger, feed = feeds_by_line(REGISTRY)[line]
    due = windows(line, setting.facts, setting.period, setting.rules)
    side = {need.ledger: rows[need.ledger] for need in feed.needs}
    return measure_line(line, feed, due, rows[ledger.name], side, setting)


def after_close(period: Period, days: int = 1) -> datetime:
    """Some days after a quarter's close."""
    return close_at(period) + timedelta(days=days)

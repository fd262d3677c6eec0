"""Reading ledgers. Everything takes the viewer's scope first and answers only for schools that it opens."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from safety.access.scope import Scope
from safety.database import fetch_tuples
from safety.errors import NotAllowed, NotFound
from safety.facts import SchoolFacts
from safety.ledger.declare import Kind, Ledger
from safety.ledger.evidence import CURRENT
from safety.ledger.parse import Context
from safety.ledger.rows import EntryRow, shape_of
from safety.ledger.timing import Timing
from safety.ledger.weighing import timings_of
from safety.places.facts import school_facts

PAGE = 30
MOST_EXPORTED = 100_000
SEE_ALL = frozenset({"officer", "principal", "leader", "clerk", "inspector", "admin"})
"""Who reads every ledger of a school; others read those that they may write or add to."""

STATES = {
    "current": CURRENT,
    "superseded": "e.superseded_by is not null",
    "voided": "e.voided_at is not null",
}
ORDERS = {
    "newest": "e.happened_on desc, e.id desc",
    "oldest": "e.happened_on, e.id",
    "recorded": "e.recorded_at desc, e.id desc",
}
EVENTS = """select v.id, v.kind, v.value, v.happened_at, v.recorded_at, v.recorded_by from entry_event v
where v.school = $1 and v.ledger = $2 and v.chain = $3 order by v.recorded_at, v.id"""
LINES = """select at, actor_login, action, subject from audit_line
where chain = $1 and subject in ({places}) order by position"""
PEOPLE = """select distinct a.id, a.login, a.name from role_grant g join account a on a.id = g.account
where g.school = $1"""


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    login: str
    name: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list shows. Days are inclusive; `classes` are ids; `person` recorded it or is named in it.

    `timing` is on-time, late or backfilled; `state` and `order` are keys of STATES and ORDERS.
    """

    since: date | None = None
    until: date | None = None
    classes: tuple[int, ...] = ()
    person: int | None = None
    zone: int | None = None
    timing: str = ""
    state: str = "current"
    text: str = ""
    order: str = "newest"


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list, its `number` counted from 1."""

    rows: Sequence[EntryRow]
    timings: Mapping[UUID, Timing]
    people: Mapping[int, Person]
    total: int
    number: int = 1
    size: int = PAGE

    @property
    def last(self) -> int:
        return max(1, -(-self.total // self.size))


@dataclass(frozen=True, slots=True)
class EventRow:
    """A later fact of an entry."""

    id: UUID
    kind: str
    value: str
    happened_at: datetime
    recorded_at: datetime
    recorded_by: int | None


@dataclass(frozen=True, slots=True)
class TrailLine:
    """What the audit trail says of an entry."""

    at: datetime
    login: str
    action: str
    subject: str


@dataclass(frozen=True, slots=True)
class Detail:
    """An entry with all versions of its chain (oldest first), later facts, trail, and who all these people are."""

    entry: EntryRow
    versions: Sequence[EntryRow]
    events: Sequence[EventRow]
    trail: Sequence[TrailLine]
    people: Mapping[int, Person]
    timing: Timing | None = field(default=None)

    @property
    def latest(self) -> EntryRow:
        return self.versions[-1]


# ---------------------------------------------------------------- who may read
def may_read(ledger: Ledger, scope: Scope, school_id: int) -> bool:
    """Whether this person reads that ledger of that school."""
    adders = frozenset().union(*(event.roles for event in ledger.events))
    return scope.may(school_id, *(SEE_ALL | ledger.writers | adders))


def _allow(ledger: Ledger, scope: Scope, school_id: int) -> None:
    if not scope.may(school_id):
        raise NotFound
    if not may_read(ledger, scope, school_id):
        raise NotAllowed


# ---------------------------------------------------------------- lists
async def list_entries(
    scope: Scope,
    ledger: Ledger,
    school_id: int,
    filters: Filters,
    now: datetime,
    *,
    page: int = 1,
    size: int = PAGE,
) -> Page:
    """A page of the entries that pass the filters, timed as of now. Raises NotFound and NotAllowed."""
    _allow(ledger, scope, school_id)
    where, args = _where(ledger, school_id, filters)
    facts = await school_facts(school_id)
    if filters.timing:
        rows = await _timed(ledger, facts, filters, where, args, now)
        total, rows = len(rows), rows[(page - 1) * size : page * size]
    else:
        table = shape_of(ledger).table
        counted = await fetch_tuples(None, f"select count(*) from {table} e where {where}", args)  # noqa: S608
        total = int(counted[0][0])
        rows = await _rows(ledger, filters, where, args, size, (page - 1) * size)
    timings = await timings_of(ledger, facts, rows, now)
    people = await people_by_id(_mentioned(ledger, rows))
    return Page(rows, timings, people, total, page, size)


async def all_entries(
    scope: Scope, ledger: Ledger, school_id: int, filters: Filters, now: datetime
) -> list[EntryRow]:
    """Every entry that passes the filters, for an export."""
    _allow(ledger, scope, school_id)
    where, args = _where(ledger, school_id, filters)
    if filters.timing:
        return await _timed(ledger, await school_facts(school_id), filters, where, args, now)
    return await _rows(ledger, filters, where, args, MOST_EXPORTED, 0)


async def _rows(
    ledger: Ledger, filters: Filters, where: str, args: Sequence[Any], limit: int, offset: int
) -> list[EntryRow]:
    shape = shape_of(ledger)
    order = ORDERS[filters.order]
    sql = (
        f"select {shape.columns} from {shape.table} e where {where} order by {order} "  # noqa: S608
        f"limit ${len(args) + 1} offset ${len(args) + 2}"
    )
    return [shape.read(row) for row in await fetch_tuples(None, sql, [*args, limit, offset])]


def _where(ledger: Ledger, school_id: int, filters: Filters) -> tuple[str, list[Any]]:
    """SQL over `e.` and its arguments. Every part is ours; what people typed is only ever an argument."""
    parts, args = ["e.school = $1", f"({STATES[filters.state]})"], [school_id]

    def given(condition: str, value: Any) -> None:
        args.append(value)
        parts.append(condition.replace("{}", f"${len(args)}"))

    if filters.since is not None:
        given("e.happened_on >= {}", filters.since)
    if filters.until is not None:
        given("e.happened_on <= {}", filters.until)
    if filters.classes:
        # One name has another class in every school year.
        places = ", ".join(f"${len(args) + n}" for n in range(1, len(filters.classes) + 1))
        parts.append(f"e.school_class in ({places})")
        args.extend(filters.classes)
    if filters.zone is not None:
        given("e.zone = {}", filters.zone)
    if filters.person is not None:
        named = ["recorded_by", "on_behalf_of", *_columns(ledger, Kind.PERSON)]
        given("(" + " or ".join(f"e.{name} = {{}}" for name in named) + ")", filters.person)
    if filters.text:
        names = _columns(ledger, Kind.TEXT)
        like = " or ".join(f"lower(e.{name}) like {{}} escape '!'" for name in names)
        if names:
            given(f"({like})", f"%{_escaped(filters.text.lower())}%")
        else:
            parts.append("1 = 0")
    return " and ".join(parts), args


def _columns(ledger: Ledger, kind: Kind) -> list[str]:
    return [item.column for item in ledger.fields if item.kind is kind]


def _escaped(text: str) -> str:
    for letter in "!%_":
        text = text.replace(letter, "!" + letter)
    return text


async def _timed(
    ledger: Ledger, facts: SchoolFacts, filters: Filters, where: str, args: Sequence[Any], now: datetime
) -> list[EntryRow]:
    """All rows of one timing. Lateness follows from calendar and standards, which the database does not know."""
    # Whatever is late was recorded after the day it tells of.
    narrowed = where if filters.timing == "on-time" else f"{where} and e.timed_on > e.happened_on"
    rows = await _rows(ledger, filters, narrowed, args, MOST_EXPORTED, 0)
    timings = await timings_of(ledger, facts, rows, now)
    return [row for row in rows if (found := timings.get(row.id)) and found.name == filters.timing]


# ---------------------------------------------------------------- one entry
async def entry(scope: Scope, ledger: Ledger, school_id: int, entry_id: UUID) -> EntryRow:
    """One version of an entry. Raises NotFound, also for another school's, and NotAllowed."""
    _allow(ledger, scope, school_id)
    return await _one(ledger, school_id, entry_id)


async def detail(scope: Scope, ledger: Ledger, school_id: int, entry_id: UUID, now: datetime) -> Detail:
    """An entry with its whole history, timed as of now. Raises as `entry` does."""
    chosen = await entry(scope, ledger, school_id, entry_id)
    versions = await _chain(ledger, chosen)
    events = [
        EventRow(*row) for row in await fetch_tuples(None, EVENTS, [school_id, ledger.name, versions[0].id])
    ]
    timings = await timings_of(ledger, await school_facts(school_id), [chosen], now)
    mentioned = _mentioned(ledger, versions) | {event.recorded_by for event in events}
    return Detail(
        entry=chosen,
        versions=versions,
        events=events,
        trail=await _trail(ledger, school_id, versions),
        people=await people_by_id(mentioned),
        timing=timings.get(entry_id),
    )


async def _one(ledger: Ledger, school_id: int, entry_id: UUID) -> EntryRow:
    shape = shape_of(ledger)
    rows = await fetch_tuples(None, shape.by_id, [school_id, entry_id])
    if not rows:
        raise NotFound
    return shape.read(rows[0])


async def _chain(ledger: Ledger, chosen: EntryRow) -> list[EntryRow]:
    """All versions of an entry, oldest first."""
    found = [chosen]
    while (before := found[0].supersedes) is not None:
        found.insert(0, await _one(ledger, chosen.school, before))
    while (after := found[-1].superseded_by) is not None:
        found.append(await _one(ledger, chosen.school, after))
    return found


async def _trail(ledger: Ledger, school_id: int, versions: Sequence[EntryRow]) -> list[TrailLine]:
    places = ", ".join(f"${n + 2}" for n in range(len(versions)))
    subjects = [f"{ledger.name}/{version.id}" for version in versions]
    rows = await fetch_tuples(None, LINES.replace("{places}", places), [school_id, *subjects])
    return [TrailLine(*row) for row in rows]


# ---------------------------------------------------------------- people
async def context_for(
    ledger: Ledger, school_id: int, recorded_at: datetime, raw: Mapping[str, str] | None = None
) -> Context:
    """What parsing needs. With `raw` (one row's texts) only the people it names are looked up."""
    facts = await school_facts(school_id)
    named = [item.name for item in ledger.fields if item.kind is Kind.PERSON]
    if raw is not None:
        logins = {raw.get(name, "").strip() for name in [*named, "on_behalf_of"]} - {""}
        people = await _people_called(school_id, logins) if logins else {}
    else:
        people = {person.login: person.id for person in await _people(school_id)}
    return Context(facts, recorded_at, people)


async def school_context(scope: Scope, school_id: int, now: datetime) -> Context:
    """A school's facts, for its own people and those above it. Raises NotFound."""
    if not scope.may(school_id):
        raise NotFound
    return Context(await school_facts(school_id), now)


async def context_of_entry(ledger: Ledger, row: EntryRow, recorded_at: datetime) -> Context:
    """`context_for` the whole school, with the people whom an entry names even if they have left since."""
    context = await context_for(ledger, row.school, recorded_at)
    known = await people_by_id(_mentioned(ledger, [row]))
    return replace(context, people={**{p.login: p.id for p in known.values()}, **context.people})


async def people_of(scope: Scope, school_id: int) -> list[Person]:
    """The people of a school by name, for a form to choose from; disabled accounts are left out."""
    if not scope.may(school_id):
        raise NotFound
    return await _people(school_id, "and a.disabled_at is null order by a.name, a.login")


async def people_by_id(ids: Iterable[int | None]) -> dict[int, Person]:
    """Logins and names of accounts."""
    wanted = sorted({number for number in ids if number is not None})
    if not wanted:
        return {}
    places = ", ".join(f"${n + 1}" for n in range(len(wanted)))
    rows = await fetch_tuples(None, f"select id, login, name from account where id in ({places})", wanted)  # noqa: S608
    return {row[0]: Person(*row) for row in rows}


async def _people(school_id: int, rest: str = "") -> list[Person]:
    return [Person(*row) for row in await fetch_tuples(None, f"{PEOPLE} {rest}", [school_id])]


async def _people_called(school_id: int, logins: Iterable[str]) -> dict[str, int]:
    wanted = sorted({form for login in logins for form in (login, login.lower())})
    places = ", ".join(f"${n + 2}" for n in range(len(wanted)))
    rows = await fetch_tuples(None, f"{PEOPLE} and a.login in ({places})", [school_id, *wanted])
    return {login: number for number, login, _ in rows}


def _mentioned(ledger: Ledger, rows: Iterable[EntryRow]) -> set[int | None]:
    named = [item.name for item in ledger.fields if item.kind is Kind.PERSON]
    found: set[int | None] = set()
    for row in rows:
        found |= {row.recorded_by, row.on_behalf_of, row.voided_by}
        found |= {row.values[name] for name in named}
    return found

"""Reading notes and samples. The viewer's scope comes first."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from reports.oversight.rules import Drawn, draw, is_open, population_digest, waits_for
from safety import in_use
from safety.access.scope import Scope
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.errors import NotFound
from safety.ledger import queries as ledger_queries
from safety.ledger.declare import Ledger
from safety.ledger.rows import EntryRow, shape_of

COLUMNS = "id, thread, kind, ledger, entry, period, line, text, writer, written_at"
NOTES = f"select {COLUMNS} from inspection_note where school = $1 order by written_at, id"  # noqa: S608
THREAD = f"select {COLUMNS} from inspection_note where school = $1 and thread = $2 order by written_at, id"  # noqa: S608
OWN = f"""select school, {COLUMNS} from inspection_note where thread in
(select thread from inspection_note where id = thread and kind = 'query' and written_by = $1)
order by written_at, id"""  # noqa: S608
SAMPLE_COLUMNS = """id, period, ledger, size, seed, population, population_digest, chosen, drawer, drawn_at"""
SAMPLES = f"select {SAMPLE_COLUMNS} from inspection_sample where school = $1 order by drawn_at desc, id desc"  # noqa: S608
SAMPLE = f"select {SAMPLE_COLUMNS} from inspection_sample where school = $1 and id = $2"  # noqa: S608


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One note; see `tables.Note`."""

    id: UUID
    thread: UUID
    kind: str
    ledger: str
    entry: UUID | None
    period: str
    line: str
    text: str
    writer: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Thread:
    """A comment or a query with all that followed, oldest first. `waits_for`: school, bureau, or empty."""

    notes: Sequence[NoteLine]

    @property
    def first(self) -> NoteLine:
        return self.notes[0]

    @property
    def is_open(self) -> bool:
        return is_open([note.kind for note in self.notes])

    @property
    def waits_for(self) -> str:
        return waits_for([note.kind for note in self.notes])


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A sample as it was drawn."""

    id: UUID
    period: str
    ledger: str
    size: int
    seed: str
    population: int
    population_digest: str
    chosen: tuple[Drawn, ...]
    drawer: str
    drawn_at: datetime


@dataclass(frozen=True, slots=True)
class Looked:
    """An entry of a sample as it is now, with its threads. `row` is None only if the ledger is no longer kept."""

    ledger: Ledger | None
    entry: UUID
    row: EntryRow | None
    threads: Sequence[Thread]


# ---------------------------------------------------------------- notes
async def threads(scope: Scope, school_id: int) -> list[Thread]:
    """A school's threads: those that wait for somebody first, then by their last note, newest first."""
    _in_scope(scope, school_id)
    found: dict[UUID, list[NoteLine]] = {}
    for row in await fetch_tuples(None, NOTES, [school_id]):
        note = NoteLine(*row)
        found.setdefault(note.thread, []).append(note)
    by_last = sorted(map(Thread, found.values()), key=lambda t: t.notes[-1].written_at, reverse=True)
    return sorted(by_last, key=lambda t: not t.is_open)


async def own_queries(scope: Scope) -> list[tuple[int, Thread]]:
    """(school, thread) of every query that the viewer began and that is not settled; what waits for the school first,
    then oldest first. Schools that have left the viewer's scope are left out.
    """
    found: dict[tuple[int, UUID], list[NoteLine]] = {}
    for school, *row in await fetch_tuples(None, OWN, [scope.account_id]):
        note = NoteLine(*row)
        found.setdefault((school, note.thread), []).append(note)
    every = [(school, Thread(notes)) for (school, _), notes in found.items() if scope.may(school)]
    return sorted((item for item in every if item[1].is_open), key=lambda item: item[1].waits_for != "school")


async def thread(scope: Scope, school_id: int, thread_id: UUID) -> list[NoteLine]:
    """One thread, oldest note first. NotFound if the school has none of that id."""
    _in_scope(scope, school_id)
    rows = await fetch_tuples(None, THREAD, [school_id, thread_id])
    if not rows:
        raise NotFound
    return [NoteLine(*row) for row in rows]


async def open_queries(school_ids: Iterable[int]) -> dict[int, int]:
    """How many queries wait for each school's answer, of schools that the viewer was already let in to."""
    ids = sorted(school_ids)
    if not ids:
        return {}
    rows = await fetch_tuples(
        None,
        "select school, thread, kind from inspection_note where school between $1 and $2 order by written_at, id",
        [ids[0], ids[-1]],
    )
    kinds: dict[tuple[int, UUID], list[str]] = {}
    for school, thread_id, kind in rows:
        kinds.setdefault((school, thread_id), []).append(kind)
    found = dict.fromkeys(ids, 0)
    for (school, _), several in kinds.items():
        if school in found:
            found[school] += waits_for(several) == "school"
    return found


# ---------------------------------------------------------------- samples
async def population(school_id: int, period: Period, ledger: str) -> list[Drawn]:
    """Every standing entry of a quarter's days, of one ledger or (empty) of all."""
    found: list[Drawn] = []
    for item in in_use.registry():
        if ledger in {"", item.name}:
            sql = (
                f"select e.id from {shape_of(item).table} e where e.school = $1 "  # noqa: S608
                "and e.happened_on between $2 and $3 and e.superseded_by is null and e.voided_at is null"
            )
            rows = await fetch_tuples(None, sql, [school_id, period.start, period.end])
            found += [(item.name, row[0]) for row in rows]
    return found


async def samples(scope: Scope, school_id: int) -> list[SampleRow]:
    """A school's samples, newest first."""
    _in_scope(scope, school_id)
    return [_sample(row) for row in await fetch_tuples(None, SAMPLES, [school_id])]


async def sample(scope: Scope, school_id: int, sample_id: UUID) -> SampleRow:
    """One of them. Raises NotFound."""
    _in_scope(scope, school_id)
    rows = await fetch_tuples(None, SAMPLE, [school_id, sample_id])
    if not rows:
        raise NotFound
    return _sample(rows[0])


async def looked(scope: Scope, school_id: int, found: SampleRow) -> list[Looked]:
    """The entries of a sample in the order drawn; the notes on them beside."""
    ledgers = {item.name: item for item in in_use.registry()}
    on: dict[UUID | None, list[Thread]] = {}
    for item in await threads(scope, school_id):
        on.setdefault(item.first.entry, []).append(item)
    lines = []
    for name, entry_id in found.chosen:
        ledger = ledgers.get(name)
        row = await ledger_queries.entry(scope, ledger, school_id, entry_id) if ledger else None
        lines.append(Looked(ledger, entry_id, row, on.get(entry_id, ())))
    return lines


async def drawn_again(school_id: int, found: SampleRow) -> bool | None:
    """Whether drawing it again gives the same; None where entries have since been added, corrected or voided."""
    now = await population(school_id, Period.parse(found.period), found.ledger)
    if population_digest(now) != found.population_digest:
        return None
    return tuple(draw(now, found.size, found.seed)) == found.chosen


async def entry_of(scope: Scope, school_id: int, ledger: str, entry_id: UUID) -> EntryRow:
    """An entry by its ledger's name. Raises NotFound."""
    known = {item.name: item for item in in_use.registry()}
    if ledger not in known:
        raise NotFound
    return await ledger_queries.entry(scope, known[ledger], school_id, entry_id)


def _sample(row: tuple[Any, ...]) -> SampleRow:
    id_, period, ledger, size, seed, population_, digest, chosen, drawer, drawn_at = row
    drawn = tuple((name, UUID(entry)) for name, entry in json.loads(chosen))
    return SampleRow(id_, period, ledger, size, seed, population_, digest, drawn, drawer, drawn_at)


def _in_scope(scope: Scope, school_id: int) -> None:
    if not scope.may(school_id):
        raise NotFound

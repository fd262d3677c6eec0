"""Tallies: what a school's entries come to per line and due date, kept in the transaction of every write.

`refresh` re-measures the windows that a write touches, `rebuild` a whole quarter; both go through the same reader and
the same rules, so that a rebuild must find what the writes left.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import attrgetter
from typing import Any

from safety import in_use
from safety.calendar import Period
from safety.clock import local_day
from safety.database import execute_many, fetch_tuples, transaction
from safety.duties import Window, windows
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger
from safety.ledger.evidence import Reader
from safety.ledger.feeds import feeds_by_line
from safety.measures import Measured, Row
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.scoring import LineTallies, settled_until

UPSERT = """insert into tally (school, line, day, extra, on_time, late, backfilled, amount, whole)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (school, line, day) do update set extra = excluded.extra, on_time = excluded.on_time,
late = excluded.late, backfilled = excluded.backfilled, amount = excluded.amount, whole = excluded.whole"""
DELETE = "delete from tally where school = $1 and line = $2 and day = $3"
DELETE_ALL = "delete from tally where school = $1 and day between $2 and $3"
SETTLED = """select school, line, sum(extra), sum(on_time), sum(late), sum(backfilled), sum(amount), sum(whole)
from tally where school between $1 and $2 and day between $3 and $4 group by school, line"""
ALL = """select school, line, day, extra, on_time, late, backfilled, amount, whole from tally
where school = $1 and day between $2 and $3"""
RECENT = """select school, line, day, extra, on_time, late, backfilled, amount, whole from tally
where school between $1 and $2 and day > $3 and day <= $4"""
LONGEST = 3
"""How many quarters on an entry's occurrence may fall due: a term or half-year ends at most three quarters later."""

Tallies = Mapping[str, LineTallies]


def lines_touched(ledger: Ledger) -> tuple[str, ...]:
    """The lines that a ledger's rows bear on: its own, and those of ledgers that look at its rows."""
    feeds = feeds_by_line(in_use.registry())
    own = {feed.line for feed in ledger.feeds}
    return tuple(
        line
        for line, (_, feed) in feeds.items()
        if line in own or any(need.ledger == ledger.name for need in feed.needs)
    )


@dataclass
class _Noted:
    """What writes touched and nobody has measured yet: school → line → local days."""

    days: dict[int, dict[str, set[date]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(set))
    )
    until: datetime | None = None

    def note(self, lines: Iterable[str], school_id: int, days: Iterable[date], now: datetime) -> None:
        for line in lines:
            self.days[school_id][line].update(days)
        self.until = now if self.until is None else max(self.until, now)


_noted: ContextVar[_Noted | None] = ContextVar("tallies noted", default=None)


@asynccontextmanager
async def deferred() -> AsyncIterator[None]:
    """One transaction of many writes: what they touch is noted, and measured once before the transaction ends.

    Nothing outside sees the tallies in between; inside the block they are not to be read.
    """
    async with transaction():
        noted = _Noted()
        token = _noted.set(noted)
        try:
            yield
        finally:
            _noted.reset(token)
        for school_id, touched in noted.days.items():
            assert noted.until is not None
            await _refresh(school_id, touched, noted.until)


async def refresh(ledger: Ledger, school_id: int, days: Iterable[date], now: datetime) -> None:
    """Bring the tallies up to a write on these local days, inside its transaction."""
    touched, lines = frozenset(days), lines_touched(ledger)
    noted = _noted.get()
    if noted is not None:
        noted.note(lines, school_id, touched, now)
    else:
        await _refresh(school_id, dict.fromkeys(lines, touched), now)


async def _refresh(school_id: int, touched: Mapping[str, Iterable[date]], now: datetime) -> None:
    facts = await school_facts(school_id)
    for period, spans in sorted(_spans(facts, touched).items()):
        await _refresh_spans(facts, period, spans, now)


def _spans(
    facts: SchoolFacts, touched: Mapping[str, Iterable[date]]
) -> dict[Period, dict[str, list[Window]]]:
    """The windows that hold a touched day, in order, by the quarter in which they fall due and by line."""
    found: dict[Period, dict[str, set[Window]]] = {}
    for line, days in touched.items():
        for day in days:
            for period, window in _holding(facts, line, day):
                found.setdefault(period, {}).setdefault(line, set()).add(window)
    return {
        period: {line: sorted(windows, key=attrgetter("due")) for line, windows in lines.items()}
        for period, lines in found.items()
    }


def _holding(facts: SchoolFacts, line: str, day: date) -> tuple[tuple[Period, Window], ...]:
    """A line's windows that hold a day, each with its quarter; kept with the facts, since every write asks for them."""
    key, standards = ("holding", line, day), in_use.standards()
    kept: Any = facts.memo.get(key)
    if kept is None or kept[0] is not standards:
        found = (
            (period, window)
            for period in _periods(day)
            for window in windows(line, facts, period, Rulebook.of(standards, period).duties)
            if window.start <= day <= window.end
        )
        kept = facts.memo[key] = standards, tuple(found)
    holding: tuple[tuple[Period, Window], ...] = kept[1]
    return holding


def _periods(day: date) -> Iterable[Period]:
    """The quarters in which an occurrence that holds the day may fall due."""
    period = Period.of(day).previous()
    for _ in range(LONGEST + 2):
        yield period
        period = period.next()


async def _refresh_spans(
    facts: SchoolFacts, period: Period, spans: Mapping[str, Sequence[Window]], now: datetime
) -> None:
    reader = Reader(in_use.registry(), period, Rulebook.of(in_use.standards(), period), now)
    measured = await reader.measure(facts, spans)
    for line, due_windows in spans.items():
        rows = {row.day: row for row in measured[line].rows}
        for due in {window.due for window in due_windows} | rows.keys():
            await _write(facts.id, line, due, rows.get(due))


async def _write(school_id: int, line: str, due: date, row: Row | None) -> None:
    if row is None:
        await fetch_tuples(None, DELETE, [school_id, line, due])
    else:
        await fetch_tuples(None, UPSERT, _values(school_id, row))


def _values(school_id: int, row: Row) -> list[object]:
    return [
        school_id, row.line, row.day, row.extra, row.on_time, row.late, row.backfilled, row.amount, row.whole,
    ]  # fmt: skip


async def recompute(
    schools: Iterable[SchoolFacts], period: Period, now: datetime
) -> dict[int, dict[str, Measured]]:
    """Schools' quarter measured from their entries, without touching the tallies; a few dozen at a time is best."""
    reader = Reader(in_use.registry(), period, Rulebook.of(in_use.standards(), period), now)
    return await reader.measure_many({facts: reader.all_windows(facts) for facts in schools})


async def rebuild(school_id: int, period: Period, now: datetime) -> None:
    """Make a school's tallies of a quarter anew from its entries, in one transaction."""
    async with transaction():
        facts = await school_facts(school_id)
        measured = (await recompute([facts], period, now))[school_id]
        await fetch_tuples(None, DELETE_ALL, [school_id, period.start, period.end])
        rows = [_values(school_id, row) for found in measured.values() for row in found.rows]
        await execute_many(None, UPSERT, rows)


async def rebuild_all(school_id: int, now: datetime) -> None:
    """After a change of the calendar, classes or profile: every quarter that has tallies or entries, and this one."""
    days = await fetch_tuples(
        None,
        'select min(day) as "a [date]", max(day) as "b [date]" from tally where school = $1',
        [school_id],
    )
    first, last = days[0]
    period, until = (
        Period.of(min(first or local_day(now), local_day(now))),
        max(last or local_day(now), local_day(now)),
    )
    while period.start <= until:
        await rebuild(school_id, period, now)
        period = period.next()


async def tallies_of(school_ids: Sequence[int], period: Period, at: datetime) -> dict[int, Tallies]:
    """The kept tallies of a quarter by school and line, summed by the database where nothing is open any more."""
    if not school_ids:
        return {}
    until = min(settled_until(at), period.end)
    bounds = [min(school_ids), max(school_ids)]
    found: dict[int, dict[str, LineTallies]] = {school: {} for school in school_ids}
    for school, line, *sums in await fetch_tuples(None, SETTLED, [*bounds, period.start, until]):
        if school in found:
            found[school][line] = LineTallies({}, Row(line, until, *map(int, sums)), until)
    for school, line, day, *counts in await fetch_tuples(None, RECENT, [*bounds, until, period.end]):
        if school in found:
            kept = found[school].setdefault(line, LineTallies({}, Row(line, until), until))
            kept.rows[day] = Row(line, day, *counts)
    return dict(found)


async def rows_of(school_id: int, period: Period) -> dict[str, dict[date, Row]]:
    """The kept tallies of one school's quarter, by line and due date."""
    found: dict[str, dict[date, Row]] = {}
    for _, line, day, *counts in await fetch_tuples(None, ALL, [school_id, period.start, period.end]):
        found.setdefault(line, {})[day] = Row(line, day, *counts)
    return found

"""Reading the rows that lines are measured by. The only place where ledgers' rows turn into marks and tallies.

Many schools are read at once, each ledger with one query, so that a recompute costs little more than a scan. One
school, one window, all schools: the same code.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from safety.calendar import Period
from safety.collector import COLLECTOR_PAUSED
from safety.database import fetch_tuples
from safety.duties import Window, windows
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger, Registry
from safety.ledger.feeds import Feed, Gather, Rows, Stored, StoredEvent, feeds_by_line, measure_line
from safety.measures import Measured, Setting
from safety.rulebook import Rulebook

CURRENT = "e.superseded_by is null and e.voided_at is null"
PAST = "(e.superseded_by is not null or e.voided_at is not null)"
ENTRY = ("id", "happened_on", "recorded_at", "supersedes", "superseded_at", "voided_at")
EVENTS = """select school, chain, kind, value, happened_at, recorded_at from entry_event
where ledger = $1 and school in ({schools}) order by recorded_at"""

Span = tuple[date, date]
Spans = Mapping[str, Sequence[Window]]
Place = tuple[str, Gather | None]
"""A ledger, and the way in which its rows are gathered (None: one by one, with their ids)."""
ROW_BY_ROW = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads schools' rows for a quarter as of an instant. `now`: that instant is now, so what stands suffices.

    `singly`: every entry is read as a row of its own, so that a line can lead back to its entries.
    """

    registry: Registry
    period: Period
    book: Rulebook
    at: datetime
    now: bool = True
    singly: bool = False

    def windows(self, facts: SchoolFacts, line: str) -> tuple[Window, ...]:
        """A line's windows of the quarter at a school."""
        return windows(line, facts, self.period, self.book.duties)

    def all_windows(self, facts: SchoolFacts) -> Spans:
        """Every measured line with its windows of the quarter at a school."""
        return {line: self.windows(facts, line) for line in feeds_by_line(self.registry)}

    async def measure(self, facts: SchoolFacts, spans: Spans | None = None) -> dict[str, Measured]:
        """One school's lines in the windows given for each, or in all of the quarter's."""
        return (await self.measure_many({facts: spans or self.all_windows(facts)}))[facts.id]

    async def measure_many(self, wanted: Mapping[SchoolFacts, Spans]) -> dict[int, dict[str, Measured]]:
        """The same for many schools at once, by their ids."""
        with COLLECTOR_PAUSED:
            rows = {
                place: await self._read(place, [facts.id for facts in wanted], span)
                for place, span in self._places(wanted.values()).items()
            }
            found = {facts.id: self._school(facts, spans, rows) for facts, spans in wanted.items()}
            rows.clear()  # nothing left of them for the collector to look at
        return found

    # ---- measuring
    def _school(
        self, facts: SchoolFacts, spans: Spans, rows: Mapping[Place, Mapping[int, Rows]]
    ) -> dict[str, Measured]:
        feeds = feeds_by_line(self.registry)
        setting = Setting(facts, self.period, self.book.duties, self.at)
        found = {}
        for line, due in spans.items():
            ledger, feed = feeds[line]
            if due:
                own = rows[ledger.name, self._gather(feed)][facts.id]
                side = {name: rows[name, gather][facts.id] for name, gather in self._needs(feed)}
                found[line] = measure_line(line, feed, due, own, side, setting)
            else:
                found[line] = Measured([], [])
        return found

    def _gather(self, feed: Feed) -> Gather | None:
        return ROW_BY_ROW if self.singly or not self.now else feed.gather

    def _needs(self, feed: Feed) -> Iterable[Place]:
        # Nothing leads back to a needed ledger's rows, so that they are gathered whenever they can be.
        return ((need.ledger, need.gather) for need in feed.needs)

    # ---- which rows, of what days
    def _places(self, wanted: Iterable[Spans]) -> dict[Place, Span]:
        """What is to be read, each once, and the span of days that any school needs of it."""
        feeds = feeds_by_line(self.registry)
        found: dict[Place, Span] = {}
        for spans in wanted:
            for line, due in spans.items():
                if due:
                    ledger, feed = feeds[line]
                    first, last = min(w.start for w in due), max(w.end for w in due)
                    for place in ((ledger.name, self._gather(feed)), *self._needs(feed)):
                        before, after = found.get(place, (first, last))
                        found[place] = min(before, first), max(after, last)
        return found

    async def _read(self, place: Place, schools: Sequence[int], span: Span) -> dict[int, Rows]:
        ledger, gather = self.registry[place[0]], place[1]
        events = await self._events(ledger, schools)
        if gather is None:
            stored = await self._stored(ledger, schools, span, "true")
            return {school: Rows(stored[school], events[school]) for school in schools}
        # Later facts are weighed row by row: schools that have any are read so.
        plain = [school for school in schools if not events[school] or not gather.weighs_events]
        gathered = await self._gathered(ledger, gather, plain, span)
        apart = await self._stored(ledger, plain, span, gather.apart) if gather.apart else defaultdict(list)
        rest = [school for school in schools if school not in gathered]
        stored = await self._stored(ledger, rest, span, "true") if rest else apart
        found = {school: Rows(apart[school], events[school], gathered[school], gather) for school in plain}
        return found | {school: Rows(stored[school], events[school]) for school in rest}

    async def _events(self, ledger: Ledger, schools: Sequence[int]) -> dict[int, list[StoredEvent]]:
        found: dict[int, list[StoredEvent]] = defaultdict(list)
        if ledger.events:
            sql = EVENTS.format(schools=_places(len(schools), 1))
            for school, *row in await fetch_tuples(None, sql, [ledger.name, *schools]):
                found[school].append(StoredEvent(*row))
        return found

    # ---- rows one by one
    async def _stored(
        self, ledger: Ledger, schools: Sequence[int], span: Span, where: str
    ) -> dict[int, list[Stored]]:
        """The rows of a span that stand (or, for some ledgers, ever stood), and the versions before them."""
        found: dict[int, list[Stored]] = defaultdict(list)
        if not schools:
            return found
        columns = _columns(ledger)
        head = (
            f"select e.school, {columns} from {ledger.table_name} e where e.happened_on between $1 and $2"  # noqa: S608
            f" and e.school in ({_places(len(schools), 2)}) and ({where})"
        )
        args = [*span, *schools]
        rows = await fetch_tuples(None, f"{head} and {CURRENT}", args)
        if ledger.whole_history or not self.now:
            rows += await fetch_tuples(None, f"{head} and {PAST}", args)
        rows += await self._before(ledger, rows)
        for school, *row in rows:
            found[school].append(stored_row(row))
        return found

    async def _before(self, ledger: Ledger, rows: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The versions that rows replaced, and those before, back to the first."""
        at = 1 + ENTRY.index("supersedes")
        missing = {row[at] for row in rows if row[at] is not None}
        if missing:
            missing -= {row[1] for row in rows}
        found: list[tuple[Any, ...]] = []
        while missing:
            step = await self._by_id(ledger, missing)
            found += step
            missing = {row[at] for row in step if row[at] is not None} - {row[1] for row in found}
        return found

    async def _by_id(self, ledger: Ledger, ids: Iterable[UUID]) -> list[tuple[Any, ...]]:
        wanted = list(ids)
        sql = (
            f"select e.school, {_columns(ledger)} from {ledger.table_name} e"  # noqa: S608
            f" where e.id in ({_places(len(wanted), 0)})"
        )
        return await fetch_tuples(None, sql, wanted)

    # ---- rows gathered by the database
    async def _gathered(
        self, ledger: Ledger, gather: Gather, schools: Sequence[int], span: Span
    ) -> dict[int, list[tuple[Any, ...]]]:
        found: dict[int, list[tuple[Any, ...]]] = {school: [] for school in schools}
        if schools:
            sql = gather_sql(ledger.table_name, gather, len(schools))
            rows = await fetch_tuples(None, sql, [*span, *schools])
            for school, own in groupby(rows, itemgetter(0)):
                found[school] += own
        return found


def _places(count: int, after: int) -> str:
    return ", ".join(f"${after + n + 1}" for n in range(count))


def _columns(ledger: Ledger) -> str:
    return ", ".join(f"e.{name}" for name in (*ENTRY, *ledger.feed_columns))


def stored_row(row: Sequence[Any]) -> Stored:
    """A row read as `ENTRY` and then the ledger's feed columns."""
    id_, day, recorded_at, supersedes, superseded_at, voided_at, *values = row
    return Stored(id_, day, recorded_at, supersedes, superseded_at, voided_at, tuple(values))


def gather_sql(table: str, gather: Gather, schools: int) -> str:
    """The query of a gather over so many schools: `$1`…`$2` are the days, the rest the schools."""
    apart = f" and not ({gather.apart})" if gather.apart else ""
    group = f" group by e.school, {', '.join(gather.group)}" if gather.group else ""
    rows = (
        f"select e.school, {', '.join(gather.columns)} from {table} e"  # noqa: S608
        f" where e.happened_on between $1 and $2 and e.school in ({_places(schools, 2)})"
        f" and {gather.where}{apart}"
    )
    if gather.whole_history:
        # Asked for apart, since the indexes are parted so too.
        return f"{rows} and {CURRENT}{group} union all {rows} and {PAST}{group}"
    return f"{rows} and {CURRENT}{group}"

"""Reading the rows that a line is measured by. The only place where a ledger's rows turn into marks and tallies."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import Window, windows
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger, Registry
from safety.ledger.feeds import Feed, Gather, Rows, Stored, StoredEvent, feeds_by_line, marks_of
from safety.measures import Mark, Measured, Setting
from safety.rulebook import Rulebook

CURRENT = "e.superseded_by is null and e.voided_at is null"
PAST = "(e.superseded_by is not null or e.voided_at is not null)"
ENTRY = ("id", "happened_on", "recorded_at", "supersedes", "superseded_at", "voided_at")
EVENTS = """select chain, kind, value, happened_at, recorded_at from entry_event
where school = $1 and ledger = $2 order by recorded_at"""

Span = tuple[date, date]


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one school's rows for a quarter as of an instant. `now`: that instant is now, so marks of state suffice.

    `singly`: every entry is read as a row of its own, so that a line can lead back to its entries.
    """

    registry: Registry
    facts: SchoolFacts
    period: Period
    book: Rulebook
    at: datetime
    now: bool = True
    singly: bool = False

    @property
    def setting(self) -> Setting:
        return Setting(self.facts, self.period, self.book.duties, self.at)

    def windows(self, line: str, days: frozenset[date] | None = None) -> tuple[Window, ...]:
        """The line's windows of the quarter; with `days`, only those that hold one of them."""
        found = windows(line, self.facts, self.period, self.book.duties)
        if days is None:
            return found
        return tuple(w for w in found if any(w.start <= day <= w.end for day in days))

    def all_windows(self) -> dict[str, Sequence[Window]]:
        """Every measured line with its windows of the quarter."""
        return {line: self.windows(line) for line in feeds_by_line(self.registry)}

    async def measure(self, spans: Mapping[str, Sequence[Window]]) -> dict[str, Measured]:
        """The tallies and fills of lines in the windows given for each."""
        feeds = feeds_by_line(self.registry)
        rows = await self._rows_of([(line, *feeds[line]) for line in spans if spans[line]], spans)
        return {line: self._measure(line, spans[line], rows, *feeds[line]) for line in spans}

    def _measure(
        self,
        line: str,
        spans: Sequence[Window],
        rows: dict[tuple[str, str], Rows],
        ledger: Ledger,
        feed: Feed,
    ) -> Measured:
        if not spans:
            return Measured([], [])
        own = rows[_place(ledger, feed, self.singly)]
        marks = marks_of(own, feed.read, self.setting) if feed.read else []
        side = {name: rows[name, ""] for name in feed.needs}
        return feed.measure(line, spans, marks, self.setting, side)

    # ---- which rows, of what days
    async def _rows_of(
        self, wanted: list[tuple[str, Ledger, Feed]], spans: Mapping[str, Sequence[Window]]
    ) -> dict[tuple[str, str], Rows]:
        """Rows by (ledger, "" or the line that has its own way of gathering them), each read once."""
        days: dict[tuple[str, str], list[Window]] = defaultdict(list)
        for line, ledger, feed in wanted:
            days[_place(ledger, feed, self.singly)] += spans[line]
            for name in feed.needs:
                days[name, ""] += spans[line]
        gathers = {_place(ledger, feed, self.singly): feed.gather for _, ledger, feed in wanted}
        found = {}
        for place, within in days.items():
            span = min(w.start for w in within), max(w.end for w in within)
            found[place] = await self._read(
                self.registry[place[0]], span, gathers.get(place) if place[1] else None
            )
        return found

    async def _read(self, ledger: Ledger, span: Span, gather: Gather | None) -> Rows:
        events = await self._events(ledger)
        if gather is None:
            return Rows(await self._stored(ledger, span, "true"), events)
        gathered = await self._gathered(ledger, span, gather)
        apart = await self._stored(ledger, span, gather.apart) if gather.apart else []
        return Rows(apart, events, gathered)

    async def _events(self, ledger: Ledger) -> list[StoredEvent]:
        if not ledger.events:
            return []
        rows = await fetch_tuples(None, EVENTS, [self.facts.id, ledger.name])
        return [StoredEvent(*row) for row in rows]

    # ---- rows one by one
    async def _stored(self, ledger: Ledger, span: Span, where: str) -> list[Stored]:
        """The rows of a span that stand (or, for some ledgers, ever stood), and the versions before them."""
        columns = ", ".join(f"e.{name}" for name in (*ENTRY, *ledger.feed_columns))
        table = ledger.table_name
        head = f"select {columns} from {table} e where e.school = $1 and e.happened_on between $2 and $3"  # noqa: S608
        args = [self.facts.id, *span]
        rows = await fetch_tuples(None, f"{head} and {where} and {CURRENT}", args)
        if ledger.whole_history or not self.now:
            rows += await fetch_tuples(None, f"{head} and {where} and {PAST}", args)
        stored = [stored_row(row) for row in rows]
        return stored + await self._before(ledger, stored, columns)

    async def _before(self, ledger: Ledger, stored: list[Stored], columns: str) -> list[Stored]:
        known = {row.id for row in stored}
        found: list[Stored] = []
        missing = {row.supersedes for row in stored if row.supersedes} - known
        while missing:
            step = await self._by_id(ledger, missing, columns)
            found += step
            known |= {row.id for row in step}
            missing = {row.supersedes for row in step if row.supersedes} - known
        return found

    async def _by_id(self, ledger: Ledger, ids: Iterable[UUID | None], columns: str) -> list[Stored]:
        wanted = list(ids)
        places = ", ".join(f"${n + 1}" for n in range(len(wanted)))
        table = ledger.table_name
        rows = await fetch_tuples(
            None,
            f"select {columns} from {table} e where e.id in ({places})",  # noqa: S608
            wanted,
        )
        return [stored_row(row) for row in rows]

    # ---- rows gathered by the database
    async def _gathered(self, ledger: Ledger, span: Span, gather: Gather) -> list[Mark]:
        sql = _gather_sql(ledger.table_name, gather)
        rows = await fetch_tuples(None, sql, [self.facts.id, *span])
        if gather.counted:
            return [Mark(None, day, None, on, many=many) for day, on, many in rows]
        return [Mark(None, day, unit, on) for day, unit, on in rows]


def _place(ledger: Ledger, feed: Feed, singly: bool) -> tuple[str, str]:
    return ledger.name, feed.line if feed.gather is not None and not singly else ""


def stored_row(row: Sequence[Any]) -> Stored:
    """A row read as `ENTRY` and then the ledger's feed columns."""
    id_, day, recorded_at, supersedes, superseded_at, voided_at, *values = row
    return Stored(id_, day, recorded_at, supersedes, superseded_at, voided_at, tuple(values))


def _gather_sql(table: str, gather: Gather) -> str:
    """The most timely day of recording per day and unit; `counted` goes on to the number of units per such day."""
    joined = "join school_class c on c.id = e.school_class" if gather.by_class else ""
    exists = "and e.happened_on between c.first_day and c.last_day" if gather.by_class else ""
    unit = f", e.{gather.unit}" if gather.unit else ""
    rows = (
        f"from {table} e {joined} where e.school = $1 and e.happened_on between $2 and $3 {exists} "
        f"and {gather.where} and {CURRENT} group by e.happened_on{unit}"
    )
    if not gather.counted:
        named = f"e.{gather.unit}" if gather.unit else "null"
        return f'select e.happened_on, {named}, min(e.timed_on) as "timed [date]" {rows}'
    inner = f"select e.happened_on as day, min(e.timed_on) as timed {rows}"
    return f'select day as "day [date]", timed as "timed [date]", count(*) from ({inner}) x group by 1, 2'  # noqa: S608

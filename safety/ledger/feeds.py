"""How a ledger's rows become the marks of a line (PURE).

A slice declares one `Feed` per line that its ledger answers. Rows come in as they were read; what they say at an
instant, which versions came before, and whether they satisfy the line's own conditions, is decided here.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from safety.clock import local_day
from safety.duties import Window
from safety.measures import Mark, Measured, Setting, Version


class Stored(NamedTuple):
    """A row of a ledger: what every entry has, and `values` in the order of the ledger's feed columns."""

    id: UUID
    day: date
    recorded_at: datetime
    supersedes: UUID | None
    superseded_at: datetime | None
    voided_at: datetime | None
    values: tuple[Any, ...]

    def stands_at(self, at: datetime) -> bool:
        """Whether it was recorded, and neither superseded nor voided, at an instant."""
        superseded, voided = self.superseded_at, self.voided_at
        return (
            self.recorded_at <= at
            and (superseded is None or superseded > at)
            and (voided is None or voided > at)
        )


class StoredEvent(NamedTuple):
    """A later fact of the entry whose first version is `chain`."""

    chain: UUID
    kind: str
    value: str
    happened_at: datetime
    recorded_at: datetime


@dataclass
class Rows:
    """The rows of one ledger in a span, earlier versions included, with their events.

    `gathered` are the tuples of `gather`, the school's id first, of rows that are not among the stored ones. `memo`
    keeps what several lines make of the same rows.
    """

    stored: list[Stored] = field(default_factory=list)
    events: list[StoredEvent] = field(default_factory=list)
    gathered: list[tuple[Any, ...]] = field(default_factory=list)
    gather: "Gather | None" = None

    def __post_init__(self) -> None:
        self.memo: dict[str, Any] = {}
        self._by_id = {row.id: row for row in self.stored}
        self._events: dict[UUID, list[StoredEvent]] = defaultdict(list)
        for event in sorted(self.events, key=lambda e: e.recorded_at):
            self._events[event.chain].append(event)

    def earlier(self, row: Stored) -> tuple[Stored, ...]:
        """The versions before a row, oldest first."""
        found: list[Stored] = []
        before = row.supersedes
        while before is not None and before in self._by_id:
            found.append(self._by_id[before])
            before = found[-1].supersedes
        return tuple(reversed(found))

    def events_of(self, row: Stored, at: datetime) -> Sequence[StoredEvent]:
        """The later facts of a row's chain that were recorded by an instant."""
        if not self._events:
            return ()
        return [event for event in self.all_events_of(row) if event.recorded_at <= at]

    def all_events_of(self, row: Stored) -> Sequence[StoredEvent]:
        """The later facts of a row's chain, in the order in which they were recorded."""
        if not self._events:
            return ()
        versions = self.earlier(row)
        return self._events.get(versions[0].id if versions else row.id, ())


class Reading(NamedTuple):
    """What one version of an entry says for a line. `valid`: it satisfies the line's own conditions."""

    unit: Any = None
    amount: int = 0
    valid: bool = True
    extra: object = None


Read = Callable[[Stored, Sequence[StoredEvent], Setting], Reading]
Side = Mapping[str, Rows]
Measure = Callable[[str, Sequence[Window], Sequence[Mark], Setting, Side], Measured]


@dataclass(frozen=True, slots=True)
class Gather:
    """A leaner way to read a ledger's rows, where a line does not have to lead back to them.

    SQL over the ledger's table `e`: the school and then `columns` (grouped by `group`, where given) of the rows that
    stand (with `whole_history` of all) and satisfy `where`; see `packed` for many rows as one. Rows for which `apart`
    holds are read one by one instead, as are all of a school that has later facts, if the gather `weighs_events`.
    `marks` makes marks of the tuples.
    """

    columns: tuple[str, ...]
    marks: "Callable[[Sequence[tuple[Any, ...]], Setting], Sequence[Mark]] | None" = None
    group: tuple[str, ...] = ()
    where: str = "true"
    apart: str | None = None
    whole_history: bool = False
    weighs_events: bool = False


CORRECTED = "e.supersedes is not null"
"""Rows that replace others: timed by their whole chain, and so read one by one."""


@dataclass(frozen=True, slots=True)
class Need:
    """Another ledger whose rows a measure looks at, and how they are read."""

    ledger: str
    gather: Gather | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """One line that a ledger answers, and how. `needs` are the ledgers whose rows the measure looks at besides.

    `share` names those of the gathered marks that are of the line, where several lines share a gather.
    """

    line: str
    measure: Measure
    read: Read | None = None
    needs: tuple[Need, ...] = ()
    gather: Gather | None = None
    share: Hashable = None


def marks_of(rows: Rows, feed: Feed, setting: Setting) -> list[Mark]:
    """The valid entries at the instant looked from, each with its earlier versions; gathered ones as they came."""
    if feed.read is None:
        return []
    return [*_gathered_marks(rows, feed, setting), *_stored_marks(rows, feed.read, setting)]


def _gathered_marks(rows: Rows, feed: Feed, setting: Setting) -> Iterable[Mark]:
    if rows.gather is None or rows.gather.marks is None:
        return ()
    if feed.share is None:
        return rows.gather.marks(rows.gathered, setting)
    if "shares" not in rows.memo:
        rows.memo["shares"] = _shared(rows.gather.marks(rows.gathered, setting))
    shares: dict[Hashable, list[Mark]] = rows.memo["shares"]
    return shares.get(feed.share, ())


def _shared(marks: Iterable[Mark]) -> dict[Hashable, list[Mark]]:
    found: dict[Hashable, list[Mark]] = defaultdict(list)
    for mark in marks:
        found[mark.share].append(mark)
    return found


def _stored_marks(rows: Rows, read: Read, setting: Setting) -> list[Mark]:
    marks = []
    for row in rows.stored:
        if not row.stands_at(setting.at):
            continue
        reading = read(row, rows.events_of(row, setting.at), setting)
        recorded_on = local_day(row.recorded_at)
        # What was recorded before it happened says nothing: nobody can attest to what is still to come.
        if reading.valid and recorded_on >= row.day:
            history = () if row.supersedes is None else _history(rows, row, read, setting)
            marks.append(
                Mark(
                    id=row.id,
                    day=row.day,
                    unit=reading.unit,
                    recorded_on=recorded_on,
                    recorded_at=row.recorded_at,
                    amount=reading.amount,
                    history=history,
                    extra=reading.extra,
                )
            )
    return marks


def _history(rows: Rows, row: Stored, read: Read, setting: Setting) -> tuple[Version, ...]:
    weighed = _weighed(rows, row, setting)
    return tuple(_version(version, read, setting, weighed) for version in rows.earlier(row))


def _weighed(rows: Rows, row: Stored, setting: Setting) -> Sequence[StoredEvent]:
    # Later facts never move an entry's time, so versions are judged by their own values alone; but a correction made
    # after the close cannot restore what a later fact had undone by then.
    return rows.events_of(row, setting.frozen_at) if local_day(row.recorded_at) > setting.closes else ()


def _version(row: Stored, read: Read, setting: Setting, events: Sequence[StoredEvent]) -> Version:
    said = read(row, events, setting)
    recorded_on = local_day(row.recorded_at)
    valid = said.valid and recorded_on >= row.day
    return Version(row.day, said.unit, recorded_on, row.recorded_at, said.amount, valid, said.extra)


def measure_line(
    line: str, feed: Feed, due: Sequence[Window], own: Rows, side: Side, setting: Setting
) -> Measured:
    """What a line comes to in these windows: its own ledger's rows, and those of the ledgers that its feed needs."""
    if not due:
        return Measured([], [])
    return feed.measure(line, due, marks_of(own, feed, setting), setting, side)


def alone(
    measure: Callable[[str, Sequence[Window], Sequence[Mark], Setting], Measured],
) -> Measure:
    """A measure that looks at its own marks only."""

    def work(
        line: str, spans: Sequence[Window], marks: Sequence[Mark], setting: Setting, side: Side
    ) -> Measured:
        del side
        return measure(line, spans, marks, setting)

    return work


@cache
def feeds_by_line(ledgers: Iterable[Any]) -> dict[str, tuple[Any, Feed]]:
    """Line → (ledger, feed), over a registry's ledgers. ValueError if two ledgers answer one line."""
    found: dict[str, tuple[Any, Feed]] = {}
    for ledger in ledgers:
        for feed in ledger.feeds:
            if feed.line in found:
                raise ValueError(f"{feed.line} is answered by {found[feed.line][0].name} and {ledger.name}")
            found[feed.line] = ledger, feed
    return found

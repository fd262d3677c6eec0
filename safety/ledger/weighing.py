"""How entries were timed, for lists, pages and programs: by the row alone, or by scoring where that does not do."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from uuid import UUID

from safety import in_use
from safety.calendar import Period
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger
from safety.ledger.evidence import Reader
from safety.ledger.rows import EntryRow
from safety.ledger.timing import NAMES, UNCOUNTED, Timing, timing_of_row
from safety.measures import Measured
from safety.rulebook import Rulebook


async def timings_of(
    ledger: Ledger, facts: SchoolFacts, rows: Iterable[EntryRow], now: datetime
) -> dict[UUID, Timing]:
    """The timings of those entries that answer something due; one that was corrected or voided answers nothing."""
    found = {row.id: timing for row in rows if row.stands and (timing := timing_of_row(ledger, facts, row))}
    weighed = {feed.line for feed in ledger.feeds if any(need.ledger != ledger.name for need in feed.needs)}
    sure = {id_: timing for id_, timing in found.items() if timing.line not in weighed}
    doubtful = {id_: timing for id_, timing in found.items() if timing.line in weighed}
    return sure | await _weighed(facts, doubtful, now)


async def _weighed(facts: SchoolFacts, timings: Mapping[UUID, Timing], now: datetime) -> dict[UUID, Timing]:
    """What scoring makes of entries whose worth hangs on another ledger: a zero-report on that day's incidents, a
    check-in on the roster. Left out is what nothing hangs on: another entry answers the day, no slot is served.
    """
    dues: dict[tuple[str, Period], set[date]] = defaultdict(set)
    for timing in timings.values():
        dues[timing.line, Period.of(timing.due)].add(timing.due)
    names: dict[UUID, str] = {}
    for (line, period), days in dues.items():
        reader = Reader(in_use.registry(), period, Rulebook.of(in_use.standards(), period), now, singly=True)
        spans = [window for window in reader.windows(facts, line) if window.due in days]
        names |= _named((await reader.measure(facts, {line: spans}))[line])
    return {id_: replace(timing, name=names[id_]) for id_, timing in timings.items() if id_ in names}


def _named(measured: Measured) -> dict[UUID, str]:
    beside = {entry.entry: UNCOUNTED for entry in measured.beside}
    return beside | {fill.entry: NAMES[fill.timing] for fill in measured.fills}

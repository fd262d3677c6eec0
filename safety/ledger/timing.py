"""Whether one entry came on time, late or backfilled, for lists and pages; scoring itself goes by the measures."""

from dataclasses import dataclass
from datetime import date, datetime

from safety import in_use
from safety.calendar import Period
from safety.clock import day_start
from safety.duties import Window, close_day, windows
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger
from safety.ledger.feeds import Feed, Stored
from safety.ledger.rows import EntryRow
from safety.measures import BACKFILLED, LATE, ON_TIME, Setting, timing_of
from safety.rulebook import Rulebook

NAMES = {ON_TIME: "on-time", LATE: "late", BACKFILLED: "backfilled"}
UNCOUNTED = "uncounted"
AHEAD = 3
"""How many quarters after an entry's own its occurrence may fall due: a term ends at most three later."""


@dataclass(frozen=True, slots=True)
class Timing:
    """How an entry was timed for the first line that it answers: `name` is on-time, late, backfilled or uncounted.

    On time up to `until`; `by_close`: the quarter's close set that day, before the grace was over.
    """

    name: str
    line: str
    due: date
    until: date
    by_close: bool


def timing_of_row(ledger: Ledger, facts: SchoolFacts, row: EntryRow) -> Timing | None:
    """None for an entry that answers nothing due (a reminder on a Sunday, a sample of 50 g)."""
    if not ledger.feeds:
        return None
    stored = stored_of(ledger, row)
    for feed in ledger.feeds:
        found = _for_line(feed, facts, stored, row.timed_on)
        if found is not None:
            return found
    return None


def _for_line(feed: Feed, facts: SchoolFacts, stored: Stored, timed_on: date) -> Timing | None:
    if feed.read is None:
        return None
    for period in _periods(stored.day):
        book = Rulebook.of(in_use.standards(), period)
        window = _holding(windows(feed.line, facts, period, book.duties), stored.day)
        if window is not None:
            setting = Setting(facts, period, book.duties, day_start(stored.day))
            if not feed.read(stored, (), setting).valid:
                return None
            closes = close_day(period)
            name = NAMES[timing_of(timed_on, window.grace_until, closes)]
            return Timing(name, feed.line, window.due, window.in_time_until(closes), window.is_cut_by(closes))
    return None


def _holding(spans: tuple[Window, ...], day: date) -> Window | None:
    return next((window for window in spans if window.start <= day <= window.end), None)


def _periods(day: date) -> list[Period]:
    """An entry's own quarter, the later ones in which its occurrence may fall due, and the one before (a Saturday
    after the last school day of a quarter still belongs to that week).
    """
    own = Period.of(day)
    found = [own]
    for _ in range(AHEAD):
        found.append(found[-1].next())
    return [*found, own.previous()]


def stored_of(ledger: Ledger, row: EntryRow) -> Stored:
    """A version as the measures read it."""
    said = {item.column: row.values.get(item.name) for item in ledger.fields}
    values = tuple(said.get(column) for column in ledger.feed_columns)
    at: datetime = row.recorded_at
    return Stored(row.id, row.happened_on, at, row.supersedes, row.superseded_at, row.voided_at, values)

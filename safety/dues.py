"""What is due at a school, read: the windows of a day laid against the entries that answer them."""

from collections.abc import Mapping
from datetime import date, datetime

from safety import in_use
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.due import Due, Line, listed, relevant, unfinished
from safety.duties import windows
from safety.duty.feeds import ROSTER, SLOT_COLUMNS, rostered
from safety.facts import SchoolFacts
from safety.ledger.evidence import ENTRY, Reader, stored_row
from safety.ledger.feeds import Rows, feeds_by_line
from safety.ledger.tallies import LONGEST, rows_of
from safety.places.facts import school_facts
from safety.rulebook import Rulebook

_COLUMNS = ", ".join(f"e.{name}" for name in (*ENTRY, *SLOT_COLUMNS))
SLOTS = f"select {_COLUMNS} from duty_slot e where e.school = $1 and e.happened_on between $2 and $3"  # noqa: S608


async def dues(school_id: int, day: date, now: datetime) -> list[Due]:
    """Every occurrence that is open or overdue at a school on a day, by the entries as they stand now; earliest
    limit first. Raises NotFound.
    """
    facts = await school_facts(school_id)
    found: list[Due] = []
    period = Period.of(day)
    for _ in range(LONGEST + 1):
        found += await _in_period(facts, period, day, now)
        period = period.next()
    return sorted(found, key=lambda item: (item.until, item.line, item.due))


async def _in_period(facts: SchoolFacts, period: Period, day: date, now: datetime) -> list[Due]:
    """Those whose due date falls in one quarter."""
    registry, book = in_use.registry(), Rulebook.of(in_use.standards(), period)
    feeds = feeds_by_line(registry)
    begun = {line: relevant(windows(line, facts, period, book.duties), day, period) for line in feeds}
    # What is finished need not be read again: the tallies know it.
    kept = await rows_of(facts.id, period) if any(begun.values()) else {}
    spans = {
        line: unfinished(line, found, kept.get(line, {}), facts, book.duties, day)
        for line, found in begun.items()
    }
    spans = {line: found for line, found in spans.items() if found}
    if not spans:
        return []
    measured = await Reader(registry, period, book, now, singly=True).measure(facts, spans)
    roster = await _roster(facts.id, period, day) if registry.get(ROSTER) else None
    found: list[Due] = []
    for line, due in spans.items():
        ledger, _ = feeds[line]
        posts = rostered(roster, line.removeprefix("duty.")) if roster else {}
        known = Line(line, ledger.name, ledger.writers, measured[line], posts)
        found += listed(known, due, facts, period, book.duties, day)
    return found


async def _roster(school: int, period: Period, day: date) -> Rows:
    rows = await fetch_tuples(None, SLOTS, [school, period.start, min(period.end, day)])
    return Rows([stored_row(row) for row in rows])


async def names_of(found: list[Due]) -> Mapping[int, str]:
    """The names of the people who are rostered."""
    ids = sorted({item.person for item in found if item.person is not None})
    if not ids:
        return {}
    places = ", ".join(f"${n + 1}" for n in range(len(ids)))
    return dict(await fetch_tuples(None, f"select id, name from account where id in ({places})", ids))  # noqa: S608

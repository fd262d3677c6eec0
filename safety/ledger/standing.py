"""What an entry's page says of it beyond what it holds: whether it counts, and what is still to be done about it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from uuid import UUID

from safety import in_use
from safety.calendar import Period
from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger, Remark
from safety.ledger.evidence import Reader
from safety.ledger.feeds import Rows, StoredEvent
from safety.ledger.queries import Detail
from safety.ledger.timing import Timing, stored_of
from safety.rulebook import Rulebook


async def uncounted(
    ledger: Ledger, facts: SchoolFacts, timings: Mapping[UUID, Timing], now: datetime
) -> frozenset[UUID]:
    """Those of some timed entries that are on record and yet do not count, whenever they came: what another ledger
    says of their day is against them (a zero-report made after that day's incident was discovered).
    """
    weighed = {feed.line for feed in ledger.feeds if any(need.ledger != ledger.name for need in feed.needs)}
    dues: dict[tuple[str, Period], set[date]] = defaultdict(set)
    for timing in timings.values():
        if timing.line in weighed:
            dues[timing.line, Period.of(timing.due)].add(timing.due)
    found: set[UUID] = set()
    for (line, period), days in dues.items():
        reader = Reader(in_use.registry(), period, Rulebook.of(in_use.standards(), period), now, singly=True)
        spans = [window for window in reader.windows(facts, line) if window.due in days]
        measured = await reader.measure(facts, {line: spans})
        found |= {beside.entry for beside in measured[line].beside}
    return frozenset(found & timings.keys())


def remarks_on(
    ledger: Ledger, facts: SchoolFacts, found: Detail, now: datetime, *, counts: bool
) -> Sequence[Remark]:
    """What a reader must know beside an entry that stands; nothing of one that was corrected or voided."""
    if not found.entry.stands:
        return ()
    chain = found.versions[0].id
    events = [StoredEvent(chain, e.kind, e.value, e.happened_at, e.recorded_at) for e in found.events]
    history = Rows([stored_of(ledger, version) for version in found.versions], events)
    kept = () if counts else (Remark("uncounted", kind="bad"),)
    return (*kept, *ledger.remarks(found.entry.values, facts), *ledger.outlook(history, now))

"""What an entry's page says of it beyond what it holds: whether it counts, and what is still to be done about it."""

from collections.abc import Sequence
from datetime import datetime

from safety.facts import SchoolFacts
from safety.ledger.declare import Ledger, Remark
from safety.ledger.feeds import Rows, StoredEvent
from safety.ledger.queries import Detail
from safety.ledger.timing import UNCOUNTED, stored_of


def remarks_on(ledger: Ledger, facts: SchoolFacts, found: Detail, now: datetime) -> Sequence[Remark]:
    """What a reader must know beside an entry that stands; nothing of one that was corrected or voided."""
    if not found.entry.stands:
        return ()
    chain = found.versions[0].id
    events = [StoredEvent(chain, e.kind, e.value, e.happened_at, e.recorded_at) for e in found.events]
    history = Rows([stored_of(ledger, version) for version in found.versions], events)
    uncounted = found.timing is not None and found.timing.name == UNCOUNTED
    kept = (Remark("uncounted", kind="bad"),) if uncounted else ()
    return (*kept, *ledger.remarks(found.entry.values, facts), *ledger.outlook(history, now))

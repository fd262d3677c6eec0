"""Every night the tallies are laid against the entries they came from."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime

from safety.calendar import Period
from safety.clock import local_day
from safety.collector import COLLECTOR_PAUSED
from safety.database import fetch_tuples
from safety.ledger.tallies import rebuild, recompute
from safety.places.facts import facts_of

log = logging.getLogger(__name__)

KEPT = """select line, day, extra, on_time, late, backfilled, amount, whole from tally
where school = $1 and day between $2 and $3"""

Counts = dict[tuple[str, date], tuple[int, ...]]
Differing = Callable[[Sequence[int], Period, datetime], Awaitable[Sequence[int]]]
"""Of some schools those whose tallies of a quarter differ from their entries: `differing`, or several doing it."""


async def compare_tallies(now: datetime, among: Differing | None = None) -> int:
    """Recompute this quarter and the last of every school; mend and report what differs. Returns how many did.

    `among` looks through all schools first; what it names is looked at again here before it is called wrong, since
    somebody may have saved meanwhile.
    """
    look, current = among or one_by_one, Period.of(local_day(now))
    schools = [int(id_) for (id_,) in await fetch_tuples(None, "select id from school order by id")]
    mended = 0
    for period in (current.previous(), current):
        for suspect in await look(schools, period, now):
            mended += await _mend(suspect, period, now)
    return mended


async def one_by_one(school_ids: Sequence[int], period: Period, now: datetime) -> list[int]:
    """A school at a time, so that whoever else is served by this process need not wait for many."""
    return [school for id_ in school_ids for school in await differing([id_], period, now)]


async def differing(school_ids: Sequence[int], period: Period, now: datetime) -> list[int]:
    """The schools whose tallies of a quarter are not what their entries come to; a few dozen at a time is best."""
    with COLLECTOR_PAUSED:
        facts = await facts_of(school_ids)
        measured = await recompute(facts.values(), period, now)
        found = {
            school: {
                (row.line, row.day): (row.extra, row.on_time, row.late, row.backfilled, row.amount, row.whole)
                for line in lines.values()
                for row in line.rows
            }
            for school, lines in measured.items()
        }
    return [school for school in facts if await _kept(school, period) != found[school]]


async def _mend(school_id: int, period: Period, now: datetime) -> int:
    if not await differing([school_id], period, now):
        return 0
    # Never expected: a write's own transaction keeps them. The score must be right in the morning all the same.
    log.error("tallies of school %s, %s, differed from its entries and were made anew", school_id, period)
    await rebuild(school_id, period, now)
    return 1


async def _kept(school_id: int, period: Period) -> Counts:
    rows = await fetch_tuples(None, KEPT, [school_id, period.start, period.end])
    return {(line, day): tuple(counts) for line, day, *counts in rows}

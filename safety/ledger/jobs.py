"""Every night the tallies are laid against the entries they came from."""

import logging
from datetime import date, datetime

from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.ledger.tallies import rebuild, recompute
from safety.places.facts import school_facts

log = logging.getLogger(__name__)

KEPT = """select line, day, extra, on_time, late, backfilled, amount, whole from tally
where school = $1 and day between $2 and $3"""

Counts = dict[tuple[str, date], tuple[int, ...]]


async def compare_tallies(now: datetime) -> int:
    """Recompute this quarter and the last of every school; mend and report what differs. Returns how many did."""
    current = Period.of(local_day(now))
    schools = await fetch_tuples(None, "select id from school order by id")
    mended = 0
    for (school_id,) in schools:
        for period in (current.previous(), current):
            mended += await _compare(int(school_id), period, now)
    return mended


async def _compare(school_id: int, period: Period, now: datetime) -> int:
    found = await _recomputed(school_id, period, now)
    if await _kept(school_id, period) == found:
        return 0
    # Never expected: a write's own transaction keeps them. The score must be right in the morning all the same.
    log.error("tallies of school %s, %s, differed from its entries and were made anew", school_id, period)
    await rebuild(school_id, period, now)
    return 1


async def _recomputed(school_id: int, period: Period, now: datetime) -> Counts:
    measured = (await recompute([await school_facts(school_id)], period, now))[school_id]
    return {
        (row.line, row.day): (row.extra, row.on_time, row.late, row.backfilled, row.amount, row.whole)
        for found in measured.values()
        for row in found.rows
    }


async def _kept(school_id: int, period: Period) -> Counts:
    rows = await fetch_tuples(None, KEPT, [school_id, period.start, period.end])
    return {(line, day): tuple(counts) for line, day, *counts in rows}

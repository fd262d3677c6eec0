"""The job that seals roll-ups: each morning it looks which bureaus' day has come."""

from collections.abc import Sequence
from datetime import datetime

from reports.press import Press
from reports.rollup.actions import seal_due
from reports.rollup.due import AT
from safety.calendar import Period
from safety.clock import local_day
from safety.duties import close_at
from safety.jobs.rules import Job, Slot, nightly

JOB = "rollups"


def slots(since: datetime, until: datetime) -> Sequence[Slot]:
    """Every morning, once a quarter has closed since this installation began: of earlier ones nothing is known here."""
    last = Period.of(local_day(until)).previous()
    return nightly(AT)(since, until) if close_at(last) > since else []


def rollups(press: Press) -> Job:
    """Seals what is due; a morning on which nothing ran is made up for at the next one, or at start."""

    async def work(slot: Slot, now: datetime) -> int:
        del slot
        return await seal_due(press.data, now, test_clock=press.test_clock)

    return Job(JOB, slots, work)

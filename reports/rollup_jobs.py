"""The job that seals roll-ups: each morning it looks which bureaus' day has come."""

from datetime import datetime

from reports.press import Press
from reports.rollup_actions import seal_due
from reports.rollup_due import AT
from safety.jobs.rules import Job, Slot, nightly

JOB = "rollups"


def rollups(press: Press) -> Job:
    """Seals what is due; a morning on which nothing ran is made up for at the next one, or at start."""

    async def work(slot: Slot, now: datetime) -> int:
        del slot
        return await seal_due(press.data, now, test_clock=press.test_clock)

    return Job(JOB, nightly(AT), work)

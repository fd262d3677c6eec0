"""The jobs of this slice: the quarter's close, and the delivery of what waits."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from reports.actions import seal
from reports.delivery.actions import LOOK_AGAIN_SECONDS, Progress, deliver_waiting
from reports.delivery.alerts import alert
from reports.press import Press
from safety.calendar import Period
from safety.clock import Clock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.errors import Conflict
from safety.jobs.actions import run_slot
from safety.jobs.queries import done_slots
from safety.jobs.rules import Job, Slot, quarter_closes

log = logging.getLogger(__name__)

CLOSE = "quarter-close"
# A school that keeps its records on an instance of its own seals there.
UNSEALED = """select s.id from school s where not exists
(select 1 from school_return r where r.school = s.id and r.period = $1) and not exists
(select 1 from peer p where p.kind = 'return' and p.code = s.code and p.revoked_at is null) order by s.id"""


@dataclass(frozen=True, slots=True)
class Closed:
    """What a close came to. `failed`: messages that were not delivered yet, each with its error; they are retried."""

    period: Period
    sealed: int = 0
    delivered: int = 0
    failed: dict[UUID, str] = field(default_factory=dict)


def quarter_close(press: Press, progress: Progress | None = None) -> Job:
    """The job that closes each quarter at 24:00 of its last day."""

    async def work(slot: Slot, now: datetime) -> int:
        return (await close(press, Period.parse(slot.key), now, progress)).sealed

    return Job(CLOSE, quarter_closes, work)


async def close(press: Press, period: Period, now: datetime, progress: Progress | None = None) -> Closed:
    """Freeze every school's quarter that is not frozen yet, then deliver what waits. To be repeated at will.

    Freezing comes first for all: it takes a moment each, drawing takes seconds.
    Raises Conflict (`quarter-open`) before the close.
    """
    if now < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    schools = [int(id_) for (id_,) in await fetch_tuples(None, UNSEALED, [period.id])]
    sealed = 0
    for number, school in enumerate(schools, start=1):
        sealed += await seal(school, period, now, test_clock=press.test_clock)
        if progress:
            progress("seal", number, len(schools))
    round_ = await deliver_waiting(press, now, period=period, everything=True, progress=progress)
    return Closed(period, sealed, round_.delivered, round_.failed)


async def deliver_due(press: Press, now: datetime) -> int:
    """Deliver what is due for its next attempt; returns how many arrived. What waits for long is told the operator."""
    found = await deliver_waiting(press, now)
    await alert(press, now)
    return found.delivered


async def close_quarter(
    press: Press, period: Period, clock: Clock, progress: Progress | None = None
) -> Closed:
    """What `return close` does: take up the quarter's slot like the job, wait while another process has it, and deliver
    what still waits. On a closed quarter it changes nothing.
    """
    if clock.now() < close_at(period):
        raise Conflict("quarter-open", {"period": period.id})
    slot = Slot(close_at(period), period.id)
    done = Closed(period)

    async def work(slot: Slot, now: datetime) -> int:
        nonlocal done
        del slot
        done = await close(press, period, now, progress)
        return done.sealed

    job = Job(CLOSE, quarter_closes, work)
    while (outcome := await run_slot(job, slot, clock, press.owner, forced=True)) == "held":
        if slot.key in await done_slots(CLOSE):
            return await _deliver_rest(press, period, clock.now(), progress)
        await asyncio.sleep(LOOK_AGAIN_SECONDS)
    if outcome == "failed":
        raise Conflict("close-failed", {"period": period.id})
    return done


async def _deliver_rest(press: Press, period: Period, now: datetime, progress: Progress | None) -> Closed:
    rest = await deliver_waiting(press, now, period=period, everything=True, progress=progress)
    return Closed(period, 0, rest.delivered, rest.failed)

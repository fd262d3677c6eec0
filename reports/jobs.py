"""The jobs of this slice: the quarter's close, and the delivery of what waits."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from reports.actions import seal
from reports.delivery import Press, Progress, deliver_waiting
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.errors import Conflict
from safety.jobs.rules import Job, Slot, quarter_closes

CLOSE = "quarter-close"
UNSEALED = """select s.id from school s where not exists
(select 1 from school_return r where r.school = s.id and r.period = $1) order by s.id"""


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
    """Deliver what is due for its next attempt; returns how many arrived."""
    return (await deliver_waiting(press, now)).delivered

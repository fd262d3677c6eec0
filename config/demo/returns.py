"""The end of a quarter: principals sign, returns are sealed, drawn and received."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from config.demo.acts import DemoSchool, at
from config.demo.texts import REMARKS
from reports import queries
from reports.actions import seal, sign
from reports.delivery import peers
from reports.delivery.actions import Progress, deliver_waiting
from reports.jobs import close_quarter
from reports.press import Press
from reports.rollup.actions import seal_due
from reports.rollup.due import AT
from reports.sealing.keys import pem, signing_key
from safety.calendar import Period
from safety.clock import FixedClock
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.ids import new_id

SOON = timedelta(seconds=20)
TRIES = 3
WAITING = """select posted_at from outbox where state = 'waiting' and bureau is not null
order by posted_at limit 1"""
UNDELIVERED = """select count(*) from outbox o join school_return r on r.id = o.subject
where o.state = 'waiting' and r.period = $1"""


@dataclass(frozen=True, slots=True)
class Sign:
    """The principal looks at the draft and signs it."""

    period: Period
    comment: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        scope = await school.town.scope(school.staff.principal, now)
        draft = await queries.draft_of(school.id, self.period, now)
        key = str(new_id())
        await sign(scope, school.id, self.period, draft.facts_digest, now, key=key, comment=self.comment)


def plan_quarter(school: DemoSchool, period: Period) -> None:
    """Most sign on the last evening, some two days before, so that something changes afterwards; some never do."""
    if school.plan.profile.habits.signs:
        day = period.end - timedelta(days=2 * (school.plan.number % 3 == 0))
        remark = REMARKS[school.plan.number % len(REMARKS)]
        school.will(school.some_time(day, 20), Sign(period, remark))


async def close(
    press: Press | None, schools: Sequence[DemoSchool], period: Period, progress: Progress
) -> None:
    """What the job does at the close. Without a press the returns are sealed and wait to be delivered."""
    now = close_at(period) + SOON
    if press is not None:
        await close_quarter(press, period, FixedClock(now), progress)
        for _ in range(TRIES):
            # A busy machine may be too slow for a document; the job would try again, so does the demo.
            if not await undelivered(period):
                break
            await deliver_waiting(press, now, period=period, everything=True, progress=progress)
        return
    for number, school in enumerate(schools, start=1):
        await seal(school.id, period, now)
        progress("seal", number, len(schools))


async def follow(press: Press, days: Sequence[date], progress: Progress) -> None:
    """What the jobs do in the days after a close: roll-ups on their day, and whatever waits goes out at once."""
    for day in days:
        await seal_due(press.data, at(day, AT.hour))
    for (posted_at,) in await fetch_tuples(None, WAITING):
        await deliver_waiting(press, posted_at + SOON, everything=True, progress=progress)


async def enrol_elsewhere(press: Press, code: str, now: datetime) -> None:
    """A school that keeps an instance of its own may send from it. Its key is made for this and thrown away, so that
    nothing ever comes.
    """
    with TemporaryDirectory() as folder:
        certificate = pem(signing_key(Path(folder), code).certificate).decode()
    await peers.add(None, code, certificate, press.data, now)


async def undelivered(period: Period) -> int:
    """How many returns of a quarter still wait."""
    return int((await fetch_tuples(None, UNDELIVERED, [period.id]))[0][0])

"""What becomes of a quarter's returns once they were received: accepted, sent back, corrected, adjusted, appealed."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from config.demo.acts import DemoSchool
from config.demo.texts import ADJUSTED, APPEALED, CORRECTED, SENT_BACK
from reports.bureau import adjustments
from reports.life import actions as life
from reports.life import standing
from reports.life.decisions import Ruling, decide
from reports.life.rules import ACCEPTED, RETURNED
from safety.access.scope import Scope
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.ids import new_id

ITEM = "select id from inbox_item where school_code = $1 and period = $2 order by version desc limit 1"
OWN = "select total from school_return where school = $1 and period = $2 order by version desc limit 1"
LESS = 350
"""How many hundredths of a point the bureau takes off."""
CORRECTS, APPEALS, OWES = 0, 1, 2
"""Numbers of schools: whose return is sent back and comes again, whose score is adjusted, which does not answer."""


def plan_quarter(school: DemoSchool, period: Period, *, last: bool) -> None:
    """From the ninth day after a close on. Earlier quarters are done with; of the `last` one some things are open."""
    day = period.end + timedelta(days=9)
    number = school.plan.number
    if last and number == CORRECTS:
        school.will(school.some_time(day, 9), Decide(period, Ruling(RETURNED, SENT_BACK[0])))
        school.will(school.some_time(day + timedelta(days=4), 15), Correct(period, CORRECTED))
    elif last and number == APPEALS:
        school.will(school.some_time(day, 10), Adjust(period, ADJUSTED))
        school.will(school.some_time(day + timedelta(days=3), 14), Appeal(period, APPEALED))
    elif last and number == OWES:
        school.will(school.some_time(day, 11), Decide(period, Ruling(RETURNED, SENT_BACK[1])))
    elif not last or number % 2:
        school.will(school.some_time(day, 14), Decide(period, Ruling(ACCEPTED)))


async def _clerk(school: DemoSchool, now: datetime) -> Scope:
    return await school.town.scope(school.town.people["clerk"], now)


@dataclass(frozen=True, slots=True)
class Decide:
    """The county's clerk decides on the newest version that was received."""

    period: Period
    ruling: Ruling

    async def do(self, school: DemoSchool, now: datetime) -> None:
        item = (await fetch_tuples(None, ITEM, [school.plan.code, self.period.id]))[0][0]
        await decide(await _clerk(school, now), item, self.ruling, now, key=str(new_id()))


@dataclass(frozen=True, slots=True)
class Correct:
    """The officer opens the correction, and the principal signs the next version."""

    period: Period
    reason: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        officer = await school.town.scope(school.staff.officer, now)
        await life.open_correction(officer, school.id, self.period, self.reason, now, key=str(new_id()))
        principal = await school.town.scope(school.staff.principal, now)
        newest = (await standing.versions(principal, school.id, self.period))[0]
        opened = await standing.correction_of(newest)
        assert opened is not None
        draft = await life.next_draft(principal, school.id, self.period, opened, now)
        await life.make_version(
            principal, school.id, self.period, draft.facts_digest, self.reason, now,
            key=str(new_id()), knows_unchanged=True,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adjust:
    """The clerk puts a score of the bureau's beside the school's own."""

    period: Period
    reason: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        own = (await fetch_tuples(None, OWN, [school.id, self.period.id]))[0][0]
        clerk = await _clerk(school, now)
        await adjustments.adjust(clerk, school.id, self.period, own - LESS, self.reason, str(new_id()), now)


@dataclass(frozen=True, slots=True)
class Appeal:
    """The school's principal appeals against it; the answer is left to whoever tries the demo."""

    period: Period
    text: str

    async def do(self, school: DemoSchool, now: datetime) -> None:
        principal = await school.town.scope(school.staff.principal, now)
        await adjustments.appeal(principal, school.id, self.period, self.text, str(new_id()), now)

"""Reminders to sign: when the draft opens, at its midpoint and the day before it ends, and when a clerk wants to.

They go to schools whose principal has not signed, and to no other. A reminder stands on the first page of officer and
principal until the sign-off is there or the quarter is closed. Accounts hold no addresses, so none goes out by mail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from reports.actions import DRAFT_DAYS, may_be_drafted
from safety.access.scope import Scope
from safety.audit.actions import append
from safety.calendar import Period
from safety.clock import ZONE, local_day
from safety.database import fetch_tuples, transaction
from safety.errors import Conflict, NotAllowed, NotFound
from safety.ids import new_id
from safety.jobs.rules import Job, Slot
from safety.web.calls import Call

JOB = "reminders"
AT = time(8)
SLOTS = {"opening": DRAFT_DAYS, "midpoint": DRAFT_DAYS // 2, "last": 1}
"""Each reminder, and how many days before the quarter's last day it is sent."""

UNSIGNED = """select s.id from school s where not exists
(select 1 from sign_off o where o.school = s.id and o.period = $1) order by s.id"""
REMINDED = "select school from reminder where period = $1 and slot = $2"
KEEP = """insert into reminder (id, school, period, slot, made_at, made_by, maker)
values ($1, $2, $3, $4, $5, $6, $7) on conflict (school, period, slot) do nothing returning id"""
STANDING = """select r.slot, r.made_at, r.maker from reminder r where r.school = $1 and r.period = $2 and not exists
(select 1 from sign_off o where o.school = r.school and o.period = r.period) order by r.made_at desc limit 1"""


# ---------------------------------------------------------------- when
def slots(since: datetime, until: datetime) -> list[Slot]:
    """The reminder due last, if its quarter is still open: one that a later one has overtaken is not sent any more."""
    period = Period.of(local_day(until))
    due = [Slot(_due(period, days), f"{period.id}-{name}") for name, days in SLOTS.items()]
    return [slot for slot in due if since < slot.due_at <= until][-1:]


def _due(period: Period, days: int) -> datetime:
    day = period.end - timedelta(days=days)
    return datetime.combine(day, AT, tzinfo=ZONE).astimezone(UTC)


async def remind_by_itself(slot: Slot, now: datetime) -> int:
    """Remind every school that has not signed; how many were."""
    period, _, name = slot.key.partition("-")
    quarter = Period.parse(period)
    if not may_be_drafted(quarter, now):
        return 0
    rows = await fetch_tuples(None, UNSIGNED, [quarter.id])
    return await _remind([school for (school,) in rows], quarter, name, None, now)


REMINDERS = Job(JOB, slots, remind_by_itself)


# ---------------------------------------------------------------- a clerk reminds
async def unsigned(school_ids: Sequence[int], period: Period) -> list[int]:
    """Those of the schools whose principal has not signed the quarter's draft."""
    wanted = set(school_ids)
    rows = await fetch_tuples(None, UNSIGNED, [period.id])
    return [school for (school,) in rows if school in wanted]


async def remindable(school_ids: Sequence[int], period: Period, today: date) -> list[int]:
    """Those of them that no clerk has reminded today either."""
    rows = await fetch_tuples(None, REMINDED, [period.id, today.isoformat()])
    reminded = {school for (school,) in rows}
    return [school for school in await unsigned(school_ids, period) if school not in reminded]


async def remind(scope: Scope, bureau_id: int, school_ids: Sequence[int], now: datetime) -> int:
    """Remind those of a bureau's schools that have not signed, at most once a day; how many were.

    Raises NotFound out of scope; NotAllowed but for the bureau's clerks; Conflict (`draft-not-open`, `reminded-today`,
    `all-signed`).
    """
    if not scope.may_bureau(bureau_id):
        raise NotFound
    if not any(role.name == "clerk" and bureau_id in role.bureaus for role in scope.roles):
        raise NotAllowed("clerk-only")
    today = local_day(now)
    period = Period.of(today)
    if not may_be_drafted(period, now):
        raise Conflict("draft-not-open", {"days": DRAFT_DAYS})
    if not await unsigned(school_ids, period):
        raise Conflict("all-signed")
    chosen = [school for school in await remindable(school_ids, period, today) if scope.may(school)]
    sent = await _remind(chosen, period, today.isoformat(), scope, now)
    if not sent:
        raise Conflict("reminded-today")
    return sent


async def _remind(schools: Sequence[int], period: Period, slot: str, by: Scope | None, now: datetime) -> int:
    # A transaction for each school: nobody is kept waiting while hundreds are written, and repeating does no harm.
    sent = 0
    who = (None, "") if by is None else (by.account_id, by.name)
    for school in schools:
        async with transaction():
            if await fetch_tuples(None, KEEP, [new_id(), school, period.id, slot, now, *who]):
                await append(school, by, "return.reminded", f"returns/{period.id}", {"slot": slot}, now)
                sent += 1
    return sent


# ---------------------------------------------------------------- what stands on the first page
@dataclass(frozen=True, slots=True)
class Standing:
    """The last reminder of a draft that is still open and not signed; `maker` is empty for one sent by itself."""

    slot: str
    made_at: datetime
    maker: str


async def standing(school_id: int, now: datetime) -> Standing | None:
    """The reminder that a school has to see now."""
    period = Period.of(local_day(now))
    if not may_be_drafted(period, now):
        return None
    rows = await fetch_tuples(None, STANDING, [school_id, period.id])
    return Standing(*rows[0]) if rows else None


async def calls(scope: Scope, school_id: int, code: str, now: datetime) -> list[Call]:
    """What the first page tells officer and principal of a school."""
    if not {"officer", "principal"} & scope.roles_at(school_id):
        return []
    found = await standing(school_id, now)
    if found is None:
        return []
    period = Period.of(local_day(now))
    key = f"reminder.{found.slot}" if found.slot in SLOTS else "reminder.clerk"
    values = {"period": period.id, "day": period.end, "name": found.maker}
    return [Call(key, values, f"/schools/{code}/returns/{period.id}", "reminder.open")]

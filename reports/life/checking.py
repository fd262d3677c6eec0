"""Gathers what the scan of a draft looks at, and runs it."""

from datetime import date, datetime

from reports import queries
from reports.document import ReturnDocument
from reports.life.preflight import POSTS, Around, Finding, Mend, Open, Step, preflight
from safety import in_use
from safety.access.scope import Scope
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.dues import dues, names_of
from safety.errors import NotFound
from safety.facts import SchoolFacts
from safety.ledger.queries import people_by_id
from safety.web import tasks

PRINCIPALS = """select count(distinct a.id) from role_grant g join account a on a.id = g.account
where g.school = $1 and g.role = 'principal' and a.disabled_at is null
and (g.from_day is null or g.from_day <= $2) and (g.until_day is null or g.until_day >= $2)"""
ROSTERED = """select distinct post, happened_on as "day [date]" from duty_slot where school = $1
and happened_on between $2 and $3 and superseded_by is null and voided_at is null"""


async def checked(
    scope: Scope, school_id: int, period: Period, now: datetime
) -> tuple[ReturnDocument, tuple[Finding, ...]]:
    """The open draft, and what is wrong with it or worth a look, the gravest first. NotFound out of scope."""
    if not scope.may(school_id):
        raise NotFound
    found, draft = await queries.drafted(school_id, period, now)
    base = f"/schools/{found.facts.code}"
    open_ = await _tasks(found.facts, period, now)
    rows = await fetch_tuples(None, PRINCIPALS, [school_id, local_day(now)])
    rostered = await _rostered(school_id, period, local_day(now))
    return draft, preflight(found, draft, Around(open_, rows[0][0], rostered, base))


async def _tasks(facts: SchoolFacts, period: Period, now: datetime) -> list[Open]:
    """Every open occurrence of the quarter, whomever it concerns, with the way to its form."""
    every = [item for item in await dues(facts.id, local_day(now), now) if item.period == period.id]
    people = await people_by_id({item.person for item in every})
    logins = {number: person.login for number, person in people.items()}
    desk = tasks.Desk(facts, in_use.registry(), in_use.standards(), await names_of(every), logins, now)
    return [_open(task) for several in desk.tasks(every).values() for task in several]


def _open(task: tasks.Task) -> Open:
    return Open(task.line, task.rule.id, task.urgency, task.until, tuple(_step(step) for step in task.steps))


def _step(step: tasks.Step) -> Step:
    due = step.due
    return Step(
        Mend(step.path, due.due, step.name),
        len(step.days),
        due.done,
        due.expected,
        step.ready,
        unrostered=due.unit == "slot" and due.person is None,
    )


async def _rostered(school_id: int, period: Period, today: date) -> dict[str, frozenset[date]]:
    rows = await fetch_tuples(None, ROSTERED, [school_id, today, period.end])
    return {post: frozenset(day for kept, day in rows if kept == post) for post in POSTS.values()}

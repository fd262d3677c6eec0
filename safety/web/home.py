"""The first page after signing in: what is due today, for me, and why."""

from dataclasses import dataclass, replace
from datetime import date, datetime

from litestar import Response, get

from safety import in_use
from safety.access.scope import SCHOOL_ROLES, Scope
from safety.calendar import Period
from safety.clock import local_day
from safety.database import fetch_tuples
from safety.due import Due, for_person
from safety.dues import dues, names_of
from safety.facts import SchoolFacts
from safety.ledger.queries import people_by_id
from safety.places.facts import school_facts
from safety.web.calls import BureauDesk, Call
from safety.web.guards import signed_in
from safety.web.kernel import kernel_of
from safety.web.pages import page
from safety.web.tasks import URGENCIES, Desk, Task
from safety.web.visit import WebRequest, visit_of

BUREAUS = "select id, code, name from bureau order by code"
MANAGERS = ("officer", "principal", "leader")


@dataclass(frozen=True, slots=True)
class SchoolDay:
    """One school's part of the page. `next_day` is the next school day where today is none; `provisional` are the
    years that the quarter rests on and whose holiday notice is not published yet.
    """

    facts: SchoolFacts
    roles: frozenset[str]
    is_school_day: bool
    next_day: date | None
    provisional: tuple[int, ...]
    tasks: dict[str, list[Task]]
    calls: tuple[Call, ...] = ()

    @property
    def manages(self) -> bool:
        return bool(self.roles & set(MANAGERS))

    @property
    def order(self) -> tuple[str, ...]:
        """Who answers for the school sees first what is overdue, everybody else what is for today."""
        return URGENCIES[:3] if self.manages else ("now", "overdue", "later")

    @property
    def clear(self) -> bool:
        return not any(self.tasks[urgency] for urgency in ("overdue", "now"))


@dataclass(frozen=True, slots=True)
class BureauDay:
    """One bureau's part: where its boards are, and what waits there for those who act in its name."""

    code: str
    name: str
    role: str
    desk: BureauDesk | None = None


@get("/", guards=[signed_in()])
async def home(request: WebRequest) -> Response[str]:
    """A section for each school that one works at, and one for each bureau."""
    visit = visit_of(request)
    viewer = visit.viewer
    own = dict.fromkeys(r.school for r in viewer.roles if r.name in SCHOOL_ROLES and r.school is not None)
    schools = [await _called(request, await _school_day(viewer, number, visit.now)) for number in own]
    return page(
        request, "home.html", schools=schools, bureaus=await _bureaus(request), today=local_day(visit.now)
    )


async def _called(request: WebRequest, day: SchoolDay) -> SchoolDay:
    visit, facts = visit_of(request), day.facts
    asked = [
        await caller(visit.viewer, facts.id, facts.code, visit.now) for caller in kernel_of(request).callers
    ]
    return replace(day, calls=tuple(call for several in asked for call in several))


async def _school_day(viewer: Scope, school_id: int, now: datetime) -> SchoolDay:
    today = local_day(now)
    facts = await school_facts(school_id)
    period = Period.of(today)
    mine = for_person(await dues(school_id, today, now), viewer, school_id)
    desk = Desk(
        facts,
        in_use.registry(),
        in_use.standards(),
        await names_of(mine),
        await _logins(mine),
        now,
    )
    return SchoolDay(
        facts=facts,
        roles=viewer.roles_at(school_id),
        is_school_day=facts.calendar.is_school_day(today),
        next_day=facts.calendar.next_school_day(today),
        provisional=facts.calendar.provisional_years(period.start, period.end),
        tasks=desk.tasks(mine),
    )


async def _logins(mine: list[Due]) -> dict[int, str]:
    people = await people_by_id({item.person for item in mine})
    return {number: person.login for number, person in people.items()}


async def _bureaus(request: WebRequest) -> list[BureauDay]:
    """The bureaus in whose name one acts; an administrator's are all there are."""
    visit, draw = visit_of(request), kernel_of(request).desk
    viewer = visit.viewer
    acting = {role.bureau: role.name for role in viewer.roles if role.bureau is not None}
    if not (acting or viewer.admin):
        return []
    rows = await fetch_tuples(None, BUREAUS)
    return [
        BureauDay(
            code,
            name,
            acting.get(number, "clerk"),
            await draw(viewer, number, acting[number] == "inspector", visit.now)
            if draw and number in acting
            else None,
        )
        for number, code, name in rows
        if number in acting or viewer.admin
    ]

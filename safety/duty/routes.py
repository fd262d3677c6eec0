"""The week's roster: who is on which post, entered for several days at once or copied from the week before."""

from datetime import timedelta

from litestar import Response, Router, get, post

from safety.clock import local_day
from safety.duty import rosters
from safety.duty.ledgers import DUTY_SLOTS, POST
from safety.errors import BadInput
from safety.ledger import permission, queries
from safety.ledger.parse import FieldError, read_day
from safety.places.facts import school_facts
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to, page
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
BASE = "/schools/{code:str}/roster"
MAKERS = ("officer", "principal", "leader")


@get(BASE, guards=[at_school(*MAKERS)])
async def roster_page(request: WebRequest) -> Page:
    """A week's slots; `?week=2026-10-12` names any day of it."""
    return await _draw(request, FormState(), [])


async def _draw(request: WebRequest, form: FormState, chosen: list[str], status: int = 200) -> Page:
    visit = visit_of(request)
    facts, today = await school_facts(visit.school), local_day(visit.now)
    monday = rosters.week_shown(request.query_params.get("week", ""), facts, today)
    slots = await rosters.slots_of(visit.viewer, visit.school, monday, visit.now)
    days = rosters.days_of(facts, monday, slots, today)
    people = await queries.people_of(visit.viewer, visit.school)
    mentioned = await queries.people_by_id({slot.values["person"] for slot in slots})
    return page(
        request,
        "roster.html",
        status,
        facts=facts,
        monday=monday,
        days=days,
        before=monday - rosters.WEEK,
        after=monday + rosters.WEEK,
        last=monday + timedelta(days=6),
        has_before=bool(await rosters.slots_of(visit.viewer, visit.school, monday - rosters.WEEK, visit.now)),
        posts=POST.choices,
        post_names={choice.value: choice.label for choice in POST.choices},
        people=people,
        names={number: person.name for number, person in mentioned.items()},
        form=form,
        chosen=chosen,
    )


@post(BASE, guards=[at_school(*MAKERS)], status_code=200)
async def save_roster(request: WebRequest) -> Page:
    """Add a slot on the days ticked, or with `copy` take over last week's."""
    visit = visit_of(request)
    permission.may_write(DUTY_SLOTS, visit.viewer, visit.school)
    typed = await form_values(request)
    days = [str(day) for day in (await request.form()).getall("days", [])]
    try:
        if "copy" in typed:
            monday = read_day(typed["copy"])
            key = typed.get("submission_key", "")
            await rosters.copy_week(visit.viewer, visit.school, rosters.monday_of(monday), key, visit.now)
        else:
            await rosters.add_slots(visit.viewer, visit.school, typed, days, visit.now)
            monday = rosters.monday_of(read_day(days[0]))
    except BadInput as error:
        return await _draw(request, form_state(request, typed, error.problems), days, 400)
    except FieldError as error:
        raise BadInput.one("copy", error.code, **error.values) from error
    here = f"/schools/{request.path_params['code']}/roster?week={monday.isoformat()}"
    return go_to(here, "roster-copied" if "copy" in typed else "roster-saved")


ROUTER = Router("/", route_handlers=[roster_page, save_roster])

"""Returns on screen: a school's own, and the draft that its principal signs."""

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports import actions, queries
from reports.life import standing
from reports.life.pages import show_return
from reports.page_parts import grade_names, send_file
from safety.calendar import Period
from safety.clock import local_day
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.places.facts import school_facts
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to, page
from safety.web.quarters import quarter_named
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
READERS = ("officer", "principal", "leader", "clerk")
"""Inspectors read the same pages under `/inspect/…`, behind the read-only door."""
BUREAU = ("clerk",)


# ---------------------------------------------------------------- a school's returns
@get("/schools/{code:str}/returns", guards=[at_school(*READERS)])
async def school_returns(request: WebRequest, code: FromPath[str]) -> Page:
    """Every sealed return with its receipt, and the way to the draft of the quarter that is ending."""
    return await draw_returns(request, f"/schools/{code}/returns")


async def draw_returns(request: WebRequest, base: str) -> Page:
    """A school's returns, wherever the page stands."""
    visit = visit_of(request)
    current = Period.of(local_day(visit.now))
    return page(
        request,
        "returns.html",
        facts=await school_facts(visit.school),
        base=base,
        current=current,
        open_draft=actions.may_be_drafted(current, visit.now),
        sent=await queries.sent(visit.viewer, visit.school),
        outcomes=await standing.outcomes(visit.viewer, visit.school),
        grade=grade_names(request),
    )


@get("/schools/{code:str}/returns/{period:str}", guards=[at_school(*READERS)])
async def school_return(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """The frozen return of a closed quarter; in the last days before the close, the draft."""
    return await draw_return(request, f"/schools/{code}/returns", period)


async def draw_return(request: WebRequest, base: str, period: str) -> Page:
    """A school's return of a quarter, wherever the page stands."""
    return await show_return(request, base, quarter_named(period, visit_of(request).now), FormState())


@post("/schools/{code:str}/returns/{period:str}", guards=[at_school("principal")], status_code=200)
async def sign(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """The principal's sign-off, bound to the digest of the draft that the page showed."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    values = await form_values(request)
    try:
        if values.get("agreed") != "true":
            raise BadInput.one("agreed", "agreement-needed")
        await actions.sign(
            visit.viewer,
            visit.school,
            quarter,
            values.get("facts_digest", ""),
            visit.now,
            key=values.get("submission_key", ""),
            comment=values.get("comment", ""),
        )
    except BadInput as error:
        return await show_return(
            request, f"/schools/{code}/returns", quarter, form_state(request, values, error.problems), 400
        )
    except Conflict as error:
        # Drawn anew with the draft as it is now; the old key was spent on the old one.
        kept = {name: value for name, value in values.items() if name == "comment"}
        problem = Problem(None, error.code, error.values)
        return await show_return(
            request, f"/schools/{code}/returns", quarter, form_state(request, kept, [problem]), 409
        )
    return go_to(f"/schools/{code}/returns/{quarter.id}", "return-signed")


@get("/schools/{code:str}/returns/{period:str}/pdf", guards=[at_school(*READERS)])
async def return_file(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Response[bytes]:
    """The file as it was delivered. NotFound until its receipt has come."""
    return await send_return(request, code, period)


async def send_return(request: WebRequest, code: str, period: str) -> Response[bytes]:
    """The file of a school's return."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    for item in await queries.sent(visit.viewer, visit.school, quarter):
        if item.bytes_digest is not None:
            name = queries.file_name(code, quarter.id, item.version)
            return await send_file(request, item.bytes_digest, name)
    raise NotFound


ROUTER = Router("/", route_handlers=[school_returns, school_return, sign, return_file])

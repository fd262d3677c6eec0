"""A school's score beside what it would be by the standards of another day: for comparison, in place of nothing."""

from datetime import date

from litestar import Response, Router, get
from litestar.params import FromPath

from safety.clock import local_day
from safety.comparing import comparison
from safety.errors import BadInput
from safety.web.guards import at_school
from safety.web.pages import page
from safety.web.quarters import quarters_of
from safety.web.school_pages import READERS, Door, school_door
from safety.web.visit import WebRequest, visit_of

Page = Response[str]


async def show_comparison(request: WebRequest, door: Door, named: str) -> Page:
    """Line by line; `?day=2026-08-15` chooses whose standards, by default today's."""
    visit = visit_of(request)
    quarters = quarters_of(request, named)
    day = _day_of(request) or local_day(visit.now)
    found = await comparison(visit.school, quarters.shown, day, visit.now, now=True)
    return page(request, "compare.html", door=door, quarters=quarters, facts=found.facts, found=found)


def _day_of(request: WebRequest) -> date | None:
    text = request.query_params.get("day")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise BadInput.one("day", "standards-day", text=str(text)[:20]) from error


@get("/schools/{code:str}/score/{period:str}/compare", guards=[at_school(*READERS)])
async def school_comparison(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """For the school and its bureau."""
    return await show_comparison(request, school_door(code), period)


ROUTER = Router("/", route_handlers=[school_comparison])

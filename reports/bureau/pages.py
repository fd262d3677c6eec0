"""The bureau's pages: the board of all its schools, their incidents, what came late.

They stand at `/bureaus/…` for clerks and at `/inspect/…` for inspectors, there behind the read-only door.
"""

from dataclasses import dataclass

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports.actions import may_be_drafted
from reports.bureau import boards, lateness, reminders
from reports.bureau.desk import desk_of
from reports.rollup.pages import counties, has_way
from reports.rollup.suppression import suppressed
from safety import in_use
from safety.calendar import Period
from safety.clock import local_day
from safety.due import RULED_BY
from safety.duties import close_at
from safety.places.facts import facts_of
from safety.rulebook import Rulebook
from safety.web.guards import at_bureau
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.quarters import quarters_of
from safety.web.score_view import grade_kind
from safety.web.visit import Visit, WebRequest, visit_of

Page = Response[str]
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class BureauDoor:
    """Where the links of a bureau's pages lead."""

    base: str
    schools: str
    bureaus: str
    inspect: bool = False


def bureau_door(code: str) -> BureauDoor:
    return BureauDoor(f"/bureaus/{code}", "/schools", "/bureaus")


async def show_board(request: WebRequest, door: BureauDoor) -> Page:
    """Every school; `?sort=` orders them, `?q=` narrows by name or code."""
    visit = visit_of(request)
    quarters = quarters_of(request)
    data = request.app.state.settings.data
    found = await boards.board(visit.viewer, visit.bureau, quarters.shown, visit.now, data)
    closed = visit.now >= close_at(quarters.shown)
    sort = request.query_params.get("sort", "name")
    search = request.query_params.get("q", "").strip()[:60]
    rows = [
        r for r in boards.sorted_rows(found.rows, sort) if search in r.facts.name or search in r.facts.code
    ]
    return page(
        request,
        "board_bureau.html",
        door=door,
        quarters=quarters,
        board=found,
        rows=rows,
        sort=sort,
        sorts=boards.SORTS,
        search=search,
        kind_of=lambda row: grade_kind(row.grade, found.sheet),
        adjustable=closed and not door.inspect,
        unsigned=await _unsigned(visit, door, quarters.shown),
        desk=await desk_of(
            visit.viewer,
            visit.bureau,
            quarters.shown if closed else quarters.shown.previous(),
            visit.now,
            inspects=door.inspect,
            upward=has_way(request),
        ),
        counties=await counties(visit.bureau, quarters.shown) if closed else [],
        suppressed=suppressed,
    )


async def _unsigned(visit: Visit, door: BureauDoor, period: Period) -> tuple[int, int] | None:
    """How many schools have not signed the open draft, and how many of them a clerk may remind today."""
    if door.inspect or not may_be_drafted(period, visit.now):
        return None
    schools = await boards.schools_below(visit.viewer, visit.bureau)
    waiting = await reminders.unsigned(schools, period)
    return len(waiting), len(await reminders.remindable(schools, period, local_day(visit.now)))


async def show_incidents(request: WebRequest, door: BureauDoor) -> Page:
    """The incidents of a quarter: grade, liability, clocks."""
    visit = visit_of(request)
    quarters = quarters_of(request)
    found = await boards.incidents(visit.viewer, visit.bureau, quarters.shown, visit.now)
    return page(request, "board_incidents.html", door=door, quarters=quarters, incidents=found)


async def show_late(request: WebRequest, door: BureauDoor) -> Page:
    """What came late or after the close across the schools; `?timing=` narrows to a kind, `?school=` to a school."""
    visit, quarters, number = visit_of(request), quarters_of(request), page_number(request)
    facts = await facts_of(await boards.schools_below(visit.viewer, visit.bureau))
    code = request.query_params.get("school", "")
    school = next((item for item in facts.values() if item.code == code), None)
    ids = [school.id] if school else list(facts)
    wanted = request.query_params.get("timing", "")
    wanted = wanted if wanted in lateness.NUMBERS else ""
    sums = await lateness.sums(ids, quarters.shown, visit.now)
    first, last = (number - 1) * PER_PAGE, number * PER_PAGE
    return page(
        request,
        "board_late.html",
        door=door,
        quarters=quarters,
        items=await lateness.late_ones(ids, quarters.shown, wanted, first, last, visit.now),
        sheet=Rulebook.of(in_use.standards(), quarters.shown).sheet,
        shared=RULED_BY,
        sums=sums,
        closed=visit.now >= close_at(quarters.shown),
        kinds=[kind for kind in lateness.NUMBERS if kind],
        total=sums.of(wanted),
        school=school,
        number=number,
        per_page=PER_PAGE,
        wanted=wanted,
    )


# ---------------------------------------------------------------- for the bureau's own people
@get("/bureaus/{code:str}", guards=[at_bureau("clerk")])
async def bureau_board(request: WebRequest, code: FromPath[str]) -> Page:
    """All schools below the bureau, with their scores and returns."""
    return await show_board(request, bureau_door(code))


@get("/bureaus/{code:str}/incidents", guards=[at_bureau("clerk")])
async def bureau_incidents(request: WebRequest, code: FromPath[str]) -> Page:
    """Their incidents of a quarter."""
    return await show_incidents(request, bureau_door(code))


@get("/bureaus/{code:str}/late", guards=[at_bureau("clerk")])
async def bureau_late(request: WebRequest, code: FromPath[str]) -> Page:
    """What of a quarter came late, or after the close."""
    return await show_late(request, bureau_door(code))


@post("/bureaus/{code:str}/reminders", guards=[at_bureau("clerk")], status_code=200)
async def remind(request: WebRequest, code: FromPath[str]) -> Page:
    """Remind the schools that have not signed the quarter's draft; once a day."""
    visit = visit_of(request)
    schools = await boards.schools_below(visit.viewer, visit.bureau)
    await reminders.remind(visit.viewer, visit.bureau, schools, visit.now)
    return go_to(f"/bureaus/{code}", "reminded")


ROUTER = Router("/", route_handlers=[bureau_board, bureau_incidents, bureau_late, remind])

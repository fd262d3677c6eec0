"""Inspectors' pages: everything that a bureau and its schools see of themselves, and nothing that can be pressed.

All of it runs behind the read-only door, whoever asks: `opt` says so, and the reception opens it.
"""

import asyncio
from uuid import UUID

from litestar import Response, Router, get
from litestar.params import FromPath

from reports import queries
from reports import routes as report_routes
from reports.bureau import boards
from reports.bureau.adjustment_routes import draw_adjustments
from reports.bureau.pages import BureauDoor, show_board, show_incidents, show_late
from reports.delivery.routes import draw_bureau_delivery
from reports.life import inbox_routes
from reports.oversight import queries as oversight
from reports.oversight.pack import pack_of
from reports.oversight.routes import Names
from reports.rollup.pages import draw_rollup, send_rollup
from safety.audit import queries as audit
from safety.ledger import entry_routes
from safety.ledger import routes as ledger_routes
from safety.places.facts import facts_of, school_facts
from safety.web import compare_pages, school_pages
from safety.web.guards import at_bureau, at_school, requires
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.quarters import quarter_named
from safety.web.school_pages import Door
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
WHO = ("inspector", "clerk")
READ_ONLY = {"read_only": True}
PER_PAGE = 100


def _bureau(code: str) -> BureauDoor:
    return BureauDoor(f"/inspect/bureaus/{code}", "/inspect/schools", "/inspect/bureaus", inspect=True)


def _school(code: str) -> Door:
    return Door(f"/inspect/schools/{code}", inspect=True)


@get("/inspect", guards=[requires(*WHO)])
async def start(request: WebRequest) -> Page:
    """The bureaus that one inspects; with a single one, its board at once."""
    viewer = visit_of(request).viewer
    own = [role.bureau for role in viewer.roles if role.name in WHO and role.bureau is not None]
    codes = {number: code for code, number in viewer.bureau_codes.items()}
    if len(set(own)) == 1:
        return go_to(f"/inspect/bureaus/{codes[own[0]]}")
    found = [await boards.bureaus_below(viewer, number) for number in dict.fromkeys(own or list(codes))]
    bureaus = {item.id: item for several in found for item in several}
    return page(request, "inspect.html", bureaus=list(bureaus.values()))


@get("/inspect/queries", guards=[requires(*WHO)])
async def own_queries(request: WebRequest) -> Page:
    """The queries that one began and that are not settled, at all the schools that one inspects."""
    visit = visit_of(request)
    found = await oversight.own_queries(visit.viewer)
    facts = await facts_of([school for school, _ in found])
    lines = [(facts[school], thread) for school, thread in found]
    return page(request, "queries.html", lines=lines, names=Names(visit.lang))


@get("/inspect/bureaus/{code:str}", guards=[at_bureau(*WHO)])
async def board(request: WebRequest, code: FromPath[str]) -> Page:
    """All schools below the bureau."""
    return await show_board(request, _bureau(code))


@get("/inspect/bureaus/{code:str}/incidents", guards=[at_bureau(*WHO)])
async def incidents(request: WebRequest, code: FromPath[str]) -> Page:
    """Incidents with their clocks and liability."""
    return await show_incidents(request, _bureau(code))


@get("/inspect/bureaus/{code:str}/late", guards=[at_bureau(*WHO)])
async def late(request: WebRequest, code: FromPath[str]) -> Page:
    """Late and backfilled entries."""
    return await show_late(request, _bureau(code))


@get("/inspect/schools/{code:str}", guards=[at_school(*WHO)])
async def school(request: WebRequest, code: FromPath[str]) -> Page:
    """A school's score."""
    return await school_pages.show_board(request, _school(code))


@get("/inspect/schools/{code:str}/score/{period:str}/{line:str}", guards=[at_school(*WHO)])
async def school_line(
    request: WebRequest, code: FromPath[str], period: FromPath[str], line: FromPath[str]
) -> Page:
    """One line of it, down to its entries and its law."""
    return await school_pages.show_line(request, _school(code), period, line)


@get("/inspect/schools/{code:str}/score/{period:str}/compare", guards=[at_school(*WHO)])
async def school_comparison(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """The score beside what it would be by another day's standards."""
    return await compare_pages.show_comparison(request, _school(code), period)


@get("/inspect/schools/{code:str}/ledgers", guards=[at_school(*WHO)])
async def ledger_index(request: WebRequest) -> Page:
    """The school's ledgers."""
    return await ledger_routes.draw_index(request, "/inspect")


@get("/inspect/schools/{code:str}/ledgers/{ledger:str}", guards=[at_school(*WHO)])
async def ledger_list(request: WebRequest) -> Page:
    """A ledger of the school, with its filters."""
    return await ledger_routes.draw_list(request, ledger_routes.place_of(request, "/inspect"))


@get("/inspect/schools/{code:str}/ledgers/{ledger:str}/{entry_id:uuid}", guards=[at_school(*WHO)])
async def ledger_entry(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """An entry with its versions, later facts and trail."""
    place = ledger_routes.place_of(request, "/inspect")
    return await entry_routes.draw_entry(request, place, entry_id)


@get("/inspect/schools/{code:str}/returns", guards=[at_school(*WHO)])
async def returns(request: WebRequest, code: FromPath[str]) -> Page:
    """The school's returns."""
    return await report_routes.draw_returns(request, f"/inspect/schools/{code}/returns")


@get("/inspect/schools/{code:str}/returns/{period:str}", guards=[at_school(*WHO)])
async def school_return(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """One of them, or its draft."""
    return await report_routes.draw_return(request, f"/inspect/schools/{code}/returns", period)


@get("/inspect/schools/{code:str}/returns/{period:str}/pdf", guards=[at_school(*WHO)])
async def return_file(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Response[bytes]:
    """Its file."""
    return await report_routes.send_return(request, code, period)


@get("/inspect/schools/{code:str}/adjustments/{period:str}", guards=[at_school(*WHO)])
async def adjustments(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Its own score and the bureau's, with reasons, appeals and answers."""
    return await draw_adjustments(request, f"/inspect/schools/{code}", period)


@get("/inspect/schools/{code:str}/returns/{period:str}/pack", guards=[at_school(*WHO)])
async def evidence_pack(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Response[bytes]:
    """The return with all that stands behind it, as a ZIP with a manifest of digests."""
    visit, quarter = visit_of(request), quarter_named(period, visit_of(request).now)
    data = request.app.state.settings.data
    pack = await pack_of(visit.viewer, visit.school, code, quarter, data, visit.now)
    content = await asyncio.to_thread(pack.zip)
    name = queries.file_name(code, quarter.id, 1).removesuffix("-v1.pdf").replace("return", "evidence", 1)
    headers = {"content-disposition": f'attachment; filename="{name}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


@get("/inspect/bureaus/{code:str}/inbox", guards=[at_bureau(*WHO)])
async def inbox(request: WebRequest, code: FromPath[str]) -> Page:
    """What the bureau's schools returned."""
    return await inbox_routes.draw_inbox(request, f"/inspect/bureaus/{code}/inbox")


@get("/inspect/bureaus/{code:str}/inbox/{item:uuid}/pdf", guards=[at_bureau(*WHO)])
async def inbox_file(request: WebRequest, item: FromPath[UUID]) -> Response[bytes]:
    """A received return, byte for byte."""
    return await inbox_routes.send_received(request, item)


@get("/inspect/bureaus/{code:str}/rollups", guards=[at_bureau(*WHO)])
async def rollups(request: WebRequest, code: FromPath[str]) -> Page:
    """The bureau's roll-up of a quarter."""
    return await draw_rollup(request, _bureau(code))


@get("/inspect/bureaus/{code:str}/rollups/{item:uuid}/pdf", guards=[at_bureau(*WHO)])
async def rollup_file(request: WebRequest, item: FromPath[UUID]) -> Response[bytes]:
    """Its file, or that of a roll-up which a county sent."""
    return await send_rollup(request, item)


@get("/inspect/bureaus/{code:str}/delivery", guards=[at_bureau(*WHO)])
async def delivery(request: WebRequest, code: FromPath[str]) -> Page:
    """What below the bureau has not arrived, and its own roll-ups on their way up."""
    return await draw_bureau_delivery(request, f"/inspect/bureaus/{code}")


@get("/inspect/schools/{code:str}/trail", guards=[at_school(*WHO)])
async def trail(request: WebRequest, code: FromPath[str]) -> Page:
    """What was done at the school, by whom and when, newest first, with the digest of every line."""
    visit = visit_of(request)
    number = page_number(request)
    lines, total = await audit.page_of(visit.viewer, visit.school, number, PER_PAGE)
    return page(
        request,
        "trail.html",
        door=_school(code),
        facts=await school_facts(visit.school),
        lines=lines,
        head=await audit.head(visit.school),
        total=total,
        number=number,
        per_page=PER_PAGE,
    )


ROUTER = Router(
    "/",
    route_handlers=[
        start,
        own_queries,
        board,
        incidents,
        late,
        school,
        school_line,
        school_comparison,
        ledger_index,
        ledger_list,
        ledger_entry,
        returns,
        school_return,
        return_file,
        evidence_pack,
        adjustments,
        inbox,
        inbox_file,
        rollups,
        rollup_file,
        delivery,
        trail,
    ],
    opt=READ_ONLY,
)

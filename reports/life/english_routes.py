"""A sealed return in English: drawn when it is asked for, from the sealed document, and marked a translation."""

from litestar import Response, Router, get
from litestar.params import FromPath

from reports import queries
from reports.life import standing
from reports.page_parts import as_file
from reports.pdf import Renderer
from reports.routes import READERS
from safety.errors import NotFound
from safety.web.guards import at_school
from safety.web.quarters import quarter_named
from safety.web.visit import WebRequest, visit_of

INSPECTORS = ("inspector", "clerk")
ENGLISH = "/schools/{code:str}/returns/{period:str}/versions/{number:int}/english"


@get(ENGLISH, guards=[at_school(*READERS)])
async def english(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """The translation of a version."""
    return await _send(request, code, period, number)


@get("/inspect" + ENGLISH, guards=[at_school(*INSPECTORS)])
async def inspected_english(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """The same for an inspector."""
    return await _send(request, code, period, number)


async def _send(request: WebRequest, code: str, period: str, number: int) -> Response[bytes]:
    visit = visit_of(request)
    quarter = quarter_named(period, visit.now)
    versions = await standing.versions(visit.viewer, visit.school, quarter)
    version = next((item for item in versions if item.sent.version == number), None)
    if version is None:
        raise NotFound
    renderer: Renderer = request.app.state.renderer
    drawn = await renderer.render_return(await standing.document(version), "en")
    name = queries.file_name(code, quarter.id, number).replace(".pdf", "-en.pdf")
    return as_file(request, drawn, name)


ROUTER = Router("/", route_handlers=[english, inspected_english])

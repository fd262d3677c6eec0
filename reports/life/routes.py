"""A return after its sealing, on screen: its versions, what changed, its correction, its causes, its stamped copy.

What is only read stands under `/inspect/…` too, behind the read-only door.
"""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile
from litestar.params import FromPath

from reports import queries
from reports.life import actions as life
from reports.life import causes, scans, standing
from reports.life.pages import show_changes, show_correction, show_return, show_version
from reports.page_parts import send_file
from reports.press import file_of
from reports.routes import READERS
from safety.calendar import Period
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to
from safety.web.quarters import quarter_named
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
WRITERS = ("officer", "principal")
INSPECTORS = ("inspector", "clerk")
RETURN = "/schools/{code:str}/returns/{period:str}"
CAUSE_FIELD = "cause-"
FORM_ROOM = 64 * 1024
"""What a form needs beside the file in it, in bytes."""


def _quarter(request: WebRequest, period: str) -> Period:
    return quarter_named(period, visit_of(request).now)


def _base(code: str) -> str:
    return f"/schools/{code}/returns"


# ---------------------------------------------------------------- versions
@get(RETURN + "/versions/{number:int}", guards=[at_school(*READERS)])
async def version(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Page:
    """A sealed version; none is ever changed."""
    return await show_version(request, _base(code), _quarter(request, period), number, FormState())


@get(RETURN + "/versions/{number:int}/changes", guards=[at_school(*READERS)])
async def changes(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Page:
    """What it changed of the version before."""
    return await show_changes(request, _base(code), _quarter(request, period), number)


@get(RETURN + "/versions/{number:int}/pdf", guards=[at_school(*READERS)])
async def version_file(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Its file, byte for byte. NotFound until it has been made."""
    return await _send_version(request, code, period, number)


async def _send_version(request: WebRequest, code: str, period: str, number: int) -> Response[bytes]:
    visit, quarter = visit_of(request), _quarter(request, period)
    found = await standing.versions(visit.viewer, visit.school, quarter)
    ids = {item.sent.version: item.id for item in found}
    file = await file_of(ids[number]) if number in ids else None
    if file is None:
        raise NotFound
    return await send_file(request, file.bytes_digest, queries.file_name(code, quarter.id, number))


# ---------------------------------------------------------------- the correction
@get(RETURN + "/correction", guards=[at_school(*READERS)])
async def correction(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """The way from a sealed version to the next one."""
    return await show_correction(request, _base(code), _quarter(request, period), FormState())


@post(RETURN + "/correction", guards=[at_school(*WRITERS)], status_code=200)
async def correct(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Open the correction or prepare its reason; with `step=sign` the principal signs the new version."""
    quarter, base, values = _quarter(request, period), _base(code), await form_values(request)
    try:
        made = await _correct(request, quarter, values)
    except BadInput as error:
        return await show_correction(request, base, quarter, form_state(request, values, error.problems), 400)
    except Conflict as error:
        # Drawn anew with the draft as it is now; the old key was spent on the old one.
        kept = {name: text for name, text in values.items() if name != "submission_key"}
        problem = Problem(None, error.code, error.values)
        return await show_correction(request, base, quarter, form_state(request, kept, [problem]), 409)
    if made is None:
        return go_to(f"{base}/{quarter.id}/correction", "correction-saved")
    return go_to(f"{base}/{quarter.id}", "version-made")


async def _correct(request: WebRequest, quarter: Period, values: dict[str, str]) -> int | None:
    """The number of the version that was made; None if the correction was opened or its reason written."""
    visit = visit_of(request)
    key, reason = values.get("submission_key", ""), values.get("reason", "")
    if values.get("step") != "sign":
        await life.open_correction(visit.viewer, visit.school, quarter, reason, visit.now, key=key)
        return None
    if values.get("agreed") != "true":
        raise BadInput.one("agreed", "agreement-needed")
    digest = values.get("facts_digest", "")
    return await life.make_version(
        visit.viewer, visit.school, quarter, digest, reason, visit.now,
        key=key, knows_unchanged=values.get("unchanged") == "true",
        test_clock=request.app.state.settings.test_clock is not None,
    )  # fmt: skip


# ---------------------------------------------------------------- causes
@post(RETURN + "/causes", guards=[at_school(*WRITERS)], status_code=200)
async def explain(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Keep the causes of the lines; back to where they were written: the draft, or the correction."""
    visit, quarter, base = visit_of(request), _quarter(request, period), _base(code)
    values = await form_values(request)
    texts = {
        name.removeprefix(CAUSE_FIELD): text for name, text in values.items() if name.startswith(CAUSE_FIELD)
    }
    in_correction = values.get("from") == "correction"
    show = show_correction if in_correction else show_return
    try:
        key = values.get("submission_key", "")
        await causes.write(visit.viewer, visit.school, quarter, texts, visit.now, key=key)
    except BadInput as error:
        return await show(request, base, quarter, form_state(request, values, error.problems), 400)
    except Conflict as error:
        problem = Problem(None, error.code, error.values)
        return await show(request, base, quarter, form_state(request, {}, [problem]), 409)
    return go_to(f"{base}/{quarter.id}{'/correction' if in_correction else ''}", "causes-saved")


# ---------------------------------------------------------------- the stamped copy
@post(
    RETURN + "/scans",
    guards=[at_school(*WRITERS)],
    status_code=200,
    request_max_body_size=scans.LARGEST + FORM_ROOM,
)
async def attach_scan(request: WebRequest, code: FromPath[str], period: FromPath[str]) -> Page:
    """Attach the scan of a stamped paper copy to a sealed version."""
    visit, quarter, base = visit_of(request), _quarter(request, period), _base(code)
    values = await form_values(request)
    number = int(values["version"]) if values.get("version", "").isdecimal() else 0
    given = (await request.form()).get("file")
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            raise BadInput.one("file", "file-missing")
        data = request.app.state.settings.data
        await scans.attach(visit.viewer, visit.school, quarter, number, await given.read(), data, visit.now)
    except BadInput as error:
        return await show_version(
            request, base, quarter, number, form_state(request, {}, error.problems), 400
        )
    return go_to(f"{base}/{quarter.id}/versions/{number}", "scan-attached")


@get(RETURN + "/scans/{scan:uuid}", guards=[at_school(*READERS)])
async def scan_file(
    request: WebRequest, code: FromPath[str], period: FromPath[str], scan: FromPath[UUID]
) -> Response[bytes]:
    """A scan, byte for byte."""
    return await _send_scan(request, code, period, scan)


async def _send_scan(request: WebRequest, code: str, period: str, scan: UUID) -> Response[bytes]:
    visit, quarter = visit_of(request), _quarter(request, period)
    for found in await scans.of_return(visit.viewer, visit.school, quarter):
        if found.id == scan:
            name = found.file_name(code, quarter.id)
            return await send_file(request, found.bytes_digest, name, found.media_type)
    raise NotFound


# ---------------------------------------------------------------- the same for inspectors
def _inspected(code: str) -> str:
    return f"/inspect/schools/{code}/returns"


@get("/inspect" + RETURN + "/versions/{number:int}", guards=[at_school(*INSPECTORS)])
async def inspected_version(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Page:
    """A sealed version."""
    return await show_version(request, _inspected(code), _quarter(request, period), number, FormState())


@get("/inspect" + RETURN + "/versions/{number:int}/changes", guards=[at_school(*INSPECTORS)])
async def inspected_changes(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Page:
    """What it changed of the version before."""
    return await show_changes(request, _inspected(code), _quarter(request, period), number)


@get("/inspect" + RETURN + "/versions/{number:int}/pdf", guards=[at_school(*INSPECTORS)])
async def inspected_file(
    request: WebRequest, code: FromPath[str], period: FromPath[str], number: FromPath[int]
) -> Response[bytes]:
    """Its file."""
    return await _send_version(request, code, period, number)


@get("/inspect" + RETURN + "/scans/{scan:uuid}", guards=[at_school(*INSPECTORS)])
async def inspected_scan(
    request: WebRequest, code: FromPath[str], period: FromPath[str], scan: FromPath[UUID]
) -> Response[bytes]:
    """A scan."""
    return await _send_scan(request, code, period, scan)


ROUTER = Router(
    "/",
    route_handlers=[version, changes, version_file, correction, correct, explain, attach_scan, scan_file],
)
INSPECT_ROUTER = Router(
    "/",
    route_handlers=[inspected_version, inspected_changes, inspected_file, inspected_scan],
    opt={"read_only": True},
)

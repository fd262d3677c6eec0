"""Filling a ledger from a spreadsheet: the template to fill in, and the upload with every bad cell shown."""

import asyncio
from dataclasses import dataclass
from pathlib import PurePath

from litestar import Response, Router, get, post
from litestar.datastructures import UploadFile

from safety.bundles.actions import Imported, import_sheets
from safety.bundles.files import ledger_spec
from safety.bundles.reading import Sheet, Unreadable, read_file
from safety.bundles.template import template_for
from safety.errors import BadInput, Problem
from safety.ledger import permission
from safety.ledger.routes import BASE, READERS, Page, Place, place_of
from safety.text import Text
from safety.web.errors import problem_text
from safety.web.guards import at_school
from safety.web.kernel import kernel_of
from safety.web.pages import page
from safety.web.visit import WebRequest

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LARGEST = 20 * 1024 * 1024
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class BadCell:
    """One thing wrong with a file: `row` 0 is the file as a whole, an empty `column` the whole row."""

    row: int
    column: str
    label: Text | str
    message: str


@get(BASE + "/{ledger:str}/template.xlsx", guards=[at_school(*READERS)])
async def template(request: WebRequest) -> Response[bytes]:
    """The Excel template of this ledger for this school: its classes and people to choose from."""
    place = place_of(request)
    permission.may_write(place.ledger, place.visit.viewer, place.visit.school)
    return Response(
        await template_for(place.ledger, place.visit.now, place.visit.school),
        media_type=XLSX,
        headers={"content-disposition": f'attachment; filename="{place.ledger.name}.xlsx"'},
    )


@get(BASE + "/{ledger:str}/import", guards=[at_school(*READERS)])
async def import_page(request: WebRequest) -> Page:
    """Choose a file."""
    place = place_of(request)
    permission.may_write(place.ledger, place.visit.viewer, place.visit.school)
    return _draw(request, place)


@post(
    BASE + "/{ledger:str}/import",
    guards=[at_school(*READERS)],
    status_code=200,
    request_max_body_size=LARGEST,
)
async def take_file(request: WebRequest) -> Page:
    """Take a file in, all of it or nothing; sending it again changes nothing."""
    place = place_of(request)
    permission.may_write(place.ledger, place.visit.viewer, place.visit.school)
    given = (await request.form()).get("file")
    if not isinstance(given, UploadFile) or not given.filename:
        return _draw(request, place, 400, problems=[Problem(None, "file-missing")])
    try:
        data = await given.read()
        # A large workbook takes seconds to read, and everybody else is served meanwhile.
        sheets, problems = await asyncio.to_thread(_read, place, given.filename, data)
        done = await import_sheets(place.visit.viewer, sheets, place.visit.now, problems=problems)
    except BadInput as error:
        return _draw(request, place, 400, problems=error.problems, name=given.filename)
    return _draw(request, place, done=done, name=given.filename)


def _read(place: Place, filename: str, data: bytes) -> tuple[dict[str, Sheet], list[Problem]]:
    """The one sheet of this ledger in a file, whatever the file is called. Raises BadInput."""
    problems: list[Problem] = []
    specs = {place.ledger.name: ledger_spec(place.ledger)}
    # People rename files; which ledger is meant, the address says.
    name = place.ledger.name + PurePath(filename).suffix.lower()
    try:
        sheets = {sheet.name: sheet for sheet in read_file(name, data, specs, problems)}
    except Unreadable as error:
        raise BadInput([error.problem]) from error
    if not sheets and not problems:
        raise BadInput.one(None, "file-empty")
    return sheets, problems


def _draw(
    request: WebRequest,
    place: Place,
    status: int = 200,
    *,
    problems: list[Problem] | None = None,
    done: Imported | None = None,
    name: str = "",
) -> Page:
    found = problems or []
    return page(
        request,
        "ledger_import.html",
        status,
        place=place,
        ledger=place.ledger,
        cells=[_cell(request, place, problem) for problem in found[:MOST_SHOWN]],
        total=len(found),
        done=done,
        name=name,
    )


def _cell(request: WebRequest, place: Place, problem: Problem) -> BadCell:
    said = problem_text(kernel_of(request).pages.catalogue, problem, place.visit.lang)
    _, _, rest = (problem.field or "").partition(":")
    row, _, column = rest.partition(":")
    labels = {item.name: item.label for item in place.ledger.every_field}
    return BadCell(int(row) if row.isdecimal() else 0, column, labels.get(column, column), said)


ROUTER = Router("/", route_handlers=[template, import_page, take_file])

"""Pages of every ledger: which there are, the list with its filters, the form, the export."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from litestar import Response, Router, get, post

from safety import in_use
from safety.database import read_only_door
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.ledger import actions, forms, permission, queries
from safety.ledger.declare import Field, Kind, Ledger
from safety.ledger.parse import Context, FieldError, format_field, parse_field
from safety.ledger.values import parse_values
from safety.text import Text
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.kernel import kernel_of
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.visit import Visit, WebRequest, visit_of

Page = Response[str]
BASE = "/schools/{code:str}/ledgers"
READERS = ("officer", "principal", "teacher", "leader", "guard", "canteen", "clerk")
"""Inspectors read the same pages under `/inspect/…`, behind the read-only door."""
BEHALF = Text("代谁填报", "On behalf of")
RECORDED_AT = Field("recorded_at", Kind.INSTANT, Text("登记时间", "Recorded at"))
FORMULA = ("=", "+", "-", "@", "\t", "＝", "＋", "－", "＠")
"""What a formula begins with."""


@dataclass(frozen=True, slots=True)
class Place:
    """A ledger of a school as one request sees it. `before` is what its addresses begin with."""

    ledger: Ledger
    visit: Visit
    code: str
    before: str = ""

    @property
    def home(self) -> str:
        """The school's list of ledgers."""
        return f"{self.before}/schools/{self.code}/ledgers"

    @property
    def path(self) -> str:
        return f"{self.home}/{self.ledger.name}"

    @property
    def can_write(self) -> bool:
        return not self.before and permission.can_write(self.ledger, self.visit.viewer, self.visit.school)

    @property
    def can_record(self) -> bool:
        """Whether to offer a new entry; the bureau's people record incidents that they do not otherwise write."""
        return not self.before and permission.can_record(self.ledger, self.visit.viewer, self.visit.school)

    def t(self, request: WebRequest, key: str, **values: Any) -> str:
        """A sentence of the catalogue in the visitor's language."""
        return kernel_of(request).pages.catalogue.t(key, self.visit.lang, **values)


def place_of(request: WebRequest, before: str = "") -> Place:
    """The ledger that an address names. Raises NotFound."""
    ledger = in_use.registry().get(request.path_params["ledger"])
    if ledger is None:
        raise NotFound
    return Place(ledger, visit_of(request), request.path_params["code"], before)


# ---------------------------------------------------------------- index and list
@get(BASE, guards=[at_school(*READERS)])
async def index_page(request: WebRequest) -> Page:
    """The ledgers that this person reads, those that they fill in first."""
    return await draw_index(request)


async def draw_index(request: WebRequest, before: str = "") -> Page:
    """The school's list of ledgers, wherever it stands."""
    visit = visit_of(request)
    facts = (await queries.school_context(visit.viewer, visit.school, visit.now)).facts
    seen = [item for item in in_use.registry() if queries.may_read(item, visit.viewer, visit.school)]
    mine = [item for item in seen if permission.can_record(item, visit.viewer, visit.school)]
    return page(
        request,
        "ledger_index.html",
        school=facts,
        home=f"{before}/schools/{request.path_params['code']}/ledgers",
        mine=mine,
        others=[item for item in seen if item not in mine],
    )


@get(BASE + "/{ledger:str}", guards=[at_school(*READERS)])
async def list_page(request: WebRequest) -> Page:
    """A page of entries; the address carries the filters."""
    return await draw_list(request, place_of(request))


async def draw_list(request: WebRequest, place: Place) -> Page:
    """The list of a ledger, wherever its page stands."""
    visit, ledger = place.visit, place.ledger
    context = await queries.context_for(ledger, visit.school, visit.now)
    filters, asked = forms.read_filters(request.query_params, context)
    number = page_number(request)
    found = await queries.list_entries(visit.viewer, ledger, visit.school, filters, visit.now, page=number)
    return page(
        request,
        "ledger_list.html",
        place=place,
        ledger=ledger,
        found=found,
        asked=FormState(asked),
        query=_query(asked),
        lead=forms.lead_field(ledger),
        columns=forms.list_fields(ledger, found.rows),
        zones=[item.label for item in context.facts.zones],
        show=forms.Shower(context, found.people, visit.lang),
        classes=sorted({item.name for item in context.facts.classes})
        if _has(ledger, Kind.SCHOOL_CLASS)
        else [],
        people=await queries.people_of(visit.viewer, visit.school),
        texts=_has(ledger, Kind.TEXT),
    )


def _has(ledger: Ledger, kind: Kind) -> bool:
    return any(item.kind is kind for item in ledger.fields)


def _query(asked: Mapping[str, str]) -> str:
    return urlencode(asked)


# ---------------------------------------------------------------- a new entry
@get(BASE + "/{ledger:str}/new", guards=[at_school(*READERS)])
async def new_page(request: WebRequest) -> Page:
    """An empty form; the address may fill fields in (`?class=三(1)班&happened_on=2026-10-14`)."""
    place = place_of(request)
    permission.may_record(place.ledger, place.visit.viewer, place.visit.school)
    given = {item.name: request.query_params.get(item.name, "") for item in place.ledger.every_field}
    return await _draw_new(request, place, FormState({name: text for name, text in given.items() if text}))


@post(BASE + "/{ledger:str}/new", guards=[at_school(*READERS)], status_code=200)
async def save_new(request: WebRequest) -> Page:
    """Record an entry, or show the form again with what was typed and what is wrong."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    permission.may_record(ledger, visit.viewer, visit.school)
    raw = await form_values(request)
    context = await queries.context_for(ledger, visit.school, visit.now, raw)
    values, problems = parse_values(ledger, raw, context)
    behalf = _on_behalf(raw, context, problems)
    key = raw.get("submission_key", "")
    try:
        if problems:
            raise BadInput(problems)
        made = await actions.record(
            ledger, visit.viewer, visit.school, values, key, visit.now, on_behalf_of=behalf, context=context
        )
    except BadInput as error:
        return await _draw_new(request, place, form_state(request, raw, error.problems), 400)
    except Conflict as error:
        # Sent again as it stands it would be refused for ever: it gets a key of its own.
        kept = {name: text for name, text in raw.items() if name != "submission_key"}
        problem = Problem(None, error.code, error.values)
        return await _draw_new(request, place, form_state(request, kept, [problem]), 409)
    return go_to(f"{place.path}/{made.id}", "entry-saved")


async def _draw_new(request: WebRequest, place: Place, form: FormState, status: int = 200) -> Page:
    asker = await asker_of(place)
    return page(
        request,
        "ledger_form.html",
        status,
        place=place,
        ledger=place.ledger,
        widgets=forms.widgets(place.ledger, asker),
        behalf=forms.behalf_widget(asker, BEHALF, place.t(request, "ledger.nobody-else")),
        form=form,
        entry=None,
    )


async def asker_of(place: Place, context: Context | None = None) -> forms.Asker:
    visit = place.visit
    people = await queries.people_of(visit.viewer, visit.school)
    known = context or Context(
        (await queries.school_context(visit.viewer, visit.school, visit.now)).facts, visit.now
    )
    return forms.Asker(visit.viewer, known, people, visit.lang)


def _on_behalf(raw: Mapping[str, str], context: Context, problems: list[Problem]) -> int | None:
    item = Field("on_behalf_of", Kind.PERSON, BEHALF, required=False)
    try:
        found: int | None = parse_field(item, raw.get("on_behalf_of", ""), context)
    except FieldError as error:
        problems.append(Problem(item.name, error.code, error.values))
        return None
    return found


# ---------------------------------------------------------------- export
@get(BASE + "/{ledger:str}/export.csv", guards=[at_school(*READERS)])
async def export_csv(request: WebRequest) -> Response[bytes]:
    """The entries that the list's filters let through, in the columns of a bundle."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    async with read_only_door():
        context = await queries.context_for(ledger, visit.school, visit.now)
        filters, _ = forms.read_filters(request.query_params, context)
        rows = await queries.all_entries(visit.viewer, ledger, visit.school, filters, visit.now)
        named = await queries.people_by_id(
            {row.values[item.name] for row in rows for item in ledger.fields if item.kind is Kind.PERSON}
        )
    known = replace(context, people={**{p.login: p.id for p in named.values()}, **context.people})
    # As in a bundle, the zone stands last, and only where there are zones.
    columns = [*ledger.fields, RECORDED_AT, *forms.fields_at(ledger, context.facts)[len(ledger.fields) :]]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["school", *(item.name for item in columns)])
    for row in rows:
        said = {**row.values, RECORDED_AT.name: row.recorded_at}
        cells = [sheet_cell(item, format_field(item, said.get(item.name), known)) for item in columns]
        writer.writerow([place.code, *cells])
    name = f"{ledger.name}-{place.code}-{context.recorded_on.isoformat()}.csv"
    # The mark tells Excel that it is UTF-8.
    return Response(
        b"\xef\xbb\xbf" + out.getvalue().encode(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def sheet_cell(item: Field, text: str) -> str:
    """What people typed must not become a formula in somebody's spreadsheet; names of classes are typed, too.

    Where Chinese is written, spreadsheets take the full-width signs for the plain ones.
    """
    numeric = item.kind in {Kind.INTEGER, Kind.THOUSANDTHS}
    return f"'{text}" if not numeric and text.startswith(FORMULA) else text


ROUTER = Router(
    "/",
    route_handlers=[
        index_page, list_page, new_page, save_new, export_csv,
    ],
)  # fmt: skip

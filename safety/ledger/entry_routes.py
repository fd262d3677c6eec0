"""Pages of one entry: its history, correction, voiding, later facts."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Router, get, post
from litestar.params import FromPath

from safety.errors import BadInput, Conflict, NotAllowed
from safety.ledger import actions, forms, permission, queries, standing
from safety.ledger.declare import EventKind, Field, Kind, Ledger
from safety.ledger.owners import found_upon, of_bureau
from safety.ledger.parse import Context, FieldError, format_field, parse_field
from safety.ledger.routes import BASE, READERS, Page, Place, asker_of, place_of
from safety.ledger.rows import EntryRow
from safety.ledger.values import parse_values
from safety.text import Text
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to, page
from safety.web.visit import WebRequest

HAPPENED = Text("发生时间", "When")


@get(BASE + "/{ledger:str}/{entry_id:uuid}", guards=[at_school(*READERS)])
async def entry_page(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """An entry with its versions, later facts and trail."""
    return await draw_entry(request, place_of(request), entry_id)


async def draw_entry(
    request: WebRequest,
    place: Place,
    entry_id: UUID,
    status: int = 200,
    form: FormState | None = None,
    error: str = "",
) -> Page:
    """The page of an entry, wherever it stands."""
    visit, ledger = place.visit, place.ledger
    found = await queries.detail(visit.viewer, ledger, visit.school, entry_id, visit.now)
    context = await queries.context_for(ledger, visit.school, visit.now, {})
    return page(
        request,
        "ledger_entry.html",
        status,
        place=place,
        ledger=ledger,
        found=found,
        entry=found.entry,
        fields=forms.fields_at(ledger, context.facts),
        remarks=standing.remarks_on(ledger, context.facts, found, visit.now),
        lead=forms.lead_field(ledger),
        show=forms.Shower(context, found.people, visit.lang),
        kinds={event.kind: event for event in ledger.events},
        # What a later fact says of a field stands over what the entry said.
        since={event.kind: event for event in found.events if event.value},
        can_change=found.entry.stands and await _can_change(place, found.entry),
        addable=[event for event in ledger.events if _may_add(event, place)],
        form=form or FormState(),
        error=error,
        fresh=request.query_params.get("notice") in {"entry-saved", "entry-corrected"},
    )


async def _can_change(place: Place, entry: EntryRow) -> bool:
    """Whether to offer correcting and voiding: each side mends its own, until the bureau has found on it."""
    viewer, school = place.visit.viewer, place.visit.school
    if not viewer.admin and await found_upon(place.ledger, entry):
        return False
    bureaus = await of_bureau(place.ledger, entry)
    return not place.before and permission.can_change(place.ledger, viewer, school, bureaus=bureaus)


async def _may_change(place: Place, entry: EntryRow) -> None:
    if not await _can_change(place, entry):
        raise NotAllowed


def _may_add(event: EventKind, place: Place) -> bool:
    viewer = place.visit.viewer
    return not place.before and not viewer.read_only and viewer.may(place.visit.school, *event.roles)


# ---------------------------------------------------------------- correcting
@get(BASE + "/{ledger:str}/{entry_id:uuid}/correct", guards=[at_school(*READERS)])
async def correct_page(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """The entry in a form, to be put right with a reason; one that no longer stands leads to its page."""
    place = place_of(request)
    entry = await queries.entry(place.visit.viewer, place.ledger, place.visit.school, entry_id)
    await _may_change(place, entry)
    if not entry.stands:
        return go_to(f"{place.path}/{entry_id}")
    return await _draw_correction(request, place, entry_id, FormState())


@post(BASE + "/{ledger:str}/{entry_id:uuid}/correct", guards=[at_school(*READERS)], status_code=200)
async def save_correction(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """Put a new version in its place, or show the form again."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    entry = await queries.entry(visit.viewer, ledger, visit.school, entry_id)
    await _may_change(place, entry)
    raw = await form_values(request)
    context = await queries.context_of_entry(ledger, entry, visit.now)
    reserved = _kept_by_others(ledger, entry.values, context, place)
    said = {**forms.kept_zone(entry, context), **raw, **reserved}
    values, problems = parse_values(ledger, said, context)
    try:
        if problems:
            raise BadInput(problems)
        made = await actions.correct(
            ledger, visit.viewer, visit.school, entry_id, values, raw.get("why", ""),
            raw.get("submission_key", ""), visit.now, on_behalf_of=entry.on_behalf_of, context=context,
        )  # fmt: skip
    except BadInput as error:
        return await _draw_correction(request, place, entry_id, form_state(request, raw, error.problems), 400)
    except Conflict as error:
        return await draw_entry(
            request, place, entry_id, 409, error=place.t(request, f"problem.{error.code}", **error.values)
        )
    return go_to(f"{place.path}/{made.id}", "entry-corrected")


def _kept_by_others(
    ledger: Ledger, values: Mapping[str, Any], context: Context, place: Place
) -> dict[str, str]:
    """What this person may not state stays as it is."""
    viewer, school = place.visit.viewer, place.visit.school
    return {
        item.name: format_field(item, values.get(item.name), context)
        for item in ledger.fields
        if item.by is not None and not viewer.may(school, *item.by)
    }


async def _draw_correction(
    request: WebRequest, place: Place, entry_id: UUID, form: FormState, status: int = 200
) -> Page:
    visit, ledger = place.visit, place.ledger
    entry = await queries.entry(visit.viewer, ledger, visit.school, entry_id)
    context = await queries.context_of_entry(ledger, entry, visit.now)
    return page(
        request,
        "ledger_form.html",
        status,
        place=place,
        ledger=ledger,
        widgets=forms.widgets(ledger, await asker_of(place, context), entry),
        behalf=None,
        form=form,
        entry=entry,
    )


# ---------------------------------------------------------------- voiding
@get(BASE + "/{ledger:str}/{entry_id:uuid}/void", guards=[at_school(*READERS)])
async def void_page(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """Ask for the reason."""
    place = place_of(request)
    await _may_change(
        place, await queries.entry(place.visit.viewer, place.ledger, place.visit.school, entry_id)
    )
    return await _draw_void(request, place, entry_id, FormState())


@post(BASE + "/{ledger:str}/{entry_id:uuid}/void", guards=[at_school(*READERS)], status_code=200)
async def save_void(request: WebRequest, entry_id: FromPath[UUID]) -> Page:
    """Declare it void; pressing twice does no harm."""
    place = place_of(request)
    visit = place.visit
    raw = await form_values(request)
    here = f"{place.path}/{entry_id}"
    try:
        await actions.void(place.ledger, visit.viewer, visit.school, entry_id, raw.get("why", ""), visit.now)
    except BadInput as error:
        return await _draw_void(request, place, entry_id, form_state(request, raw, error.problems), 400)
    except Conflict as error:
        if error.code == "entry-voided":
            return go_to(here)
        said = place.t(request, f"problem.{error.code}", **error.values)
        return await draw_entry(request, place, entry_id, 409, error=said)
    return go_to(here, "entry-voided")


async def _draw_void(
    request: WebRequest, place: Place, entry_id: UUID, form: FormState, status: int = 200
) -> Page:
    visit, ledger = place.visit, place.ledger
    found = await queries.detail(visit.viewer, ledger, visit.school, entry_id, visit.now)
    if not found.entry.stands:
        return go_to(f"{place.path}/{entry_id}")
    context = await queries.context_for(ledger, visit.school, visit.now, {})
    return page(
        request,
        "ledger_void.html",
        status,
        place=place,
        ledger=ledger,
        entry=found.entry,
        fields=forms.fields_at(ledger, context.facts),
        lead=forms.lead_field(ledger),
        show=forms.Shower(context, found.people, visit.lang),
        form=form,
    )


# ---------------------------------------------------------------- later facts
@get(BASE + "/{ledger:str}/{entry_id:uuid}/events/{kind:str}", guards=[at_school(*READERS)])
async def event_page(request: WebRequest, entry_id: FromPath[UUID], kind: FromPath[str]) -> Page:
    """Add a later fact: discarded, evaluated, a finding, a figure that changed."""
    place = place_of(request)
    event = permission.event_kind(place.ledger, kind)
    permission.may_add(event, place.visit.viewer, place.visit.school)
    return await _draw_event(request, place, entry_id, event, FormState())


@post(BASE + "/{ledger:str}/{entry_id:uuid}/events/{kind:str}", guards=[at_school(*READERS)], status_code=200)
async def save_event(request: WebRequest, entry_id: FromPath[UUID], kind: FromPath[str]) -> Page:
    """Write the later fact down, or show the form again."""
    place = place_of(request)
    visit, ledger = place.visit, place.ledger
    event = permission.event_kind(ledger, kind)
    permission.may_add(event, visit.viewer, visit.school)
    raw = await form_values(request)
    context = await queries.context_for(ledger, visit.school, visit.now, {})
    try:
        try:
            at = parse_field(
                Field("happened_at", Kind.INSTANT, HAPPENED), raw.get("happened_at", ""), context
            )
        except FieldError as error:
            raise BadInput.one("happened_at", error.code, **error.values) from error
        await actions.add_event(
            ledger, visit.viewer, visit.school, entry_id, kind, raw.get("value", ""), at,
            raw.get("submission_key", ""), visit.now,
        )  # fmt: skip
    except BadInput as error:
        return await _draw_event(
            request, place, entry_id, event, form_state(request, raw, error.problems), 400
        )
    except Conflict as error:
        said = place.t(request, f"problem.{error.code}", **error.values)
        return await draw_entry(request, place, entry_id, 409, error=said)
    return go_to(f"{place.path}/{entry_id}", "event-saved")


async def _draw_event(
    request: WebRequest, place: Place, entry_id: UUID, event: EventKind, form: FormState, status: int = 200
) -> Page:
    visit, ledger = place.visit, place.ledger
    found = await queries.detail(visit.viewer, ledger, visit.school, entry_id, visit.now)
    if not found.entry.stands:
        return go_to(f"{place.path}/{entry_id}")
    asker = await asker_of(place)
    asked = [forms.at_widget(asker, HAPPENED)]
    if event.value is not None:
        asked.insert(0, replace(forms.event_widget(event.value, asker, ledger), required=True))
    return page(
        request,
        "ledger_event.html",
        status,
        place=place,
        ledger=ledger,
        event=event,
        entry=found.entry,
        fields=forms.fields_at(ledger, asker.context.facts),
        lead=forms.lead_field(ledger),
        show=forms.Shower(asker.context, found.people, visit.lang),
        widgets=asked,
        form=form,
    )


ROUTER = Router(
    "/",
    route_handlers=[
        entry_page, correct_page, save_correction, void_page, save_void, event_page, save_event,
    ],
)  # fmt: skip

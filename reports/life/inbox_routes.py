"""The bureau's inbox: what came from whom, and a clerk's decision on each return, one by one or many at once."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports import queries
from reports.document import Incident, ReturnDocument
from reports.layout import score_view
from reports.life import standing
from reports.life.decisions import (
    LINE_LENGTH,
    REASONS_LENGTH,
    AcceptedMany,
    Ruling,
    accept_many,
    decide,
    rolled_up,
    still_there,
)
from reports.life.known import document_of
from reports.life.rules import ACCEPTED, RETURNED, WITHDRAWN
from reports.life.standing import DeskLine
from reports.page_parts import grade_names, send_file, view_of
from safety.calendar import Period
from safety.duties import close_at
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_bureau
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.quarters import quarters_of
from safety.web.visit import Visit, WebRequest, visit_of

Page = Response[str]
BUREAU = ("clerk",)
STATES = ("missing", "received", "coming", "returned", "accepted")
PER_PAGE = 100
SAID = {ACCEPTED: "return-accepted", RETURNED: "return-returned", WITHDRAWN: "acceptance-withdrawn"}
"""What the inbox says after a decision."""
LINE_FIELD, WITHDRAWAL_FIELD = "line-", "withdrawal"


# ---------------------------------------------------------------- the list
@get("/bureaus/{code:str}/inbox", guards=[at_bureau(*BUREAU)])
async def inbox(request: WebRequest, code: FromPath[str]) -> Page:
    """Every school of the bureau with what it returned for a quarter and what was decided on that."""
    return await draw_inbox(request, f"/bureaus/{code}/inbox", decides=True)


async def draw_inbox(
    request: WebRequest, base: str, *, decides: bool = False, form: FormState | None = None, status: int = 200
) -> Page:
    """A bureau's inbox, wherever the page stands; `?state=` narrows it. `decides`: with the clerk's buttons."""
    visit, quarters = visit_of(request), quarters_of(request)
    shown = quarters.shown
    if "period" not in request.query_params and visit.now < close_at(shown):
        # What there is to read is the quarter that closed last.
        quarters = quarters_of(request, shown.previous().id)
    every = await _desk(request, quarters.shown)
    wanted = request.query_params.get("state", "")
    chosen = [line for line in every if not wanted or line.state == wanted]
    counts = Counter(line.state for line in every)
    number = page_number(request)
    return page(
        request,
        "inbox.html",
        status,
        base=base,
        form=form or FormState(),
        quarters=quarters,
        closed=visit.now >= close_at(quarters.shown),
        decides=decides and _is_clerk(visit),
        every=every,
        lines=chosen[(number - 1) * PER_PAGE : number * PER_PAGE],
        states=[(state, counts[state]) for state in STATES if counts[state]],
        wanted=wanted,
        plain=[line.line.item.id for line in every if line.plain and line.line.item is not None],
        total=len(chosen),
        number=number,
        per_page=PER_PAGE,
        grade=grade_names(request),
    )


async def _desk(request: WebRequest, period: Period) -> list[DeskLine]:
    visit, data = visit_of(request), request.app.state.settings.data
    return await standing.desk(visit.viewer, visit.bureau, period, visit.now, data)


def _is_clerk(visit: Visit) -> bool:
    return any(role.name == "clerk" and visit.bureau in role.bureaus for role in visit.viewer.roles)


@post("/bureaus/{code:str}/inbox", guards=[at_bureau(*BUREAU)], status_code=200)
async def accept_shown(request: WebRequest, code: FromPath[str]) -> Page:
    """Accept all that the page listed in its form: received, not decided on, nothing that asks for a second look. They
    are shown once more before it is done.
    """
    visit, quarters = visit_of(request), quarters_of(request)
    base = f"/bureaus/{code}/inbox"
    values = await form_values(request)
    given = [text for name, text in (await request.form()).multi_items() if name == "item"]
    try:
        shown = [UUID(text) for text in given if isinstance(text, str)]
    except ValueError as error:
        raise NotFound from error
    if values.get("confirmed") != "true":
        here = f"{base}?period={quarters.shown.id}"
        fields = [("item", str(id_)) for id_ in shown]
        return await _confirm(request, base, quarters.shown, shown, Form(here, fields, here), values)
    key, data = values.get("submission_key", ""), request.app.state.settings.data
    done = await accept_many(visit.viewer, visit.bureau, quarters.shown, shown, visit.now, key=key, data=data)
    if done.left:
        return await _left(request, base, done)
    return go_to(f"{base}?period={quarters.shown.id}", "returns-accepted")


async def _left(request: WebRequest, base: str, done: AcceptedMany) -> Page:
    told = {"accepted": done.accepted, "schools": ", ".join(done.left)}
    form = form_state(request, {}, [Problem(None, "left-undecided", told)])
    return await draw_inbox(request, base, decides=True, form=form, status=409)


# ---------------------------------------------------------------- before anything is accepted
@dataclass(frozen=True, slots=True)
class Form:
    """Where a confirmation is sent, with which fields, and where one goes instead."""

    action: str
    fields: Sequence[tuple[str, str]]
    back: str


async def _confirm(
    request: WebRequest, base: str, period: Period, items: Sequence[UUID], form: Form, values: dict[str, str]
) -> Page:
    """What is about to be accepted, by school, quarter and version. NotFound for what never was in the inbox."""
    listed = await still_there(await _desk(request, period), period, items)
    if listed.overtaken and not listed.lines:
        return await _left(request, base, AcceptedMany(0, listed.overtaken))
    if not listed.lines:
        raise NotFound
    return page(
        request,
        "inbox_confirm.html",
        base=base,
        period=period,
        lines=list(listed.lines.values()),
        action=form.action,
        fields=form.fields,
        back=form.back,
        key=values.get("submission_key", ""),
        grade=grade_names(request),
    )


# ---------------------------------------------------------------- one return
@get("/bureaus/{code:str}/inbox/{item:uuid}", guards=[at_bureau(*BUREAU)])
async def received(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Page:
    """One received return: what to look at, what was decided before, and the two buttons."""
    return await _draw_item(request, code, item, FormState())


@post("/bureaus/{code:str}/inbox/{item:uuid}", guards=[at_bureau(*BUREAU)], status_code=200)
async def decide_on(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Page:
    """Accept it once that was confirmed, return it for correction with reasons, or withdraw an acceptance."""
    visit = visit_of(request)
    values = await form_values(request)
    if values.get("outcome") == ACCEPTED and values.get("confirmed") != "true":
        return await _confirm_one(request, code, item, values)
    try:
        ruling = _ruling(values)
        await decide(visit.viewer, item, ruling, visit.now, key=values.get("submission_key", ""))
    except BadInput as error:
        problems = [_in_its_field(problem, values) for problem in error.problems]
        return await _draw_item(request, code, item, form_state(request, values, problems), 400)
    except Conflict as error:
        problem = Problem(None, error.code, error.values)
        kept = {name: text for name, text in values.items() if name != "submission_key"}
        return await _draw_item(request, code, item, form_state(request, kept, [problem]), 409)
    story = await standing.story(visit.viewer, item)
    return go_to(f"/bureaus/{code}/inbox?period={story.period.id}", SAID[ruling.outcome])


async def _confirm_one(request: WebRequest, code: str, item: UUID, values: dict[str, str]) -> Page:
    base = f"/bureaus/{code}/inbox"
    story = await standing.story(visit_of(request).viewer, item)
    desk = await _desk(request, story.period)
    if item not in {line.line.item.id for line in desk if line.line.item and not line.coming}:
        # A newer version has come, or is on its way: the page of this one says so.
        return await _draw_item(request, code, item, FormState())
    form = Form(f"{base}/{item}", [("outcome", ACCEPTED)], f"{base}/{item}")
    return await _confirm(request, base, story.period, [item], form, values)


def _in_its_field(problem: Problem, values: dict[str, str]) -> Problem:
    """A withdrawal's reasons stand in a field of their own."""
    if problem.field == "reasons" and values.get("outcome") == WITHDRAWN:
        return replace(problem, field=WITHDRAWAL_FIELD)
    return problem


def _ruling(values: dict[str, str]) -> Ruling:
    if values.get("outcome") == ACCEPTED:
        return Ruling(ACCEPTED)
    if values.get("outcome") == WITHDRAWN:
        return Ruling(WITHDRAWN, values.get(WITHDRAWAL_FIELD, ""))
    if values.get("outcome") != RETURNED:
        raise BadInput.one(None, "decision-unknown")
    lines = {
        name.removeprefix(LINE_FIELD): text
        for name, text in values.items()
        if name.startswith(LINE_FIELD) and text
    }
    return Ruling(RETURNED, values.get("reasons", ""), lines)


async def _draw_item(request: WebRequest, code: str, item: UUID, form: FormState, status: int = 200) -> Page:
    visit = visit_of(request)
    story = await standing.story(visit.viewer, item)
    desk = await _desk(request, story.period)
    line = next(
        (d for d in desk if d.line.school_code == story.school_code and d.line.item is not None), None
    )
    if line is None or line.line.item is None:
        raise NotFound
    overtaken = line.line.item.id != item
    if overtaken and not form.errors:
        return go_to(f"/bureaus/{code}/inbox/{line.line.item.id}", "newer-version")
    return page(
        request,
        "inbox_item.html",
        status,
        base=f"/bureaus/{code}/inbox",
        **_forms(form),
        overtaken=overtaken,
        decides=_is_clerk(visit),
        period=story.period,
        line=line,
        said=story.said[::-1],
        rolled_up=await rolled_up(story.bureau, story.period, story.school_code),
        **_read(request, await document_of(line.line.item, story.period, request.app.state.settings.data)),
        lengths={"reasons": REASONS_LENGTH, "line": LINE_LENGTH},
        grade=grade_names(request),
    )


def _forms(sent: FormState) -> dict[str, Any]:
    """The page's two forms with what was sent by one of them: `refused` is what is wrong with that as a whole, `typed`
    what stood in it.
    """
    form = replace(sent, errors={name: said for name, said in sent.errors.items() if name is not None})
    withdraws = form.value("outcome") == WITHDRAWN
    texts = [
        text
        for name, text in form.values.items()
        if name in {"reasons", WITHDRAWAL_FIELD} or name.startswith(LINE_FIELD)
    ]
    return {
        "refused": sent.error(),
        "typed": [text for text in texts if text],
        "withdraws": withdraws,
        "form": FormState() if withdraws else form,
        "withdrawal": form if withdraws else FormState(),
    }


def _read(request: WebRequest, document: ReturnDocument | None) -> dict[str, Any]:
    """What a page shows out of a return's document, if that can be read."""
    if document is None:
        return {"document": None, "vetoes": ()}
    return {
        "document": document,
        "view": view_of(request, document),
        "vetoes": _vetoes(document),
        "duties": score_view.duties(document),
        "exceptions": sorted(Counter(item.kind for item in document.exceptions).items()),
    }


@dataclass(frozen=True, slots=True)
class VetoLine:
    """An incident that decides the grade by itself, and why."""

    incident: Incident
    cause: str


def _vetoes(document: ReturnDocument) -> list[VetoLine]:
    incidents = {incident.id: incident for incident in document.incidents}
    return [VetoLine(incidents[veto.incident], veto.cause) for veto in document.score.veto]


# ---------------------------------------------------------------- the file
@get("/bureaus/{code:str}/inbox/{item:uuid}/pdf", guards=[at_bureau(*BUREAU)])
async def inbox_file(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Response[bytes]:
    """A received return, byte for byte."""
    del code
    return await send_received(request, item)


async def send_received(request: WebRequest, item: UUID) -> Response[bytes]:
    """The file of a received return."""
    visit = visit_of(request)
    return await send_file(request, *await queries.received_file(visit.viewer, visit.bureau, item))


ROUTER = Router("/", route_handlers=[inbox, accept_shown, received, decide_on, inbox_file])

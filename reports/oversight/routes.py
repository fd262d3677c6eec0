"""Pages of notes and samples. Reading goes through the read-only door for inspectors; what is sent writes through a
door of its own, which leads to their tables alone.
"""

from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports.oversight import actions, queries
from reports.oversight.actions import ANSWERING, INSPECTING, About
from reports.oversight.rules import MOST, USUAL
from reports.oversight.tables import DOOR
from safety import in_use
from safety.calendar import Period
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.ledger.declare import Ledger
from safety.places.facts import school_facts
from safety.rulebook import Rulebook
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import at_school
from safety.web.pages import go_to, page
from safety.web.quarters import quarters_of
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
BASE = "/notes/schools/{code:str}"
PARTIES = (*INSPECTING, *ANSWERING)


def _base(code: str) -> str:
    return f"/notes/schools/{code}"


def _entries_at(request: WebRequest, code: str) -> str:
    """Where links to entries and lines lead: an inspector's stay behind the read-only door."""
    visit = visit_of(request)
    inspects = visit.viewer.may(visit.school, *INSPECTING)
    return f"/inspect/schools/{code}" if inspects else f"/schools/{code}"


# ---------------------------------------------------------------- notes
@get(BASE, guards=[at_school(*PARTIES)])
async def notes(request: WebRequest, code: FromPath[str]) -> Page:
    """What inspectors noted and asked at a school; what waits for somebody first."""
    visit = visit_of(request)
    return page(
        request,
        "notes.html",
        facts=await school_facts(visit.school),
        base=_base(code),
        threads=await queries.threads(visit.viewer, visit.school),
        names=Names(visit.lang),
        inspects=visit.viewer.may(visit.school, *INSPECTING),
    )


@get(BASE + "/new", guards=[at_school(*INSPECTING)])
async def new_note(request: WebRequest, code: FromPath[str]) -> Page:
    """Write a comment or a query on an entry (`?ledger=&entry=`) or on a line (`?period=&line=`)."""
    return await _draw_new(request, code, FormState())


@post(BASE + "/new", guards=[at_school(*INSPECTING)], status_code=200)
async def save_note(request: WebRequest, code: FromPath[str]) -> Page:
    """Keep it, or show the form again."""
    visit, typed = visit_of(request), await form_values(request)
    try:
        thread = await actions.begin(
            visit.viewer,
            visit.school,
            _about(request),
            typed.get("kind", ""),
            typed.get("text", ""),
            typed.get("submission_key", ""),
            visit.now,
        )
    except BadInput as error:
        return await _draw_new(request, code, form_state(request, typed, error.problems), 400)
    except Conflict as error:
        problem = Problem(None, error.code, error.values)
        return await _draw_new(request, code, form_state(request, typed, [problem]), 409)
    return go_to(f"{_base(code)}/{thread}", "note-saved")


def _about(request: WebRequest) -> About:
    given = request.query_params
    if "entry" not in given:
        return About(period=given.get("period", ""), line=given.get("line", ""))
    try:
        return About(ledger=given.get("ledger", ""), entry=UUID(given["entry"]))
    except ValueError as error:
        raise NotFound from error


async def _draw_new(request: WebRequest, code: str, form: FormState, status: int = 200) -> Page:
    visit, about = visit_of(request), _about(request)
    await actions.check_about(visit.viewer, visit.school, about)
    return page(
        request,
        "note_new.html",
        status,
        facts=await school_facts(visit.school),
        base=_base(code),
        about=about,
        names=Names(visit.lang),
        entries_at=_entries_at(request, code),
        form=form,
    )


@get(BASE + "/{item:uuid}", guards=[at_school(*PARTIES)])
async def note_thread(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Page:
    """A comment or a query with all that followed."""
    return await _draw_thread(request, code, item, FormState())


@post(BASE + "/{item:uuid}", guards=[at_school(*PARTIES)], status_code=200)
async def follow_note(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Page:
    """Answer, settle, or add a comment."""
    visit, typed = visit_of(request), await form_values(request)
    try:
        await actions.follow(
            visit.viewer,
            visit.school,
            item,
            typed.get("kind", ""),
            typed.get("text", ""),
            typed.get("submission_key", ""),
            visit.now,
        )
    except BadInput as error:
        return await _draw_thread(request, code, item, form_state(request, typed, error.problems), 400)
    except Conflict as error:
        problem = Problem(None, error.code, error.values)
        return await _draw_thread(request, code, item, form_state(request, typed, [problem]), 409)
    return go_to(f"{_base(code)}/{item}", "note-saved")


async def _draw_thread(
    request: WebRequest, code: str, item: UUID, form: FormState, status: int = 200
) -> Page:
    visit = visit_of(request)
    thread = queries.Thread(await queries.thread(visit.viewer, visit.school, item))
    kinds = [
        kind
        for kind, roles in actions.FOLLOWING.items()
        if visit.viewer.may(visit.school, *roles) and (thread.is_open or kind == "comment")
    ]
    return page(
        request,
        "note_thread.html",
        status,
        facts=await school_facts(visit.school),
        base=_base(code),
        thread=thread,
        names=Names(visit.lang),
        entries_at=_entries_at(request, code),
        kinds=kinds,
        form=form,
    )


class Names:
    """What ledgers and lines are called, for a page's language."""

    def __init__(self, lang: str) -> None:
        self._lang = lang
        self._ledgers: dict[str, Ledger] = {item.name: item for item in in_use.registry()}

    def ledger(self, name: str) -> str:
        """A ledger's title; its name for one that is no longer kept."""
        found = self._ledgers.get(name)
        return found.title.to(self._lang) if found else name

    def line(self, period: str, line: str) -> str:
        """A line's name on the sheet of its quarter."""
        return Rulebook.of(in_use.standards(), Period.parse(period)).sheet.line(line).name(self._lang)


# ---------------------------------------------------------------- samples
@get(BASE + "/samples", guards=[at_school(*INSPECTING)])
async def samples(request: WebRequest, code: FromPath[str]) -> Page:
    """The samples drawn at a school, and the form that draws another."""
    return await _draw_samples(request, code, FormState())


@post(BASE + "/samples", guards=[at_school(*INSPECTING)], status_code=200)
async def save_sample(request: WebRequest, code: FromPath[str]) -> Page:
    """Draw one; twice the same form draws once."""
    visit, typed = visit_of(request), await form_values(request)
    try:
        drawn = await actions.draw_sample(
            visit.viewer,
            visit.school,
            _quarter(typed.get("period", "")),
            typed.get("ledger", ""),
            _size(typed.get("size", "")),
            typed.get("submission_key", ""),
            visit.now,
        )
    except BadInput as error:
        return await _draw_samples(request, code, form_state(request, typed, error.problems), 400)
    return go_to(f"{_base(code)}/samples/{drawn}", "sample-drawn")


def _quarter(text: str) -> Period:
    try:
        return Period.parse(text)
    except ValueError as error:
        raise BadInput.one("period", "bad-period", value=text) from error


def _size(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 6):
        raise BadInput.one("size", "integer-form", text=text)
    return int(text)


async def _draw_samples(request: WebRequest, code: str, form: FormState, status: int = 200) -> Page:
    visit = visit_of(request)
    return page(
        request,
        "samples.html",
        status,
        facts=await school_facts(visit.school),
        base=_base(code),
        samples=await queries.samples(visit.viewer, visit.school),
        quarters=quarters_of(request),
        ledgers=[(item.name, item.title.to(visit.lang)) for item in in_use.registry()],
        names=Names(visit.lang),
        usual=USUAL,
        most=MOST,
        form=form,
    )


@get(BASE + "/samples/{item:uuid}", guards=[at_school(*INSPECTING)])
async def sample(request: WebRequest, code: FromPath[str], item: FromPath[UUID]) -> Page:
    """The entries of a sample, each with the way to it and to a note on it; how it was drawn, to be drawn again."""
    visit = visit_of(request)
    found = await queries.sample(visit.viewer, visit.school, item)
    return page(
        request,
        "sample.html",
        facts=await school_facts(visit.school),
        base=_base(code),
        found=found,
        lines=await queries.looked(visit.viewer, visit.school, found),
        again=await queries.drawn_again(visit.school, found),
        names=Names(visit.lang),
        entries_at=_entries_at(request, code),
    )


ROUTER = Router(
    "/",
    route_handlers=[
        notes, new_note, save_note, note_thread, follow_note, samples, save_sample, sample,
    ],
    opt={"writes_only": DOOR},
)  # fmt: skip

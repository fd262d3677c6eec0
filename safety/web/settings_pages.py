"""A school's settings: profile, classes, terms, days; and a bureau's new schools."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from functools import partial
from typing import Any

from litestar import Response, Router, get, post
from litestar.params import FromPath

from safety.access.scope import Scope
from safety.calendar import Period
from safety.clock import local_day
from safety.errors import NotFound
from safety.facts import MEALS, STAGES, school_year_of, school_year_span
from safety.ledger.parse import YEARS
from safety.places import actions, queries
from safety.places.facts import school_facts
from safety.web import settings
from safety.web.forms import FormState, form_values, save_or_show
from safety.web.guards import at_bureau, at_school
from safety.web.pages import go_to, page
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
BASE = "/schools/{code:str}/settings"
KEEPERS = ("officer", "principal", "clerk")
SHOWN_DAYS = 60
LAST_NUMBER = 2**31 - 1
"""The largest id of a row; a larger one in an address is nobody's."""


# ---------------------------------------------------------------- all of it
@get(BASE, guards=[at_school(*KEEPERS)])
async def settings_page(request: WebRequest, code: FromPath[str]) -> Page:
    """Everything at a glance; `?quarter=2026Q4` turns the calendar, also ahead."""
    visit = visit_of(request)
    today = local_day(visit.now)
    facts = await school_facts(visit.school)
    quarter = _quarter(request, today)
    return page(
        request,
        "settings.html",
        facts=facts,
        base=f"/schools/{code}/settings",
        profile=await queries.school(visit.viewer, visit.school),
        classes=facts.classes_on(today),
        pupils=sum(item.sizes[-1][1] for item in facts.classes_on(today) if item.sizes),
        campuses=await queries.campuses(visit.viewer, visit.school),
        zones=await queries.zones(visit.viewer, visit.school),
        terms=(await queries.terms(visit.viewer, visit.school))[::-1],
        closures=(await queries.closures(visit.viewer, visit.school))[: -SHOWN_DAYS - 1 : -1],
        quarter=quarter,
        months=[(first, settings.month_of(facts.calendar, first, last)) for first, last in quarter.months()],
        count=facts.calendar.count(quarter.start, quarter.end),
        provisional=facts.calendar.provisional_years(quarter.start, quarter.end),
        today=today,
    )


def _quarter(request: WebRequest, today: date) -> Period:
    """The quarter asked for, if its neighbours can be turned to as well."""
    try:
        asked = Period.parse(request.query_params.get("quarter", ""))
    except ValueError:
        return Period.of(today)
    return asked if asked.start.year in YEARS else Period.of(today)


# ---------------------------------------------------------------- profile
@get(BASE + "/profile", guards=[at_school("admin")])
async def profile_page(request: WebRequest) -> Page:
    """The school's own values in a form."""
    visit = visit_of(request)
    row = await queries.school(visit.viewer, visit.school)
    texts = {name: str(getattr(row, name)) for name in ("name", "name_en", "stage", "enrolment")}
    ticks = {name: "true" for name in ("has_canteen", "boarding", "has_bus") if getattr(row, name)}
    return await _profile(request, row.meals.split("+"), "", FormState(texts | ticks))


async def _profile(
    request: WebRequest, meals: list[str], new: str, form: FormState, status: int = 200
) -> Page:
    where = request.path_params["code"]
    back = f"/bureaus/{where}" if new else f"/schools/{where}/settings"
    return page(
        request,
        "settings_profile.html",
        status,
        form=form,
        stages=STAGES,
        meals=MEALS,
        chosen=meals,
        back=back,
        new=bool(new),
    )


@post(BASE + "/profile", guards=[at_school("admin")], status_code=200)
async def save_profile(request: WebRequest, code: FromPath[str]) -> Page:
    """Change them; its code and its bureau stay."""
    visit = visit_of(request)
    typed, meals = await _typed(request)

    async def save() -> None:
        bureau = (await school_facts(visit.school)).bureau
        said = settings.school_of(typed, meals, code, bureau)
        await actions.change_school(visit.viewer, visit.school, said, visit.now)

    again = partial(_profile, request, meals, "")
    return await save_or_show(request, typed, save(), again, f"/schools/{code}/settings")


async def _typed(request: WebRequest) -> tuple[dict[str, str], list[str]]:
    meals = [str(meal) for meal in (await request.form()).getall("meals", [])]
    return await form_values(request), meals


# ---------------------------------------------------------------- classes
@get(BASE + "/classes", guards=[at_school(*KEEPERS)])
async def classes_page(request: WebRequest) -> Page:
    """The classes of a school year as lines to mend; `?year=2026-2027` names it."""
    year = _year(request.query_params.get("year", ""), request)
    visit = visit_of(request)
    known = await settings.classes_of(visit.viewer, visit.school, year)
    return await _classes(request, year, FormState({"classes": "\n".join(map(settings.line_of, known))}))


async def _classes(request: WebRequest, year: str, form: FormState, status: int = 200) -> Page:
    current = school_year_of(local_day(visit_of(request).now))
    begins = school_year_span(current)[0].year
    return page(
        request,
        "settings_classes.html",
        status,
        form=form,
        year=year,
        years=[current, f"{begins + 1}-{begins + 2}"],
        base=f"/schools/{request.path_params['code']}/settings",
        problems=[(place, said) for place, said in form.errors.items() if place not in {None, "classes"}],
    )


def _year(text: str, request: WebRequest) -> str:
    try:
        school_year_span(text)
    except ValueError:
        return school_year_of(local_day(visit_of(request).now))
    return text


@post(BASE + "/classes", guards=[at_school(*KEEPERS)], status_code=200)
async def save_classes(request: WebRequest, code: FromPath[str]) -> Page:
    """Add and change classes, all lines or none."""
    visit = visit_of(request)
    typed = await form_values(request)
    year = _year(typed.get("year", ""), request)
    saving = settings.save_classes(visit.viewer, visit.school, year, typed.get("classes", ""), visit.now)
    again = partial(_classes, request, year)
    return await save_or_show(request, typed, saving, again, f"/schools/{code}/settings")


# ---------------------------------------------------------------- terms and days
@get(BASE + "/terms", guards=[at_school(*KEEPERS)])
async def term_page(request: WebRequest) -> Page:
    """A new term."""
    return await _small(request, "settings_term.html", FormState())


@post(BASE + "/terms", guards=[at_school(*KEEPERS)], status_code=200)
async def save_term(request: WebRequest) -> Page:
    """Add or move a term."""
    return await _save_small(request, "settings_term.html", settings.add_term)


@get(BASE + "/days", guards=[at_school(*KEEPERS)])
async def day_page(request: WebRequest) -> Page:
    """A closure or an extra day."""
    return await _small(request, "settings_days.html", FormState(_asked(request.query_params)))


def _asked(query: Mapping[str, Any]) -> dict[str, str]:
    return {"since": str(query["since"])} if "since" in query else {}


@post(BASE + "/days", guards=[at_school(*KEEPERS)], status_code=200)
async def save_days(request: WebRequest) -> Page:
    """Close the school, or hold lessons, on these days."""
    return await _save_small(request, "settings_days.html", settings.add_days)


async def _small(request: WebRequest, template: str, form: FormState, status: int = 200) -> Page:
    base = f"/schools/{request.path_params['code']}/settings"
    return page(request, template, status, form=form, base=base)


async def _save_small(
    request: WebRequest,
    template: str,
    save: Callable[[Scope, int, settings.Raw, datetime], Awaitable[None]],
) -> Page:
    visit = visit_of(request)
    typed = await form_values(request)
    saving = save(visit.viewer, visit.school, typed, visit.now)
    base = f"/schools/{request.path_params['code']}/settings"
    return await save_or_show(request, typed, saving, partial(_small, request, template), base)


@post(BASE + "/{kind:str}/{number:int}/remove", guards=[at_school(*KEEPERS)], status_code=200)
async def remove(
    request: WebRequest, code: FromPath[str], kind: FromPath[str], number: FromPath[int]
) -> Page:
    """Take a term or a closure away."""
    visit = visit_of(request)
    removals = {"term": actions.remove_term, "closure": actions.remove_closure}
    if kind not in removals or number > LAST_NUMBER:
        raise NotFound
    await removals[kind](visit.viewer, visit.school, number, visit.now)
    return go_to(f"/schools/{code}/settings", "settings-removed")


# ---------------------------------------------------------------- a bureau's new schools
@get("/bureaus/{code:str}/schools/new", guards=[at_bureau("admin")])
async def new_school_page(request: WebRequest, code: FromPath[str]) -> Page:
    """An empty profile."""
    form = FormState({"stage": "primary", "has_canteen": "true"})
    return await _profile(request, ["lunch"], code, form)


@post("/bureaus/{code:str}/schools/new", guards=[at_bureau("admin")], status_code=200)
async def save_school(request: WebRequest, code: FromPath[str]) -> Page:
    """Add a school to the bureau."""
    visit = visit_of(request)
    typed, meals = await _typed(request)
    chosen = typed.get("code", "")

    async def save() -> None:
        said = settings.school_of(typed, meals, chosen, visit.bureau)
        await actions.create_school(visit.viewer, said, visit.now)

    again = partial(_profile, request, meals, code)
    return await save_or_show(request, typed, save(), again, f"/schools/{chosen}/settings", "school-added")


ROUTER = Router(
    "/",
    route_handlers=[
        settings_page,
        profile_page,
        save_profile,
        classes_page,
        save_classes,
        term_page,
        save_term,
        day_page,
        save_days,
        remove,
        new_school_page,
        save_school,
    ],
)

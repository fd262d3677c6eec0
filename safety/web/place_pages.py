"""An administrator's bureaus; a school's campuses and grid zones."""

from functools import partial

from litestar import Response, Router, get, post
from litestar.params import FromPath

from safety.errors import BadInput
from safety.places import actions, queries
from safety.places.actions import NewBureau
from safety.web.forms import FormState, form_values, save_or_show
from safety.web.guards import at_bureau, at_school
from safety.web.pages import page
from safety.web.settings_pages import BASE, KEEPERS
from safety.web.visit import WebRequest, visit_of

Page = Response[str]


# ---------------------------------------------------------------- bureaus
@get("/bureaus/{code:str}/bureaus/new", guards=[at_bureau("admin")])
async def new_bureau_page(request: WebRequest) -> Page:
    """An empty form for a bureau below this one."""
    return await _bureau(request, True, FormState())


@post("/bureaus/{code:str}/bureaus/new", guards=[at_bureau("admin")], status_code=200)
async def save_bureau(request: WebRequest, code: FromPath[str]) -> Page:
    """Add it."""
    del code
    visit = visit_of(request)
    typed = await form_values(request)
    said = NewBureau(
        typed.get("code", ""),
        typed.get("name", ""),
        visit.bureau,
        elsewhere=typed.get("elsewhere") == "true",
    )
    saving = actions.create_bureau(visit.viewer, said, visit.now)
    again = partial(_bureau, request, True)
    return await save_or_show(request, typed, saving, again, f"/bureaus/{said.code}", "bureau-added")


@get("/bureaus/{code:str}/profile", guards=[at_bureau("admin")])
async def bureau_page(request: WebRequest) -> Page:
    """Its name and the bureau above it, in a form."""
    known = {row.id: row for row in await queries.bureaus(visit_of(request).viewer)}
    own = known[visit_of(request).bureau]
    above = known[own.parent].code if own.parent is not None else ""
    elsewhere = {"elsewhere": "true"} if own.elsewhere else {}
    return await _bureau(request, False, FormState({"name": own.name, "parent": above} | elsewhere))


@post("/bureaus/{code:str}/profile", guards=[at_bureau("admin")], status_code=200)
async def change_bureau(request: WebRequest, code: FromPath[str]) -> Page:
    """Change them; its code, which stands in addresses, stays."""
    visit = visit_of(request)
    typed = await form_values(request)
    above = typed.get("parent", "")
    ids = {row.code: row.id for row in await queries.bureaus(visit.viewer)}

    async def save() -> None:
        if above and above not in ids:
            raise BadInput.one("parent", "unknown-code", code=above)
        await actions.change_bureau(
            visit.viewer,
            visit.bureau,
            typed.get("name", ""),
            ids.get(above),
            visit.now,
            elsewhere=typed.get("elsewhere") == "true",
        )

    return await save_or_show(request, typed, save(), partial(_bureau, request, False), f"/bureaus/{code}")


async def _bureau(request: WebRequest, new: bool, form: FormState, status: int = 200) -> Page:
    code = request.path_params["code"]
    known = await queries.bureaus(visit_of(request).viewer)
    return page(
        request,
        "settings_bureau.html",
        status,
        form=form,
        back=f"/bureaus/{code}",
        above=next(row for row in known if row.code == code),
        others=[(row.code, row.name) for row in known if row.code != code],
        new=new,
    )


# ---------------------------------------------------------------- campuses and zones
@get(BASE + "/places", guards=[at_school(*KEEPERS)])
async def places_page(request: WebRequest) -> Page:
    """The campuses with their zones, and a form for another."""
    return await _places(request, FormState())


@post(BASE + "/places", guards=[at_school(*KEEPERS)], status_code=200)
async def save_place(request: WebRequest, code: FromPath[str]) -> Page:
    """Add a zone to the campus that was chosen, or, where none was, a campus."""
    visit = visit_of(request)
    typed = await form_values(request)
    name, chosen = typed.get("name", ""), typed.get("campus", "")
    known = {str(row.id): row.id for row in await queries.campuses(visit.viewer, visit.school)}

    async def save() -> None:
        if chosen and chosen not in known:
            raise BadInput.one("campus", "place-unknown", place=chosen)
        if chosen:
            await actions.create_zone(visit.viewer, visit.school, known[chosen], name, visit.now)
        else:
            await actions.create_campus(visit.viewer, visit.school, name, visit.now)

    again = partial(_places, request)
    return await save_or_show(request, typed, save(), again, f"/schools/{code}/settings/places")


async def _places(request: WebRequest, form: FormState, status: int = 200) -> Page:
    visit = visit_of(request)
    campuses = await queries.campuses(visit.viewer, visit.school)
    zones = await queries.zones(visit.viewer, visit.school)
    return page(
        request,
        "settings_places.html",
        status,
        form=form,
        base=f"/schools/{request.path_params['code']}/settings",
        campuses=[(row, [zone.name for zone in zones if zone.campus == row.id]) for row in campuses],
    )


ROUTER = Router(
    "/",
    route_handlers=[new_bureau_page, save_bureau, bureau_page, change_bureau, places_page, save_place],
)

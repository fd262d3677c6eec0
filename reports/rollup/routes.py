"""A clerk's pages of the roll-up: the page itself, a further version, the day on which it is sealed."""

from functools import partial
from uuid import UUID

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports.bureau.pages import bureau_door
from reports.rollup import actions as rollup_actions
from reports.rollup.due import MOST_DAYS
from reports.rollup.pages import draw_rollup, is_clerk, last_closed, send_rollup
from safety.errors import BadInput, Conflict, Problem
from safety.web.forms import FormState, form_state, form_values, save_or_show
from safety.web.guards import at_bureau
from safety.web.pages import go_to, page
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
BASE = "/bureaus/{code:str}/rollups"


@get(BASE, guards=[at_bureau("clerk")])
async def rollup_page(request: WebRequest, code: FromPath[str]) -> Page:
    """The sealed roll-up of a quarter, or what it would be; `?period=` names the quarter."""
    return await draw_rollup(request, bureau_door(code))


@post(BASE, guards=[at_bureau("clerk")], status_code=200)
async def seal_again(request: WebRequest, code: FromPath[str]) -> Page:
    """A further version, with the reason for it."""
    visit, period = visit_of(request), last_closed(request).shown
    typed, settings = await form_values(request), request.app.state.settings
    reason, key = typed.get("reason", ""), typed.get("submission_key", "")
    try:
        await rollup_actions.seal_again(
            visit.viewer,
            visit.bureau,
            period,
            reason,
            key,
            settings.data,
            visit.now,
            test_clock=settings.test_clock is not None,
        )
    except BadInput as error:
        return await draw_rollup(request, bureau_door(code), form_state(request, typed, error.problems), 400)
    except Conflict as error:
        kept = {"reason": reason}
        state = form_state(request, kept, [Problem(None, error.code, error.values)])
        return await draw_rollup(request, bureau_door(code), state, 409)
    return go_to(f"/bureaus/{code}/rollups?period={period.id}", "rollup-sealed")


@get(BASE + "/{item:uuid}/pdf", guards=[at_bureau("clerk")])
async def rollup_file(request: WebRequest, item: FromPath[UUID]) -> Response[bytes]:
    """The file of a sealed roll-up, or of one that a county sent."""
    return await send_rollup(request, item)


# ---------------------------------------------------------------- the day
@get(BASE + "/day", guards=[at_bureau("clerk")])
async def day_page(request: WebRequest) -> Page:
    """On which day after a quarter the roll-up is sealed."""
    visit = visit_of(request)
    kept = await rollup_actions.setting_of(visit.bureau, last_closed(request).shown)
    moved = "true" if kept.next_working_day else ""
    return await _day(request, FormState({"day": str(kept.day), "next_working_day": moved}))


async def _day(request: WebRequest, form: FormState, status: int = 200) -> Page:
    base = f"/bureaus/{request.path_params['code']}/rollups"
    may = is_clerk(visit_of(request))
    return page(request, "rollup_day.html", status, form=form, base=base, most=MOST_DAYS, may=may)


@post(BASE + "/day", guards=[at_bureau("clerk")], status_code=200)
async def save_day(request: WebRequest, code: FromPath[str]) -> Page:
    """Set it."""
    visit = visit_of(request)
    typed = await form_values(request)

    async def save() -> None:
        day = typed.get("day", "")
        number = int(day) if day.isascii() and day.isdecimal() and len(day) < 4 else 0
        moved = typed.get("next_working_day") == "true"
        await rollup_actions.save_setting(visit.viewer, visit.bureau, number, moved, visit.now)

    return await save_or_show(request, typed, save(), partial(_day, request), f"/bureaus/{code}/rollups")


ROUTER = Router("/", route_handlers=[rollup_page, seal_again, rollup_file, day_page, save_day])

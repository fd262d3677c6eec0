"""The administrators' page of senders on other instances: enrolled with a certificate, given a token, ended."""

from __future__ import annotations

from litestar import Response, Router, get, post
from litestar.params import FromPath

from reports.delivery import peers
from reports.sealing.keys import in_groups
from safety.errors import BadInput, Conflict, NotFound, Problem
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import requires
from safety.web.pages import go_to, page
from safety.web.settings_pages import LAST_NUMBER
from safety.web.visit import WebRequest, visit_of

Page = Response[str]


@get("/admin/peers", guards=[requires("admin")])
async def peers_page(request: WebRequest) -> Page:
    """Who may send, and the form to enrol another."""
    return await _show(request, FormState())


@post("/admin/peers", guards=[requires("admin")], status_code=200)
async def add_peer(request: WebRequest) -> Page:
    """Enrol one; the answer is the only time that its token can be seen."""
    visit = visit_of(request)
    values = await form_values(request)
    try:
        code, certificate = values.get("code", ""), values.get("certificate", "")
        data = request.app.state.settings.data
        made = await peers.add(visit.viewer, code, certificate, data, visit.now)
    except BadInput as error:
        return await _show(request, form_state(request, values, error.problems), 400)
    except Conflict as error:
        problem = Problem("code", error.code, error.values)
        return await _show(request, form_state(request, values, [problem]), 409)
    return page(request, "peer_added.html", made=made, groups=in_groups)


@post("/admin/peers/{number:int}/revoke", guards=[requires("admin")], status_code=200)
async def revoke_peer(request: WebRequest, number: FromPath[int]) -> Page:
    """End a sender's token."""
    visit = visit_of(request)
    if number > LAST_NUMBER:
        raise NotFound
    await peers.revoke(visit.viewer, number, visit.now)
    return go_to("/admin/peers", "peer-revoked")


async def _show(request: WebRequest, form: FormState, status: int = 200) -> Page:
    found = await peers.listed(visit_of(request).viewer)
    return page(request, "peers.html", status, form=form, peers=found, groups=in_groups)


ROUTER = Router("/", route_handlers=[peers_page, add_peer, revoke_peer])

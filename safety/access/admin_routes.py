"""Administrators' pages: accounts in a list, made in bulk, their one-time passwords printed as slips; API tokens."""

from collections.abc import Sequence

from litestar import Response, Router, get, post
from litestar.params import FromPath

from safety.access import actions, bulk, queries
from safety.access.scope import ROLES
from safety.errors import BadInput, NotFound
from safety.web.forms import FormState, form_state, form_values
from safety.web.guards import requires
from safety.web.pages import go_to, page
from safety.web.paging import page_number
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
PER_PAGE = 50


@get("/admin/accounts", guards=[requires("admin")])
async def accounts_page(request: WebRequest) -> Page:
    """All accounts, some at a time; `?q=` searches login and name."""
    viewer = visit_of(request).viewer
    search = request.query_params.get("q", "").strip()[:64]
    number = page_number(request)
    total = await queries.count_accounts(viewer, search)
    found = await queries.list_accounts(viewer, search, (number - 1) * PER_PAGE, PER_PAGE)
    return page(
        request, "accounts.html", accounts=found, search=search, total=total, number=number, per_page=PER_PAGE
    )


@get("/admin/accounts/new", guards=[requires("admin")])
async def new_accounts_page(request: WebRequest) -> Page:
    """Paste lines, one person each."""
    return page(request, "accounts_new.html", form=FormState(), roles=ROLES, problems=[])


@post("/admin/accounts/new", guards=[requires("admin")], status_code=200)
async def make_accounts(request: WebRequest) -> Page:
    """Make all of them or none; the answer is the only time that the passwords can be seen."""
    visit = visit_of(request)
    values = await form_values(request)
    try:
        people = await bulk.read_people(visit.viewer, values.get("people", ""), visit.now)
        made = await actions.create_accounts(visit.viewer, people, visit.now)
    except BadInput as error:
        form = form_state(request, values, bulk.with_line_numbers(error.problems))
        return page(
            request,
            "accounts_new.html",
            400,
            form=form,
            roles=ROLES,
            problems=[(place, said) for place, said in form.errors.items() if place != "people"],
        )
    return _slips(request, made)


@post("/admin/accounts/{login:str}/reset", guards=[requires("admin")], status_code=200)
async def reset(request: WebRequest, login: FromPath[str]) -> Page:
    """A new one-time password, shown once."""
    visit = visit_of(request)
    return _slips(request, [await actions.reset_password(visit.viewer, login, visit.now)])


@post("/admin/accounts/{login:str}/disable", guards=[requires("admin")], status_code=200)
async def disable(request: WebRequest, login: FromPath[str]) -> Page:
    """Close an account."""
    visit = visit_of(request)
    await actions.disable(visit.viewer, login, visit.now)
    return go_to("/admin/accounts", "account-disabled")


@post("/admin/accounts/{login:str}/enable", guards=[requires("admin")], status_code=200)
async def enable(request: WebRequest, login: FromPath[str]) -> Page:
    """Open it again."""
    visit = visit_of(request)
    await actions.enable(visit.viewer, login, visit.now)
    return go_to("/admin/accounts", "account-enabled")


# ---------------------------------------------------------------- programs
LAST_NUMBER = 2**31 - 1


@get("/admin/tokens", guards=[requires("admin")])
async def tokens_page(request: WebRequest) -> Page:
    """The API tokens in use, whose they are and what for."""
    return page(request, "tokens.html", tokens=await queries.list_tokens(visit_of(request).viewer))


@post("/admin/tokens/{number:int}/revoke", guards=[requires("admin")], status_code=200)
async def revoke(request: WebRequest, number: FromPath[int]) -> Page:
    """End one of them."""
    if number > LAST_NUMBER:
        raise NotFound
    visit = visit_of(request)
    await actions.revoke_token(visit.viewer, number, visit.now)
    return go_to("/admin/tokens", "token-revoked")


def _slips(request: WebRequest, made: Sequence[actions.NewAccount]) -> Page:
    base_url = request.app.state.kernel.base_url
    return page(request, "slips.html", accounts=made, base_url=base_url)


ROUTER = Router(
    "/",
    route_handlers=[
        accounts_page, new_accounts_page, make_accounts, reset, disable, enable, tokens_page, revoke,
    ],
)  # fmt: skip

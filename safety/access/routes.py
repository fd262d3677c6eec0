"""Signing in and out, one's own password and language, and the first set-up."""

from urllib.parse import urlsplit

from litestar import Response, Router, get, post

from safety.access import actions, queries, setup
from safety.access.rules import SESSION_FOR
from safety.errors import BadInput, NotFound, Problem
from safety.text import LANGUAGES
from safety.web.forms import FormState, form_state, form_values, raw_value
from safety.web.guards import OWN_ACCOUNT, open_to_all, signed_in
from safety.web.kernel import kernel_of
from safety.web.pages import go_to, page
from safety.web.sessions import LANGUAGE_COOKIE
from safety.web.visit import WebRequest, visit_of

Page = Response[str]
BODY_LIMIT = 64 * 1024
"""Anybody may send these forms, and taking a large one apart keeps everybody else waiting."""


@get("/login", guards=[open_to_all()], opt=OWN_ACCOUNT)
async def login_page(request: WebRequest) -> Page:
    """The sign-in page; the first set-up instead while there is no account; home for who is signed in."""
    if visit_of(request).scope is not None:
        return go_to("/")
    if not await queries.account_exists():
        return go_to("/setup")
    return page(request, "login.html", form=FormState(), next=_local(request.query_params.get("next", "")))


@post("/login", guards=[open_to_all()], opt=OWN_ACCOUNT, status_code=200)
async def log_in(request: WebRequest) -> Page:
    """Check login and password; a fresh session takes the place of whatever the browser sent."""
    values = await form_values(request)
    visit = visit_of(request)
    target = _local(values.get("next", ""))
    try:
        token = await actions.sign_in(
            values.get("login", ""), await raw_value(request, "password"), visit.now, visit.session_token
        )
    except BadInput as error:
        return page(request, "login.html", 400, form=form_state(request, values, error.problems), next=target)
    _hand_out(request, token)
    return go_to(target or "/")


@post("/logout", guards=[open_to_all()], opt=OWN_ACCOUNT, status_code=200)
async def log_out(request: WebRequest) -> Page:
    """End this session."""
    visit = visit_of(request)
    if visit.session_token:
        await actions.sign_out(visit.session_token)
    kernel = kernel_of(request)
    visit.cookies.append(kernel.cookie(kernel.session_cookie, "", max_age=0))
    return go_to("/login", "signed-out")


@get("/password", guards=[signed_in()], opt=OWN_ACCOUNT)
async def password_page(request: WebRequest) -> Page:
    """One's own account: password and language."""
    return page(request, "password.html", form=FormState())


@post("/password", guards=[signed_in()], opt=OWN_ACCOUNT, status_code=200)
async def change_password(request: WebRequest) -> Page:
    """Replace the password; every other session of the account ends."""
    visit = visit_of(request)
    old, new, again = [await raw_value(request, name) for name in ("old", "new", "again")]
    try:
        if new != again:
            raise BadInput.one("again", "password-differs")
        token = await actions.change_password(visit.viewer, old, new, visit.now)
    except BadInput as error:
        form = form_state(request, await form_values(request), error.problems)
        return page(request, "password.html", 400, form=form)
    _hand_out(request, token)
    return go_to("/", "password-changed")


@post("/language", guards=[signed_in()], opt=OWN_ACCOUNT, status_code=200)
async def choose_language(request: WebRequest) -> Page:
    """Keep a language with the account; the browser's own choice made by `?lang=` is forgotten."""
    visit = visit_of(request)
    language = (await form_values(request)).get("language", "")
    if language not in LANGUAGES:
        raise BadInput.one("language", "language-unknown")
    await actions.set_language(visit.viewer, language, visit.now)
    visit.cookies.append(f"{LANGUAGE_COOKIE}=; Path=/; SameSite=Lax; Max-Age=0")
    return go_to("/password", "language-changed")


@get("/setup", guards=[open_to_all()], opt=OWN_ACCOUNT)
async def setup_page(request: WebRequest) -> Page:
    """First set-up; 404 as soon as there is an account."""
    await _only_before_any_account()
    return page(request, "setup.html", form=FormState())


@post("/setup", guards=[open_to_all()], opt=OWN_ACCOUNT, status_code=200)
async def set_up(request: WebRequest) -> Page:
    """Make the first bureau and the first administrator, signed in at once."""
    await _only_before_any_account()
    values = await form_values(request)
    try:
        token = await setup.first_setup(await _asked(request, values), visit_of(request).now)
    except BadInput as error:
        return page(request, "setup.html", 400, form=form_state(request, values, error.problems))
    _hand_out(request, token)
    return go_to("/", "set-up")


async def _asked(request: WebRequest, values: dict[str, str]) -> setup.FirstSetup:
    password = await raw_value(request, "password")
    if password != await raw_value(request, "again"):
        raise BadInput([Problem("again", "password-differs")])
    return setup.FirstSetup(
        bureau_code=values.get("bureau_code", ""),
        bureau_name=values.get("bureau_name", ""),
        login=values.get("login", ""),
        name=values.get("name", ""),
        password=password,
    )


async def _only_before_any_account() -> None:
    if await queries.account_exists():
        raise NotFound


def _hand_out(request: WebRequest, token: str) -> None:
    """Give the browser its new session and take back the cookie that protected the sign-in form."""
    kernel, visit = kernel_of(request), visit_of(request)
    visit.cookies = [cookie for cookie in visit.cookies if cookie.startswith(LANGUAGE_COOKIE)]
    visit.cookies.append(
        kernel.cookie(kernel.session_cookie, token, max_age=int(SESSION_FOR.total_seconds()))
    )
    visit.cookies.append(kernel.cookie(kernel.anonymous_cookie, "", max_age=0))


def _local(target: str) -> str:
    """A path of ours to go on to, or nothing: never another site, however it is spelled."""
    parts = urlsplit(target)
    fine = (
        target.startswith("/")
        and not target.startswith(("//", "/\\"))
        and not parts.netloc
        and not parts.scheme
    )
    return target if fine and target.isprintable() and "\\" not in target else ""


ROUTER = Router(
    "/",
    route_handlers=[
        login_page,
        log_in,
        log_out,
        password_page,
        change_password,
        choose_language,
        setup_page,
        set_up,
    ],
    request_max_body_size=BODY_LIMIT,
)

"""Who is calling: the session cookie or the bearer token, read once per request, before any guard runs."""

from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Send
from litestar.types import Scope as AsgiScope

from safety.access import queries, tokens
from safety.access.actions import touch_session
from safety.database import read_only_door
from safety.doors import writing_only
from safety.text import LANGUAGES, pick_language
from safety.web.guards import READING
from safety.web.kernel import Kernel
from safety.web.visit import Visit

LANGUAGE_COOKIE = "safe-campus-lang"
YEAR = 365 * 24 * 3600


class Reception(ASGIMiddleware):
    """Refuses unknown hosts, makes the `Visit`, opens the door through which this request sees the database."""

    scopes = (ScopeType.HTTP,)
    exclude_opt_key = "bare"

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        kernel: Kernel = scope["litestar_app"].state.kernel
        headers = dict(scope["headers"])
        _check_host(kernel, headers)
        _check_address(scope)
        visit = await make_visit(kernel, scope["path"], headers, scope["query_string"])
        scope["state"]["visit"] = visit
        await _raise_alarms(kernel, visit, scope["path"])
        own_tables = _own_tables(scope)
        if own_tables:
            with writing_only(*own_tables):
                await next_app(scope, receive, send)
        elif _behind_door(visit, scope):
            async with read_only_door():
                await next_app(scope, receive, send)
        else:
            await next_app(scope, receive, send)


async def _raise_alarms(kernel: Kernel, visit: Visit, path: str) -> None:
    if visit.scope is not None and not visit.scope.must_change_password and not path.startswith("/api/"):
        visit.alarms = [call for alarm in kernel.alarms for call in await alarm(visit.scope, visit.now)]


def _own_tables(scope: AsgiScope) -> tuple[str, ...]:
    """The tables that a form behind the notes' door writes, whoever sends it; reading goes as elsewhere."""
    tables: tuple[str, ...] = scope["route_handler"].opt.get("writes_only", ())
    return () if scope.get("method", "GET") in READING else tables


def _behind_door(visit: Visit, scope: AsgiScope) -> bool:
    """Inspectors' requests run on a connection that cannot write, except where only their own account
    changes; the pages of inspection do so whoever asks.
    """
    opt = scope["route_handler"].opt
    if visit.scope is None or "own_account" in opt:
        return False
    return visit.scope.read_only or "read_only" in opt


def _check_host(kernel: Kernel, headers: dict[bytes, bytes]) -> None:
    host = headers.get(b"host", b"").decode("latin-1").lower()
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name not in kernel.hosts:
        raise HTTPException(status_code=400, detail="unknown host")


def _check_address(scope: AsgiScope) -> None:
    """NUL is in no address of ours, and a database may choke on it."""
    if "\0" in scope["path"] or b"%00" in scope["query_string"]:
        raise HTTPException(status_code=400, detail="NUL in the address")


async def make_visit(kernel: Kernel, path: str, headers: dict[bytes, bytes], query: bytes) -> Visit:
    """Who calls, in which language, and what their forms must send back."""
    visit = Visit(now=kernel.clock.now())
    if path.startswith("/api/"):
        await _recognise_bearer(visit, headers)
        visit.lang = visit.scope.language if visit.scope and visit.scope.language else accepted(headers)
        return visit
    cookies = read_cookies(headers)
    await _recognise_session(kernel, visit, cookies)
    _protect_forms(kernel, visit, cookies)
    visit.lang = _language(visit, cookies, headers, query)
    return visit


async def _recognise_bearer(visit: Visit, headers: dict[bytes, bytes]) -> None:
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if kind.lower() == "bearer" and token:
        visit.scope = await queries.bearer(tokens.digest(token.strip()), visit.now)
        visit.bearer = visit.scope is not None


async def _recognise_session(kernel: Kernel, visit: Visit, cookies: dict[str, str]) -> None:
    """An id we did not give out is never adopted: it finds no row and the visitor is nobody."""
    token = cookies.get(kernel.session_cookie)
    if not token:
        return
    found = await queries.session(tokens.digest(token), visit.now)
    if found is None:
        visit.cookies.append(kernel.cookie(kernel.session_cookie, "", max_age=0))
        return
    visit.scope, visit.session_token = found.scope, token
    if found.due_for_touch:
        await touch_session(found.id, visit.now)


def _protect_forms(kernel: Kernel, visit: Visit, cookies: dict[str, str]) -> None:
    """Forms carry a token bound to the session; before sign-in, to a cookie of its own that sign-in
    replaces.
    """
    if visit.session_token:
        visit.csrf = kernel.sign("csrf-session", visit.session_token)
        return
    anonymous = cookies.get(kernel.anonymous_cookie, "")
    if not tokens.looks_like_token(anonymous):
        anonymous = tokens.new_token()
        visit.cookies.append(kernel.cookie(kernel.anonymous_cookie, anonymous))
    visit.csrf = kernel.sign("csrf-anonymous", anonymous)


def read_cookies(headers: dict[bytes, bytes]) -> dict[str, str]:
    """The cookies of a request; what cannot be read is no cookie."""
    raw = headers.get(b"cookie")
    if not raw:
        return {}
    pairs = (part.split("=", 1) for part in raw.decode("latin-1").split("; ") if "=" in part)
    return {name.strip(): value.strip('" ') for name, value in pairs}


def accepted(headers: dict[bytes, bytes]) -> str:
    return pick_language(headers.get(b"accept-language", b"").decode("latin-1"))


def _language(visit: Visit, cookies: dict[str, str], headers: dict[bytes, bytes], query: bytes) -> str:
    """`?lang=` (kept in a cookie), then that cookie, the account, the browser."""
    asked = _asked_language(query)
    if asked:
        visit.cookies.append(f"{LANGUAGE_COOKIE}={asked}; Path=/; SameSite=Lax; Max-Age={YEAR}")
        return asked
    kept = cookies.get(LANGUAGE_COOKIE)
    if kept in LANGUAGES:
        return kept
    if visit.scope and visit.scope.language in LANGUAGES:
        return visit.scope.language
    return accepted(headers)


def _asked_language(query: bytes) -> str | None:
    if b"lang=" not in query:
        return None
    for part in query.decode("latin-1").split("&"):
        name, _, value = part.partition("=")
        if name == "lang" and value in LANGUAGES:
            return value
    return None

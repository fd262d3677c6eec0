"""One place where failures become answers: a page for people, an RFC 9457 problem for programs."""

import logging
import secrets
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from litestar import Response
from litestar.exceptions import HTTPException

from safety.errors import BadInput, Conflict, NotAllowed, NotFound, Problem
from safety.text import Catalogue
from safety.web.guards import PasswordChangeNeeded, SignInNeeded
from safety.web.kernel import kernel_of
from safety.web.pages import draw, go_to
from safety.web.sessions import accepted
from safety.web.visit import Visit, WebRequest

PROBLEM_JSON = "application/problem+json"
KNOWN = frozenset({400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503})
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """What went wrong, as far as the caller may know. `reference` names the log entry of an error of ours."""

    status: int
    code: str | None = None
    values: dict[str, Any] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    reference: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


def answer_failure(request: WebRequest, error: Exception) -> Response[Any]:
    """The exception handler of the application, for everything."""
    if isinstance(error, SignInNeeded | PasswordChangeNeeded) and not wants_json(request):
        return _lead_to_sign_in(request, error)
    if isinstance(error, RecursionError) and request.content_type[0] == "application/json":
        # JSON nested deeper than its decoder goes; no field of ours is nested at all.
        error = HTTPException(status_code=400)
    failure = _failure(error, request)
    visit = request.scope["state"].get("visit") or _stranger(request)
    catalogue = kernel_of(request).pages.catalogue
    if wants_json(request):
        return _problem(request, failure, catalogue, visit.lang)
    answer = draw(
        request,
        visit,
        "error.html",
        failure.status,
        failure=failure,
        title=_title(catalogue, failure, visit.lang),
        messages=_messages(catalogue, failure, visit.lang),
    )
    answer.headers.update(failure.headers)
    return answer


def wants_json(request: WebRequest) -> bool:
    """The API always; elsewhere who asks for JSON and not for HTML."""
    if request.url.path.startswith("/api/"):
        return True
    accept = request.headers.get("accept", "")
    return "json" in accept and "text/html" not in accept


def _lead_to_sign_in(request: WebRequest, error: Exception) -> Response[str]:
    if isinstance(error, PasswordChangeNeeded):
        return go_to("/password")
    if request.method != "GET":
        return go_to("/login", "signed-out")
    query = request.scope["query_string"].decode("latin-1")
    here = request.url.path + (f"?{query}" if query else "")
    return go_to("/login" if here == "/" else f"/login?next={quote(here, safe='/')}")


def _stranger(request: WebRequest) -> Visit:
    """An address that does not exist is answered before anybody was recognised."""
    headers = dict(request.scope["headers"])
    lang = request.query_params.get("lang")
    return Visit(now=kernel_of(request).clock.now(), lang=lang if lang in {"zh", "en"} else accepted(headers))


def _failure(error: Exception, request: WebRequest) -> Failure:
    if isinstance(error, BadInput):
        return Failure(400, problems=tuple(error.problems))
    if isinstance(error, NotAllowed | NotFound | Conflict):
        return Failure(error.status, error.code, error.values)
    if isinstance(error, SignInNeeded):
        return Failure(401, "sign-in-needed", headers={"www-authenticate": "Bearer"})
    if isinstance(error, PasswordChangeNeeded):
        return Failure(403, "password-change-needed")
    if isinstance(error, HTTPException) and error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
        large = error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        code, values = ("body-large", {"most": _limit(request)}) if large else (None, {})
        return Failure(error.status_code, code, values, headers=dict(error.headers or {}))
    reference = secrets.token_hex(4)
    log.error("request failed, reference %s: %s", reference, request.url.path, exc_info=error)
    return Failure(500, reference=reference)


def _limit(request: WebRequest) -> str:
    """How much the route takes: 256 KB, 20 MB."""
    limit = (request.route_handler.resolve_request_max_body_size() or 0) // 1024
    return f"{limit // 1024} MB" if limit >= 1024 else f"{limit} KB"


def _title(catalogue: Catalogue, failure: Failure, lang: str) -> str:
    status = failure.status if failure.status in KNOWN else (400 if failure.status < 500 else 500)
    return catalogue.t(f"error.{status}", lang)


def _messages(catalogue: Catalogue, failure: Failure, lang: str) -> list[str]:
    found = [problem_text(catalogue, item, lang) for item in failure.problems]
    if failure.code and f"problem.{failure.code}" in catalogue:
        found.append(catalogue.t(f"problem.{failure.code}", lang, **failure.values))
    return found


def problem_text(catalogue: Catalogue, problem: Problem, lang: str) -> str:
    """The sentence of one problem."""
    return catalogue.t(f"problem.{problem.code}", lang, **problem.values)


def _problem(
    request: WebRequest, failure: Failure, catalogue: Catalogue, lang: str
) -> Response[dict[str, Any]]:
    """RFC 9457: type, title, status, detail, instance; our own `code`, `errors` and `reference`."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _title(catalogue, failure, lang),
        "status": failure.status,
        "instance": request.url.path,
    }
    messages = _messages(catalogue, failure, lang)
    if messages:
        content["detail"] = " ".join(messages)
    if failure.code:
        content["code"] = failure.code
    if failure.problems:
        content["errors"] = [
            {"field": item.field, "code": item.code, "message": problem_text(catalogue, item, lang)}
            for item in failure.problems
        ]
    if failure.reference:
        content["reference"] = failure.reference
    return Response(content, status_code=failure.status, media_type=PROBLEM_JSON, headers=failure.headers)

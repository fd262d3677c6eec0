"""No form is taken that was not drawn for this very session."""

import hmac

from litestar.exceptions import HTTPException

from safety.errors import NotAllowed
from safety.web.guards import READING
from safety.web.visit import WebRequest, visit_of

FIELD = "_csrf_token"
HEADER = "x-csrf-token"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


async def check_csrf(request: WebRequest) -> None:
    """Runs before every handler. Bearer tokens need no such proof: a browser never sends them by itself.

    Raises NotAllowed (403) when the token is missing or was made for somebody else.
    """
    if request.method in READING:
        return
    visit = visit_of(request)
    if visit.bearer:
        return
    given = request.headers.get(HEADER) or await _from_form(request)
    if not (given and visit.csrf and hmac.compare_digest(given.encode(), visit.csrf.encode())):
        raise NotAllowed("form-expired")


async def _from_form(request: WebRequest) -> str | None:
    if request.content_type[0] not in FORMS:
        return None
    try:
        given = (await request.form()).get(FIELD)
    except (ValueError, LookupError) as error:
        raise HTTPException(status_code=400, detail="unreadable form") from error
    return given if isinstance(given, str) else None

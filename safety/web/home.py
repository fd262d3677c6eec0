"""The first page after signing in."""

from litestar import Response, get

from safety.web.guards import signed_in
from safety.web.pages import page
from safety.web.visit import WebRequest


@get("/", guards=[signed_in()], sync_to_thread=False)
def home(request: WebRequest) -> Response[str]:
    """Where one may go from here."""
    return page(request, "home.html")

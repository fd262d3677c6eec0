"""For whoever watches the process: is it there, and can it work."""

from litestar import Response, get

from safety.database import fetch_tuples
from safety.web.guards import open_to_all


@get("/healthz", guards=[open_to_all()], opt={"bare": True}, sync_to_thread=False)
def healthz() -> Response[str]:
    """The process answers."""
    return Response("ok", media_type="text/plain")


@get("/readyz", guards=[open_to_all()], opt={"bare": True})
async def readyz() -> Response[str]:
    """The database answers, too; 503 otherwise."""
    try:
        await fetch_tuples(None, "select 1")
    except Exception:  # noqa: BLE001 - whatever is wrong, the answer is the same
        return Response("no database", status_code=503, media_type="text/plain")
    return Response("ok", media_type="text/plain")

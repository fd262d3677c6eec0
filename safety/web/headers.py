"""Headers on every answer, errors included, and the cookies that this visit hands out."""

from collections.abc import Awaitable, Callable

from litestar.types import Message, Scope

from safety.web.kernel import Kernel

# Nothing from elsewhere, nothing inline; forms go home; nobody frames us.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
ALWAYS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
ONLY_TLS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
NOT_KEPT = (b"cache-control", b"no-store")


def header_hook(kernel: Kernel) -> Callable[[Message, Scope], Awaitable[None]]:
    """A `before_send` hook: middleware would miss answers to unknown addresses."""
    fixed = [*ALWAYS, ONLY_TLS] if kernel.secure else list(ALWAYS)

    async def add_headers(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers = list(message["headers"])
        given = {name for name, _ in headers}
        headers += [pair for pair in fixed if pair[0] not in given]
        if b"cache-control" not in given:
            headers.append(NOT_KEPT)
        visit = scope["state"].get("visit")
        if visit is not None:
            headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in visit.cookies]
        message["headers"] = headers

    return add_headers

"""What the web layer is made with: given once by `config.app.create_app`, found on the application's
state.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from safety.clock import Clock
from safety.web.assets import Assets
from safety.web.calls import Alarm, Caller, Desker
from safety.web.nav import NavItem
from safety.web.pages import Pages

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})


@dataclass(frozen=True)
class Kernel:
    """Clock, secret, address, pages and static files of one running application."""

    clock: Clock
    secret: bytes
    base_url: str
    pages: Pages
    assets: Assets
    nav: tuple[NavItem, ...] = ()
    # Catalogue keys of what every page must say at its top, such as that the clock is not the real one.
    banners: tuple[str, ...] = ()
    # Who has something to tell people on their first page.
    callers: tuple[Caller, ...] = ()
    # Who has something to tell on every page of those whom it concerns.
    alarms: tuple[Alarm, ...] = ()
    # What waits at a bureau, on the first page of its people.
    desk: Desker | None = None
    hosts: frozenset[str] = field(init=False)
    secure: bool = field(init=False)

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        object.__setattr__(self, "hosts", LOOPBACK | {(address.hostname or "localhost").lower()})
        object.__setattr__(self, "secure", address.scheme == "https")

    def sign(self, purpose: str, value: str) -> str:
        """A token that only this instance can make for that value: HMAC-SHA256 in hexadecimal."""
        return hmac.new(self.secret, f"{purpose}:{value}".encode(), hashlib.sha256).hexdigest()

    @property
    def session_cookie(self) -> str:
        return "__Host-safe-campus" if self.secure else "safe-campus"

    @property
    def anonymous_cookie(self) -> str:
        return "__Host-safe-campus-visitor" if self.secure else "safe-campus-visitor"

    def cookie(self, name: str, value: str, max_age: int | None = None) -> str:
        """A Set-Cookie value: not for scripts, not across sites, only over TLS where there is TLS."""
        age = "" if max_age is None else f"; Max-Age={max_age}"
        return f"{name}={value}; Path=/; HttpOnly; SameSite=Lax{age}{'; Secure' if self.secure else ''}"


def kernel_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Kernel:
    """The kernel of the application that serves this connection."""
    return cast("Kernel", connection.app.state.kernel)

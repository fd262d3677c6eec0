"""One visit: what the kernel knows of a request before any handler runs."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from litestar import Request
from litestar.connection import ASGIConnection

from safety.access.scope import Scope
from safety.errors import NotFound
from safety.web.calls import Call

WebRequest = Request[Any, Any, Any]
Connection = ASGIConnection[Any, Any, Any, Any]


@dataclass(slots=True)
class Visit:
    """`now` is the request's one reading of the clock; `scope` is None for somebody not signed in.

    `csrf` is what the forms of this page must send back; `cookies` are Set-Cookie values to add to the
    answer; `alarms` stand at the top of the page.
    """

    now: datetime
    lang: str = "zh"
    scope: Scope | None = None
    csrf: str = ""
    session_token: str | None = None
    bearer: bool = False
    school_id: int | None = None
    bureau_id: int | None = None
    cookies: list[str] = field(default_factory=list)
    alarms: list[Call] = field(default_factory=list)

    @property
    def viewer(self) -> Scope:
        """The signed-in person; only for handlers behind a rule that requires one."""
        if self.scope is None:
            raise RuntimeError("this route's rule lets people in who are not signed in")
        return self.scope

    @property
    def school(self) -> int:
        """The id of the school in the address, found by an `at_school` rule."""
        if self.school_id is None:
            raise NotFound
        return self.school_id

    @property
    def bureau(self) -> int:
        """The id of the bureau in the address, found by an `at_bureau` rule."""
        if self.bureau_id is None:
            raise NotFound
        return self.bureau_id


def visit_of(connection: Connection) -> Visit:
    """The visit of a request. Raises KeyError where the kernel did not run (static files, unknown
    addresses).
    """
    return cast("Visit", connection.scope["state"]["visit"])

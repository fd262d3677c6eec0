"""Every route states its rule, and a list of all routes with their rules can be had.

A rule is a Litestar guard. `check_rules` refuses an application in which a route has none, so forgetting is
not possible.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from litestar import Litestar
from litestar.handlers import BaseRouteHandler
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute

from safety.access.scope import Scope
from safety.errors import NotAllowed, NotFound
from safety.web.visit import Connection, Visit, visit_of

READING = frozenset({"GET", "HEAD", "OPTIONS"})
# Routes that change nothing but the visitor's own account: an inspector may use them too.
OWN_ACCOUNT = {"own_account": True}


class SignInNeeded(Exception):
    """Nobody is signed in: a browser is sent to the sign-in page, the API answers 401."""


class PasswordChangeNeeded(Exception):
    """Signed in with a one-time password: nothing opens before it is replaced."""


@dataclass(frozen=True)
class Rule:
    """Who may use a route. `kind` is open, signed-in, role, school or bureau; no `roles` means any role
    there.
    """

    kind: str
    roles: tuple[str, ...] = ()

    async def __call__(self, connection: Connection, handler: BaseRouteHandler) -> None:
        if self.kind == "open":
            return
        visit = visit_of(connection)
        own = "own_account" in handler.opt
        viewer = _signed_in(visit, own)
        if self.kind == "role":
            _allow(viewer.has(*self.roles))
        self._place(connection, visit, viewer)
        notes = "writes_only" in handler.opt
        _allow(own or notes or not viewer.read_only or _method(connection) in READING)

    def _place(self, connection: Connection, visit: Visit, viewer: Scope) -> None:
        """Resolve the school or bureau in the address; one out of scope is answered as one that does not
        exist.
        """
        if self.kind == "school":
            visit.school_id = viewer.school_codes.get(connection.path_params["code"])
            if visit.school_id is None:
                raise NotFound
            _allow(viewer.may(visit.school_id, *self.roles))
        elif self.kind == "bureau":
            visit.bureau_id = viewer.bureau_codes.get(connection.path_params["code"])
            if visit.bureau_id is None:
                raise NotFound
            _allow(viewer.may_bureau(visit.bureau_id, *self.roles))


def _method(connection: Connection) -> str:
    return str(connection.scope.get("method", "GET"))


def _allow(allowed: bool) -> None:
    if not allowed:
        raise NotAllowed


def _signed_in(visit: Visit, own_account: bool) -> Scope:
    if visit.scope is None:
        raise SignInNeeded
    if visit.scope.must_change_password and not own_account:
        raise PasswordChangeNeeded
    return visit.scope


def open_to_all() -> Rule:
    """For everybody, signed in or not: sign-in, static files, health."""
    return Rule("open")


def signed_in() -> Rule:
    """For everybody who is signed in."""
    return Rule("signed-in")


def requires(*roles: str) -> Rule:
    """For holders of one of these roles anywhere; an administrator always."""
    return Rule("role", roles)


def at_school(*roles: str) -> Rule:
    """For the school whose `{code}` is in the address: 404 out of scope, 403 without one of the roles
    there.
    """
    return Rule("school", roles)


def at_bureau(*roles: str) -> Rule:
    """The same for the bureau whose `{code}` is in the address."""
    return Rule("bureau", roles)


@dataclass(frozen=True)
class RouteRule:
    """One route as a test walks it: `path` with `{name:type}` placeholders, its methods, its rule (None:
    forgotten).
    """

    path: str
    methods: frozenset[str]
    handler: str
    rule: Rule | None


def route_rules(app: Litestar) -> Iterator[RouteRule]:
    """Every route of an application with its rule; the OPTIONS answers that Litestar adds hold nothing and
    are left out.
    """
    for route in app.routes:
        for handler in _handlers(route):
            methods = frozenset(str(method) for method in getattr(handler, "http_methods", {"GET"}))
            if methods != {"OPTIONS"}:
                yield RouteRule(route.path, methods, str(handler), _rule_of(handler))


def _handlers(route: BaseRoute) -> list[BaseRouteHandler]:
    if isinstance(route, HTTPRoute):
        return list(route.route_handlers)
    return [route.route_handler] if isinstance(route, ASGIRoute) else []


def _rule_of(handler: BaseRouteHandler) -> Rule | None:
    rules = [guard for guard in handler.resolve_guards() if isinstance(guard, Rule)]
    return rules[-1] if rules else None


def check_rules(app: Litestar) -> None:
    """Raises RuntimeError naming the routes without a rule."""
    forgotten = [f"{item.path} ({item.handler})" for item in route_rules(app) if item.rule is None]
    if forgotten:
        raise RuntimeError("routes without a rule: " + ", ".join(forgotten))

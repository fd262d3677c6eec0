"""The web application, put together: one place where settings, clock, kernel and all routers meet."""

import dataclasses
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path

from litestar import Litestar, Router
from litestar.config.app import AppConfig
from litestar.datastructures import State
from litestar.handlers import BaseRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from config.rules import put_in_use
from config.scheduler import running
from config.sealing import key_of
from config.settings import Settings
from config.upstream import way_of
from reports import inspection
from reports import routes as return_routes
from reports.bureau import adjustment_routes, adjustments, desk, reminders
from reports.bureau import pages as board_pages
from reports.delivery import peer_routes, receive_routes
from reports.delivery import routes as delivery_routes
from reports.delivery.receive_routes import Door
from reports.life import actions as life
from reports.life import english_routes, inbox_routes
from reports.life import routes as life_routes
from reports.oversight import calls as oversight_calls
from reports.oversight import routes as oversight_routes
from reports.pdf import Renderer
from reports.rollup import routes as rollup_routes
from reports.transports import Transport
from reports.verification import routes as verify_routes
from reports.verification.routes import Desk
from safety.access import admin_routes
from safety.access import routes as access_routes
from safety.clock import Clock
from safety.database import close_engine, fetch_tuples, open_engine
from safety.duty import routes as duty_routes
from safety.ledger import api_routes as ledger_api_routes
from safety.ledger import entry_routes as ledger_entry_routes
from safety.ledger import import_routes as ledger_import_routes
from safety.ledger import routes as ledger_routes
from safety.migrations import pending
from safety.text import Catalogue, catalogue
from safety.web import compare_pages, place_pages, school_pages, settings_pages
from safety.web.assets import STATIC_FOLDER, Assets, static_file
from safety.web.csrf import check_csrf
from safety.web.errors import answer_failure
from safety.web.guards import check_rules, open_to_all
from safety.web.headers import header_hook
from safety.web.health import healthz, readyz
from safety.web.home import home
from safety.web.kernel import Kernel
from safety.web.nav import NavItem
from safety.web.pages import TEMPLATE_FOLDER, Pages
from safety.web.sessions import Reception

Routes = Router | BaseRouteHandler
BODY_LIMIT = 256 * 1024
"""Of a form; parsing a larger one would keep everybody else waiting. A route that takes files states its own."""
MADE_UP = "select 1 from bureau where made_up union all select 1 from school where made_up limit 1"

# A slice is on the web when its router is in this list, and in the menu when it has an entry below.
ROUTERS: list[Routes] = [
    static_file,
    healthz,
    readyz,
    home,
    access_routes.ROUTER,
    admin_routes.ROUTER,
    ledger_routes.ROUTER,
    ledger_entry_routes.ROUTER,
    ledger_import_routes.ROUTER,
    ledger_api_routes.ROUTER,
    school_pages.ROUTER,
    compare_pages.ROUTER,
    duty_routes.ROUTER,
    settings_pages.ROUTER,
    place_pages.ROUTER,
    board_pages.ROUTER,
    inspection.ROUTER,
    oversight_routes.ROUTER,
    return_routes.ROUTER,
    english_routes.ROUTER,
    verify_routes.ROUTER,
    receive_routes.ROUTER,
    peer_routes.ROUTER,
    delivery_routes.ROUTER,
    inbox_routes.ROUTER,
    life_routes.ROUTER,
    life_routes.INSPECT_ROUTER,
    adjustment_routes.ROUTER,
    rollup_routes.ROUTER,
]
NAV: list[NavItem] = [
    NavItem("nav.home", "/", "home"),
    NavItem(
        "nav.score",
        "/schools/{school}",
        "chart",
        ("officer", "principal", "leader"),
        ("/settings", "/roster"),
    ),
    NavItem("nav.board", "/bureaus/{bureau}", "chart", ("clerk",)),
    NavItem("nav.inbox", "/bureaus/{bureau}/inbox", "inbox", ("clerk",)),
    NavItem("nav.inspect", "/inspect", "eye", ("inspector",)),
    NavItem("nav.ledgers", "/schools/{school}/ledgers", "book"),
    NavItem("nav.returns", "/schools/{school}/returns", "doc", ("officer", "principal", "leader")),
    NavItem("nav.accounts", "/admin/accounts", "people", ("admin",), within="/admin"),
]
TEMPLATES: list[Path] = [TEMPLATE_FOLDER]
STATIC: list[Path] = [STATIC_FOLDER]


def create_app(
    settings: Settings,
    clock: Clock,
    *,
    routers: Sequence[Routes] | None = None,
    texts: Catalogue | None = None,
    manage_database: bool = True,
) -> Litestar:
    """The application for one process. The database in use is opened and closed with it unless told otherwise.

    Raises RuntimeError naming a route that states no rule; with `texts` a test may give a strict catalogue.
    """
    put_in_use()
    upward = way_of(settings.upstream) if settings.upstream else None
    kernel = make_kernel(settings, clock, texts or catalogue(), upward)
    app = Litestar(
        route_handlers=[*(ROUTERS if routers is None else routers)],
        middleware=[Reception()],
        before_request=check_csrf,
        before_send=[header_hook(kernel)],
        exception_handlers={Exception: answer_failure},
        request_max_body_size=BODY_LIMIT,
        state=State(
            {
                "kernel": kernel,
                "settings": settings,
                "door": Door(partial(key_of, settings)),
                "upward": upward,
                "desk": Desk(settings.data, partial(key_of, settings)),
                # Its one worker starts with the first document that somebody asks for.
                "renderer": Renderer(settings.data, base_url=settings.base_url, size=1),
            }
        ),
        lifespan=[_living(settings, clock)] if manage_database else [],
        openapi_config=_openapi(),
        on_app_init=[_pages_are_no_api],
        logging_config=None,
    )
    check_rules(app)
    return app


def make_kernel(
    settings: Settings, clock: Clock, texts: Catalogue, upward: Transport | None = None
) -> Kernel:
    """What the web layer needs to know of this installation."""
    assets = Assets(STATIC)
    return Kernel(
        clock=clock,
        secret=settings.secret_key.encode(),
        base_url=settings.base_url,
        pages=Pages(texts, assets, TEMPLATES),
        assets=assets,
        nav=tuple(NAV),
        banners=("banner.test-clock",) if settings.test_clock else (),
        alarms=(partial(delivery_routes.alarms, upward),),
        desk=partial(desk.first_page, upward is not None),
        callers=(reminders.calls, adjustments.calls, oversight_calls.calls, life.calls),
    )


def _living(settings: Settings, clock: Clock) -> Callable[[Litestar], AbstractAsyncContextManager[None]]:
    """The database is open, and jobs run if this process runs them, for as long as the application lives."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        await open_engine()
        try:
            await _mark_made_up(app)
            async with running(settings, clock) if settings.jobs else nullcontext():
                yield
        finally:
            await app.state.renderer.close()
            await close_engine()

    return lifespan


async def _mark_made_up(app: Litestar) -> None:
    """Every page of an installation with made-up places says so at its top. A demo is loaded before serving begins."""
    if await pending():
        return  # nothing can be asked of a schema that is behind, and every page will say that
    if await fetch_tuples(None, MADE_UP):
        kernel: Kernel = app.state.kernel
        app.state.kernel = dataclasses.replace(kernel, banners=(*kernel.banners, "banner.made-up"))


def _pages_are_no_api(config: AppConfig) -> AppConfig:
    """Only routes that say so are in the API's description: pages are not an interface for programs."""
    config.include_in_schema = False
    return config


def _openapi() -> OpenAPIConfig:
    """The description alone, at /schema/openapi.json: Litestar's viewers load scripts from elsewhere."""
    return OpenAPIConfig(
        title="Safe Campus",
        version="1",
        openapi_router=Router("/schema", route_handlers=[], guards=[open_to_all()], opt={"bare": True}),
        render_plugins=[JsonRenderPlugin()],
        components=Components(security_schemes={"bearer": SecurityScheme(type="http", scheme="bearer")}),
    )

"""The application over a fresh database, and a browser for whoever is needed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from litestar import Litestar

from config.app import create_app
from config.settings import Settings
from safety.clock import FixedClock
from safety.database import CampusEngine
from safety.text import Catalogue
from tests.cast import BASE_URL, NOW, Browser, Cast, make_cast

Visit = Callable[..., Awaitable[Browser]]


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url="", data=tmp_path, secret_key="k" * 40, base_url=BASE_URL)


@pytest.fixture(scope="session")
def texts() -> Catalogue:
    """Every sentence; one that is missing fails the test."""
    return Catalogue.load(strict=True)


@pytest.fixture
def app(settings: Settings, clock: FixedClock, texts: Catalogue) -> Litestar:
    """The application; the test's own fixture opens the database."""
    return create_app(settings, clock, texts=texts, manage_database=False)


@pytest.fixture
async def cast(sqlite_database: CampusEngine) -> Cast:
    """Places and people on SQLite."""
    return await make_cast()


@pytest.fixture
async def visit(app: Litestar, cast: Cast) -> AsyncIterator[Visit]:
    """`await visit("officer")` is the officer's browser, signed in; `await visit()` is nobody's."""
    async with AsyncExitStack() as stack:

        async def open_browser(name: str | None = None, language: str = "zh-CN") -> Browser:
            browser = await stack.enter_async_context(Browser(app, language))
            return browser if name is None else await browser.as_(cast[name])

        yield open_browser

"""One person's phone: a browser context that looks at every page it comes to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Locator, Page, Request

from tests.cast import PASSWORD

WIDTH, HEIGHT = 390, 844
WIDEST = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
PATIENCE_MS = 30_000


class Phone:
    """Opens pages as a person does. `complaints` gathers what no page may do: errors on the console, scripts that
    fail, files that are missing, a page wider than the screen.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        page.on("console", lambda said: self._note(said.text) if said.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self._note(str(error)))
        page.on("requestfailed", self._failed)

    def _note(self, text: str) -> None:
        self.complaints.append(f"{self.page.url}: {text}")

    def _failed(self, request: Request) -> None:
        # Going on to the next page breaks off what the last one was still loading.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.url}: {request.failure}")

    @property
    def path(self) -> str:
        """Where it is, without the host."""
        return self.page.url.removeprefix(self.address)

    async def sign_in(self, login: str) -> None:
        """Through the sign-in page, without touching the mouse."""
        await self.open("/login")
        await self.page.fill("#f-login", login)
        await self.page.fill("#f-password", PASSWORD)
        await self.press_enter("#f-password")

    async def open(self, path: str) -> None:
        """Go to an address."""
        answer = await self.page.goto(self.address + path)
        assert answer is not None
        assert answer.ok, f"{path}: {answer.status}"
        await self.look()

    async def tap(self, target: str | Locator) -> None:
        """Tap what leads to another page."""
        found = self.page.locator(target).first if isinstance(target, str) else target
        async with self.page.expect_navigation():
            await found.tap()
        await self.look()

    async def press_enter(self, selector: str) -> None:
        """Send a form from the keyboard."""
        async with self.page.expect_navigation():
            await self.page.locator(selector).press("Enter")
        await self.look()

    async def look(self) -> None:
        """Note a page that is wider than the screen."""
        await self.page.wait_for_load_state()
        widest = await self.page.evaluate(WIDEST)
        if widest > WIDTH:
            self._note(f"{widest} pixels wide")

    async def text(self, selector: str = "main") -> str:
        """What a person reads there."""
        return await self.page.locator(selector).first.inner_text()


@asynccontextmanager
async def open_phone(chromium: Browser, address: str) -> AsyncIterator[Phone]:
    """A phone of its own, with nothing remembered."""
    context = await chromium.new_context(
        viewport={"width": WIDTH, "height": HEIGHT}, locale="zh-CN", is_mobile=True, has_touch=True
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield Phone(await context.new_page(), address)
    finally:
        await context.close()

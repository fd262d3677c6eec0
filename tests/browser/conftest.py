"""A phone in front of the real service: `safe-campus serve` over a small county, Chromium 390 pixels wide."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from config.rules import put_in_use
from tests.browser.phone import Phone, open_phone
from tests.cast import NOW, make_cast
from tests.conftest import opened
from tests.county import make_county

CHROMIUM = "/usr/bin/chromium"
# It talks to nobody but the service under test.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PROGRAM = [sys.executable, "-c", "from config.cli import main; main()"]
PATIENCE = 60.0

Phones = Callable[..., Awaitable[Phone]]


@dataclass(frozen=True)
class Service:
    """The service under test: where it answers, what it runs with, and the file that its clock is read from."""

    address: str
    clock: Path
    environ: dict[str, str] = field(repr=False)

    def command(self, *arguments: str) -> None:
        """Run `safe-campus …` beside it."""
        subprocess.run([*PROGRAM, *arguments], env=self.environ, check=True, capture_output=True)

    def set_clock(self, now: datetime) -> None:
        """From now on it is `now` for the service."""
        aside = self.clock.with_suffix(".new")
        aside.write_text(now.isoformat(), encoding="ascii")
        aside.replace(self.clock)


@pytest.fixture(scope="session")
async def county_file(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the cast and half a term behind it."""
    put_in_use()
    file = tmp_path_factory.mktemp("county") / "county.db"
    shutil.copyfile(sqlite_template, file)
    async with opened(f"sqlite:///{file}"):
        await make_county(await make_cast())
    return file


@pytest.fixture
def service(county_file: Path, tmp_path: Path) -> Iterator[Service]:
    """A served copy of the county on a Wednesday morning in October, for one test."""
    shutil.copyfile(county_file, tmp_path / "campus.db")
    clock = tmp_path / "clock"
    clock.write_text(NOW.isoformat(), encoding="ascii")
    port = _free_port()
    environ = {
        **os.environ,
        "SAFE_CAMPUS_DATABASE": f"sqlite:///{tmp_path / 'campus.db'}",
        "SAFE_CAMPUS_DATA": str(tmp_path),
        "SAFE_CAMPUS_TEST_CLOCK": str(clock),
    }
    log = (tmp_path / "serve.log").open("wb")
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--no-jobs", "--port", str(port)], env=environ, stdout=log, stderr=log
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(process, address, tmp_path / "serve.log")
        yield Service(address, clock, environ)
    finally:
        process.terminate()
        process.wait(PATIENCE)
        log.close()


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait_for(process: "subprocess.Popen[bytes]", address: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=5).close()
        except urllib.error.URLError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"the service did not start: {log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def phone(chromium: Browser, service: Service) -> AsyncIterator[Phones]:
    """`await phone("officer")` is the officer's phone, signed in; at the end none may have complained."""
    async with AsyncExitStack() as stack:
        phones: list[Phone] = []

        async def hand_out(login: str) -> Phone:
            found = await stack.enter_async_context(open_phone(chromium, service.address))
            phones.append(found)
            await found.sign_in(login)
            return found

        yield hand_out
        assert [line for found in phones for line in found.complaints] == []

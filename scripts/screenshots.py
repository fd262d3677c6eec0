"""Takes the README's screenshots: a small demo county under a fixed clock, served as always, seen by Chromium.

`make screenshots` runs it. Pages come out the same on every day; for that the clock is fixed, and the notice that
says so is taken off (that all of it is made up still stands on every page). Writes docs/screenshots/*.png, each below
200 kB.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUTPUT = ROOT / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--headless", "--lang=zh-CN", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PROGRAM = [sys.executable, "-c", "from config.cli import main; main()"]
NOW = "2026-10-14T07:40:00+00:00"  # a Wednesday afternoon in Shanghai
MOST_BYTES = 200_000
PATIENCE = 60.0
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESK = {"viewport": {"width": 1280, "height": 1000}}


@dataclass(frozen=True)
class Shot:
    """A page as somebody sees it. `{school}` and `{bureau}` in `path` are those of the person, or the first."""

    name: str
    role: str
    path: str
    phone: bool = True


SHOTS = (
    Shot("phone-today", "teacher", "/"),
    Shot("phone-form", "officer", "/schools/{school}/ledgers/class_sessions/new"),
    Shot("phone-score", "principal", "/schools/{school}"),
    Shot("phone-line", "inspector", "/inspect/schools/{school}/score/2026Q3/education.daily?lang=en"),
    Shot("desk-bureau", "clerk", "/bureaus/{bureau}?period=2026Q3", phone=False),
    Shot("desk-ledger", "officer", "/schools/{school}/ledgers/food_samples?lang=en", phone=False),
)


def main() -> None:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="safe-campus-screenshots-") as folder:
        environ = environment(Path(folder))
        people = load(environ)
        with served(environ) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            for shot in SHOTS:
                take(browser, address, people, shot)
            browser.close()


def environment(folder: Path) -> dict[str, str]:
    clock = folder / "clock"
    clock.write_text(NOW, encoding="ascii")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    return {
        **os.environ,
        "SAFE_CAMPUS_DATA": str(folder),
        "SAFE_CAMPUS_DATABASE": f"sqlite:///{folder / 'campus.db'}",
        "SAFE_CAMPUS_TEST_CLOCK": str(clock),
        "SAFE_CAMPUS_BASE_URL": f"http://127.0.0.1:{port}",
        "PORT": str(port),
    }


def load(environ: dict[str, str]) -> list[dict[str, str]]:
    """The demo county; its people with their passwords."""
    subprocess.run([*PROGRAM, "migrate"], env=environ, cwd=ROOT, check=True)
    loaded = [*PROGRAM, "demo", "--schools", "6", "--quarters", "1", "--json"]
    done = subprocess.run(loaded, env=environ, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    people: list[dict[str, str]] = json.loads(done.stdout)
    return people


@contextmanager
def served(environ: dict[str, str]) -> Iterator[str]:
    """The county served; the address."""
    address = environ["SAFE_CAMPUS_BASE_URL"]
    process = subprocess.Popen(
        [*PROGRAM, "serve", "--no-jobs", "--port", environ["PORT"]], env=environ, cwd=ROOT
    )
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the service did not start")
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(f"{address}/healthz", timeout=5).close()  # noqa: S310 - loopback
    except urllib.error.URLError:
        return False
    return True


def take(browser: Browser, address: str, people: list[dict[str, str]], shot: Shot) -> None:
    person = next(item for item in people if item["role"] == shot.role)
    context = browser.new_context(**(PHONE if shot.phone else DESK), locale="zh-CN")
    page = context.new_page()
    sign_in(page, address, person)
    school = person.get("school") or next(item["school"] for item in people if item.get("school"))
    path = shot.path.format(school=school, bureau=person.get("bureau") or "")
    answer = page.goto(address + path)
    if answer is None or not answer.ok:
        sys.exit(f"{path}: {answer and answer.status}")
    file = OUTPUT / f"{shot.name}.png"
    page.evaluate("document.querySelector('.banner').remove()")
    page.screenshot(path=file)
    context.close()
    size = file.stat().st_size
    print(f"{file.relative_to(ROOT)}  {size // 1000} kB  {path}")
    if size > MOST_BYTES:
        sys.exit(f"{file.name} is larger than {MOST_BYTES} bytes")


def sign_in(page: Page, address: str, person: dict[str, str]) -> None:
    page.goto(f"{address}/login")
    page.fill("#f-login", person["login"])
    page.fill("#f-password", person["password"])
    with page.expect_navigation():
        page.press("#f-password", "Enter")


if __name__ == "__main__":
    main()

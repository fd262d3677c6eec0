"""A county whose quarter is over, and the real command run on it as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from config.rules import put_in_use
from safety.calendar import Period
from safety.database import fetch_tuples
from safety.duties import close_at
from tests.cast import make_cast
from tests.conftest import opened
from tests.county import make_county

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
ROOT = Path(__file__).resolve().parents[2]


class Campus:
    """An installation in a folder of its own: its database, its data, its commands."""

    def __init__(self, url: str, data: Path) -> None:
        self.url, self.data = url, data
        self.clock: Path | None = None
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def environment(self) -> Mapping[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("SAFE_CAMPUS_")}
        own = {"SAFE_CAMPUS_DATABASE": self.url, "SAFE_CAMPUS_DATA": str(self.data), "LANG": "C.UTF-8"}
        return kept | own | ({"SAFE_CAMPUS_TEST_CLOCK": str(self.clock)} if self.clock else {})

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`safe-campus …` as a process; killed at the end of the test if it still runs."""
        command = [sys.executable, "-c", "from config.cli import main; main()", *arguments]
        process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self._running.append(process)
        return process

    def run(self, *arguments: str) -> str:
        """Standard output of a command that ends well."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, err.decode()
        return out.decode()

    def end(self) -> None:
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.communicate()

    async def received(self) -> list[tuple[str, int, str, bool]]:
        """(school, how many returns were received of it, facts digest, whether its receipt is kept)."""
        async with opened(self.url):
            return await fetch_tuples(
                None,
                "select i.school_code, count(*), min(i.facts_digest), min(c.bytes_digest) = min(i.bytes_digest) "
                "from inbox_item i join receipt c on c.message = i.message group by i.school_code order by 1",
            )

    async def ask(self, sql: str) -> list[tuple[object, ...]]:
        async with opened(self.url):
            return await fetch_tuples(None, sql)


async def fill(url: str) -> None:
    """The cast's three schools with their autumn up to the quarter's end."""
    put_in_use()
    async with opened(url):
        cast = await make_cast(CLOSE.replace(month=9, day=1))
        await make_county(cast, CLOSE)


@pytest.fixture
def campus_at(tmp_path: Path) -> Iterator[Callable[[str], Campus]]:
    """`campus_at(url)`: the installation whose database that is."""
    made: list[Campus] = []

    def make(url: str) -> Campus:
        data = tmp_path / f"data{len(made)}"
        data.mkdir()
        made.append(Campus(url, data))
        return made[-1]

    yield make
    for campus in made:
        campus.end()

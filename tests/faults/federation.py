"""Three installations under one clock: two counties of fifteen schools each, and the city above them."""

import asyncio
import contextlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import httpx

from config.rules import put_in_use
from reports.rollup.actions import save_setting
from reports.sealing.keys import SigningKey, pem, signing_key
from safety.access import queries
from safety.access.actions import NewPerson, NewRole, create_accounts
from safety.calendar import Period
from safety.clock import day_start
from safety.database import fetch_tuples
from safety.duties import close_at
from safety.education.tables import ClassSession, DailyReminder
from safety.incidents.tables import Incident, ZeroReport
from safety.ledger.tallies import rebuild
from safety.places.tables import Bureau, School, SchoolClass, Term
from tests.conftest import opened
from tests.county import Writer, at
from tests.faults.conftest import ROOT, Campus

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
SCHOOLS = 15
# The 3rd is within the National Day holiday: the counties' next working day is the 8th, the city's the 12th.
COUNTIES_SEAL = day_start(date(2026, 10, 8)) + timedelta(hours=8)
CITY_SEALS = day_start(date(2026, 10, 12)) + timedelta(hours=8)
PATIENCE_SECONDS = 240
LOOK_EVERY_SECONDS = 0.25


# ---------------------------------------------------------------- the clock
class SharedClock:
    """One file that drives the clock of every process: it runs, at a speed of our choosing, and jumps forward."""

    def __init__(self, file: Path, start: datetime) -> None:
        self.file, self.speed = file, 1.0
        self._at, self._looked = start, time.monotonic()
        self._write()

    def now(self) -> datetime:
        looked = time.monotonic()
        self._at += timedelta(seconds=(looked - self._looked) * self.speed)
        self._looked = looked
        return self._at

    def jump(self, at: datetime) -> None:
        assert at > self.now(), "time does not go backwards"
        self._at = at
        self._write()

    def _write(self) -> None:
        aside = self.file.with_suffix(".new")
        aside.write_text(self.now().isoformat())
        aside.replace(self.file)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async def tick() -> None:
            while True:
                self._write()
                await asyncio.sleep(0.1)

        task = asyncio.create_task(tick())
        try:
            yield
        finally:
            task.cancel()


# ---------------------------------------------------------------- one installation
def quiet_port() -> int:
    """A free port outside the range from which the machine gives out ports by itself: nobody else takes it while its
    process is down.
    """
    while True:
        port = random.randrange(20000, 32000)
        with contextlib.closing(socket.socket()) as found, contextlib.suppress(OSError):
            found.bind(("127.0.0.1", port))
            return port


class Instance(Campus):
    """An installation that serves: started, killed and started again on the same port, with the same settings."""

    def __init__(self, code: str, url: str, data: Path, clock: Path) -> None:
        super().__init__(url, data)
        self.code, self.clock, self.port = code, clock, quiet_port()
        self.settings: dict[str, str] = {}
        self.kills = 0
        self._server: subprocess.Popen[bytes] | None = None
        self._log = (data / "log").open("ab")

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> Mapping[str, str]:
        return {**super().environment, **self.settings}

    @property
    def key(self) -> SigningKey:
        return signing_key(self.data, self.address)

    def serve(self) -> None:
        command = [
            sys.executable,
            "-c",
            "from config.cli import main; main()",
            "serve",
            "--port",
            str(self.port),
        ]
        self._server = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=self._log, stderr=self._log
        )

    async def ready(self) -> None:
        async with httpx.AsyncClient() as client:
            for _ in range(PATIENCE_SECONDS * 10):
                assert self._server is not None
                assert self._server.poll() is None, self.log()
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get(f"{self.address}/readyz")).status_code == 200:
                        return
                await asyncio.sleep(0.1)
        raise AssertionError(f"{self.code} did not start: {self.log()}")

    async def kill(self) -> None:
        """`kill -9`, and start it again at once."""
        assert self._server is not None
        assert self._server.poll() is None, self.log()
        self._server.kill()
        await asyncio.to_thread(self._server.wait)
        self.kills += 1
        self.serve()

    async def stop(self) -> None:
        """As a service manager ends it: it has to finish, and dies of the signal that it was sent."""
        assert self._server is not None
        self._server.terminate()
        assert await asyncio.to_thread(self._server.wait, 60) == -signal.SIGTERM, self.log()

    async def command(self, *arguments: str) -> str:
        return await asyncio.to_thread(self.run, *arguments)

    def file(self, digest: str) -> Path:
        """Where a file lies that the database names by its digest."""
        return self.data / "evidence" / digest[:2] / digest

    def log(self) -> str:
        return (self.data / "log").read_text(encoding="utf-8", errors="replace")[-4000:]

    def end(self) -> None:
        super().end()
        if self._server is not None and self._server.poll() is None:
            self._server.kill()
            self._server.wait()
        self._log.close()

    async def until(self, sql: str, expected: object) -> None:
        """Wait until the database says so."""
        async with opened(self.url):
            end = time.monotonic() + PATIENCE_SECONDS
            while (found := await fetch_tuples(None, sql)) != expected:
                assert time.monotonic() < end, f"{self.code}: {found}, not {expected}\n{self.log()}"
                await asyncio.sleep(LOOK_EVERY_SECONDS)


# ---------------------------------------------------------------- the three
@dataclass
class Federation:
    """The three installations, ready to be started."""

    hill: Instance
    river: Instance
    city: Instance
    clock: SharedClock
    counties: tuple[Instance, ...] = field(init=False)
    all: tuple[Instance, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.counties = (self.hill, self.river)
        self.all = (*self.counties, self.city)

    async def start(self) -> None:
        for instance in self.all:
            instance.serve()
        await asyncio.gather(*(instance.ready() for instance in self.all))

    async def stop(self) -> None:
        await asyncio.gather(*(instance.stop() for instance in self.all))

    async def counties_until(self, sql: str, expected: object) -> None:
        """Wait until both counties' databases say so: one after the other, since a process uses one database."""
        for county in self.counties:
            await county.until(sql, expected)

    async def enrol(self) -> None:
        """The city knows each county's certificate and gives it a token; the county knows the city's."""
        for county in self.counties:
            file = self.city.data / f"{county.code}.pem"
            file.write_bytes(pem(county.key.certificate))
            token = await self.city.command("peer", "add", county.code, "--certificate", str(file))
            county.settings |= {
                "SAFE_CAMPUS_UPSTREAM_URL": self.city.address,
                "SAFE_CAMPUS_UPSTREAM_TOKEN": token.strip(),
                "SAFE_CAMPUS_UPSTREAM_CERTIFICATE": pem(self.city.key.certificate).decode(),
            }

    def end(self) -> None:
        for instance in self.all:
            instance.end()


@dataclass(frozen=True)
class Books:
    """Three filled databases to copy: the SQLite files, and the PostgreSQL database by its name."""

    hill: Path
    river: str
    city: Path

    def federation(self, river_url: str, folder: Path) -> Federation:
        clock = SharedClock(folder / "clock", CLOSE - timedelta(minutes=1))
        urls = {"CITY": "", "HILL": "", "RIVER": river_url}
        for code, book in (("HILL", self.hill), ("CITY", self.city)):
            urls[code] = f"sqlite:///{shutil.copyfile(book, folder / f'{code}.db')}"
        made = {}
        for code, url in urls.items():
            (folder / code).mkdir()
            made[code] = Instance(code, url, folder / code, clock.file)
        return Federation(made["HILL"], made["RIVER"], made["CITY"], clock)


@contextlib.contextmanager
def ending(federation: Federation) -> Iterator[Federation]:
    try:
        yield federation
    finally:
        federation.end()


# ---------------------------------------------------------------- what is in their books
async def fill_county(url: str, code: str, name: str) -> None:
    """A bureau with its schools and a month of records, and the day of its roll-up."""
    put_in_use()
    async with opened(url):
        bureau = await _bureau(code, name, None)
        officer = await _clerk(bureau, 3)
        for number in range(1, SCHOOLS + 1):
            await _school(f"{code[0]}{number:03}", f"{name[:3]}第{number}小学", bureau, number, officer)


async def fill_city(url: str) -> None:
    """The city and, below it, the two counties that keep their records elsewhere."""
    put_in_use()
    async with opened(url):
        city = await _bureau("CITY", "明州市教育局", None)
        await _bureau("HILL", "青山县教育局", city)
        await _bureau("RIVER", "清江县教育局", city)
        await _clerk(city, 12)


async def _bureau(code: str, name: str, parent: int | None) -> int:
    made = Bureau(code=code, name=name, parent=parent)
    await made.save()
    return int(made.id)


async def _clerk(bureau: int, day: int) -> int:
    began = CLOSE - timedelta(days=30)
    clerk = NewPerson("clerk", "孙经办", (NewRole("clerk", bureau=bureau),), one_time=False)
    (made,) = await create_accounts(None, [clerk], began)
    scope = await queries.scope_of_login("clerk", began)
    assert scope is not None
    await save_setting(scope, bureau, day, True, began)
    return made.id


async def _school(code: str, name: str, bureau: int, number: int, officer: int) -> None:
    made = School(code=code, name=name, stage="primary", enrolment=100 + 10 * number, bureau=bureau)
    await made.save()
    id_ = int(made.id)
    await Term(
        school=id_, name="2026—2027学年第一学期", starts=date(2026, 9, 1), ends=date(2027, 1, 22)
    ).save()
    room = SchoolClass(
        school=id_, school_year="2026-2027", grade="三年级", name="三(1)班", pupils=30 + number,
        first_day=date(2026, 9, 1), last_day=date(2027, 8, 31),
    )  # fmt: skip
    await room.save()
    await _entries(id_, int(room.id), number, officer)
    await rebuild(id_, Q3, CLOSE - timedelta(minutes=1))


async def _entries(school: int, room: int, number: int, officer: int) -> None:
    """The more the higher its number, so that no two schools of a county have the same facts."""
    writers = {
        table: Writer(table, school, officer) for table in (DailyReminder, ClassSession, ZeroReport, Incident)
    }
    for n in range(number):
        day = date(2026, 9, 2) + timedelta(days=n + n // 5 * 2)
        writers[DailyReminder].add(day, at(day, 16), school_class=room, text="过马路请走斑马线")
        writers[ZeroReport].add(day, at(day, 17), person=officer)
        if day.weekday() == 2:
            writers[ClassSession].add(
                day, at(day, 15), school_class=room, kind="weekly", topic="防溺水“六不”", module="injury", present=30,
                made_up=0,
            )  # fmt: skip
    if number % 5 == 0:
        happened = at(date(2026, 9, 22), 10)
        writers[Incident].add(
            date(2026, 9, 22), happened + timedelta(hours=1), happened_at=happened, discovered_at=happened,
            reported_at=happened + timedelta(hours=1), reported_by="school", category="facility", liability="pending",
            deaths=0, serious_injuries=0, minor_injuries=1, affected=1, loss_yuan=300,
        )  # fmt: skip
    for writer in writers.values():
        await writer.write()

"""Officers at work: keep-alive connections that post one form after another, each waiting for its answer.

A program of its own (`python -m config.benchmarks.load`), so that it costs the server nothing but the machine's second
core. Reads a `Plan` as JSON from standard input and writes an `Outcome` as JSON to standard output. It knows nothing of
either server beyond the plan: it signs in through the sign-in form, gets each form once for its token, then posts.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
import uuid
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import httptools
import msgspec
import uvloop

HIDDEN = r'name="{name}" value="([^"]+)"'


class Officer(msgspec.Struct):
    """One person: who they are, the address of their form, and the bodies that they send in turn."""

    login: str
    password: str
    path: str
    bodies: list[dict[str, str]]


class Plan(msgspec.Struct):
    """What to do to which server. `saved`: the status that says that a form was taken."""

    port: int
    pid: int
    seconds: float
    warm_up: float
    officers: list[Officer]
    login_path: str
    login_field: str
    token_field: str
    saved: int


class Outcome(msgspec.Struct):
    """What was measured. Times are milliseconds; `answers` counts every status, `taken` all forms ever taken.

    `cpu` is the server's own work per save, which says more than the rest on a machine that others use too.
    """

    seconds: float
    per_second: float
    cpu: float
    p50: float
    p99: float
    worst: float
    saves: int
    errors: int
    answers: dict[int, int]
    taken: int


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request under way; opened again, as browsers do, when it was closed idle."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cookies: dict[str, str] = {}
        self.transport: asyncio.Transport | None = None
        self._fresh()

    def _fresh(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._answered: asyncio.Future[tuple[int, bytes]] | None = None

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error or ConnectionError("closed before the answer"))

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"set-cookie":
            cookie, _, content = value.decode().partition(";")[0].partition("=")
            self.cookies[cookie] = content

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_result((self._parser.get_status_code(), b"".join(self._body)))

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and body of one request."""
        loop = asyncio.get_running_loop()
        if self.transport is None or self.transport.is_closing():
            self.transport, _ = await loop.create_connection(lambda: self, "127.0.0.1", self.port)
        self._fresh()
        self._answered = loop.create_future()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = (
            f"{method} {path} HTTP/1.1\r\nhost: localhost\r\ncookie: {cookies}\r\naccept: text/html\r\n"
            f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        return await self._answered


class Worker:
    """One officer on one connection."""

    def __init__(self, plan: Plan, officer: Officer) -> None:
        self.plan, self.officer = plan, officer
        self.connection = Connection(plan.port)
        self.times: list[float] = []
        self.answers: Counter[int] = Counter()
        self.taken = 0

    async def prepare(self) -> None:
        """Sign in and get the form."""
        token = await self._token(self.plan.login_path)
        who = {self.plan.login_field: self.officer.login, "password": self.officer.password}
        sent = urlencode({self.plan.token_field: token, **who}).encode()
        status, page = await self.connection.ask("POST", self.plan.login_path, sent)
        if status not in {302, 303}:
            raise RuntimeError(f"{self.officer.login} could not sign in: {status} {page[:300]!r}")
        token = await self._token(self.officer.path)
        self.bodies = [
            urlencode({self.plan.token_field: token, **body}).encode() + b"&submission_key="
            for body in self.officer.bodies
        ]

    async def _token(self, path: str) -> str:
        status, page = await self.connection.ask("GET", path)
        found = re.search(HIDDEN.format(name=self.plan.token_field), page.decode())
        if found is None:
            raise RuntimeError(f"no form at {path}: {status}")
        return found[1]

    async def _status(self, body: bytes) -> int:
        """The answer to one form; 0 if there was none."""
        try:
            return (await self.connection.ask("POST", self.officer.path, body))[0]
        except OSError:
            return 0

    async def post(self, begins: float, ends: float) -> None:
        """Post until `ends`; what was sent before `begins` warms up and is not counted."""
        number = 0
        while (start := time.perf_counter()) < ends:
            body = self.bodies[number % len(self.bodies)] + uuid.uuid4().hex.encode()
            number += 1
            status = await self._status(body)
            self.taken += status == self.plan.saved
            if start >= begins:
                self.times.append(time.perf_counter() - start)
                self.answers[status] += 1


async def work(plan: Plan) -> Outcome:
    """Carry the plan out."""
    workers = [Worker(plan, officer) for officer in plan.officers]
    for worker in workers:
        await worker.prepare()
    begins = time.perf_counter() + plan.warm_up
    posting = asyncio.gather(*(worker.post(begins, begins + plan.seconds) for worker in workers))
    await asyncio.sleep(plan.warm_up)
    worked = cpu_seconds(plan.pid)
    await posting
    spent, worked = time.perf_counter() - begins, cpu_seconds(plan.pid) - worked
    times = sorted(taken for worker in workers for taken in worker.times)
    answers = sum((worker.answers for worker in workers), Counter[int]())
    saves = answers[plan.saved]
    return Outcome(
        seconds=round(spent, 2),
        per_second=round(saves / spent, 1),
        cpu=round(1000 * worked / max(1, len(times)), 3),
        p50=_milliseconds(times, 0.50),
        p99=_milliseconds(times, 0.99),
        worst=_milliseconds(times, 1.0),
        saves=saves,
        errors=len(times) - saves,
        answers=dict(answers),
        taken=sum(worker.taken for worker in workers),
    )


def cpu_seconds(pid: int) -> float:
    """Processor time of a process so far; 0 where the system does not tell."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _milliseconds(times: list[float], share: float) -> float:
    """The time that `share` of all requests took at most."""
    return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 1) if times else 0.0


def main() -> None:
    """One plan from standard input."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(work(plan))))


if __name__ == "__main__":
    main()

"""The bureau's instance, as a process of its own, and what a school's instance needs to send to it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
from cryptography import x509

from reports.transports import Guarded, guarded
from reports.transports.https import Https
from tests.faults.conftest import Campus

if TYPE_CHECKING:
    from tests.delivery.conftest import Desk

ITEMS = "select school_code, version, bytes_digest from inbox_item"
PATIENCE = 200


@dataclass
class Bureau:
    """The other instance: a process of its own with its own database, and a token for S001."""

    campus: Campus
    url: str
    token: str
    certificate: x509.Certificate

    def way(self, token: str | None = None, certificate: x509.Certificate | None = None) -> Guarded:
        return self.at(self.url, token, certificate)

    def at(self, url: str, token: str | None = None, certificate: x509.Certificate | None = None) -> Guarded:
        used = token or self.token
        return guarded(Https(url, used, certificate or self.certificate), (used,), 60)

    async def ask(self, sql: str) -> list[tuple[object, ...]]:
        return await self.campus.ask(sql)

    async def has(self, desk: Desk) -> None:
        """Exactly the one return has arrived, byte for byte."""
        content = await desk.content()
        digest = hashlib.sha256(content).hexdigest()
        assert await self.ask(ITEMS) == [("S001", 1, digest)]
        assert (self.campus.data / "evidence" / digest[:2] / digest).read_bytes() == content


def free_port() -> int:
    with contextlib.closing(socket.socket()) as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def answering(url: str, process: subprocess.Popen[bytes]) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(PATIENCE):
            assert process.poll() is None, process.communicate()[1].decode()
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            await asyncio.sleep(0.1)
    raise AssertionError("the other instance did not start")

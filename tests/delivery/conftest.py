"""A sealed return whose bureau works on another instance, and what the tests of every way ask of it."""

import io
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pikepdf
import pytest

from config.rules import put_in_use
from reports.actions import seal
from reports.canonical import canonical
from reports.delivery import peers
from reports.delivery.inquiries import ask_due
from reports.jobs import deliver_due
from reports.pdf import Renderer
from reports.press import Press
from reports.sealing.keys import pem, signing_key
from reports.transports import Transport
from safety.calendar import Period
from safety.database import CampusEngine, fetch_tuples
from safety.duties import close_at
from safety.jobs.owner import me
from tests.cast import Cast, make_cast
from tests.conftest import opened
from tests.delivery.instances import Bureau, answering, free_port
from tests.faults.conftest import Campus
from tests.signing import new_key

Q3 = Period.parse("2026Q3")
CLOSE = close_at(Q3)
OUTBOX = "select state, attempts, next_at, error from outbox"


class SmallRenderer(Renderer):
    """One empty page with the return's own data attached, as every return has them. Drawing has tests of its own."""

    async def render_return(self, document, lang="zh") -> bytes:
        made = pikepdf.new()
        made.add_blank_page()
        made.attachments["return.json"] = pikepdf.AttachedFileSpec(
            made, canonical(document), mime_type="application/json"
        )
        out = io.BytesIO()
        made.save(out, deterministic_id=True)
        return out.getvalue()


@dataclass
class Desk:
    """The sender: what waits in its outbox, and rounds of delivery at a time of our choosing."""

    cast: Cast
    press: Press
    now: datetime = CLOSE

    async def round(self, way: Transport | None) -> int:
        """One round of the job by a way; returns how many arrived. An hour later than the last, so all is due."""
        self.now += timedelta(hours=1)
        return await deliver_due(replace(self.press, upward=way), self.now)

    async def state(self) -> str:
        return str((await fetch_tuples(None, OUTBOX))[0][0])

    async def error(self) -> str:
        return str((await fetch_tuples(None, OUTBOX))[0][3])

    async def attempts(self) -> int:
        return int((await fetch_tuples(None, OUTBOX))[0][1])

    async def message(self) -> UUID:
        found: UUID = (await fetch_tuples(None, "select message from outbox"))[0][0]
        return found

    async def receipts(self) -> list[tuple[str, str]]:
        """(way, answer) of what was delivered."""
        return await fetch_tuples(None, "select way, answer from receipt")

    async def content(self) -> bytes:
        """The file that was to arrive."""
        from reports import files

        rows = await fetch_tuples(None, "select bytes_digest from sealed_file")
        return files.read(self.press.data, rows[0][0])

    async def waits(self, way: Transport, said: str = "") -> None:
        """A round by that way fails, and the message waits for its next attempt."""
        assert await self.round(way) == 0
        assert await self.state() == "waiting"
        assert said in await self.error()
        assert await self.receipts() == []

    async def arrives(self, way: Transport) -> str:
        """A round by that way succeeds, the next one has nothing to do; returns the answer that was kept."""
        assert await self.round(way) == 1
        assert await self.state() == "delivered"
        assert await self.round(way) == 0
        (kept,) = await self.receipts()
        assert kept[0] == way.name
        return kept[1]

    async def asks(self, way: Transport | None, after: timedelta = timedelta(hours=1)) -> int:
        """Ask for decisions by a way, some time later; returns how many were new."""
        self.now += after
        return await ask_due(replace(self.press, upward=way), self.now)


@pytest.fixture
async def desk(sqlite_database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path / "sender")


async def make_desk(data: Path) -> Desk:
    """S001's return is sealed, and its bureau works elsewhere."""
    put_in_use()
    cast = await make_cast(CLOSE - timedelta(days=40))
    await fetch_tuples(None, "update bureau set elsewhere = true where code = 'HILL'")
    press = Press(data, SmallRenderer(data), me(), key=new_key("青山县实验学校"))
    assert await seal(cast.school, Q3, CLOSE)
    return Desk(cast, press)


@pytest.fixture(scope="module")
async def running(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Campus, str]]:
    """The other instance, started once, with the cast's places in it, and its address."""
    folder = tmp_path_factory.mktemp("bureau")
    shutil.copyfile(sqlite_template, folder / "campus.db")
    campus = Campus(f"sqlite:///{folder}/campus.db", folder)
    async with opened(campus.url):
        await make_cast(CLOSE)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    await answering(url, campus.start("serve", "--port", str(port), "--no-jobs"))
    yield campus, url
    campus.end()


@pytest.fixture
async def bureau(desk: Desk, running: tuple[Campus, str]) -> Bureau:
    """The same with empty books and a new token for S001, whose certificate is pinned."""
    campus, url = running
    assert desk.press.key is not None
    async with opened(campus.url):
        for table in ("return_decision", "inbox_item", "received_delivery", "peer"):
            await fetch_tuples(None, f"delete from {table}")
        added = await peers.add(None, "S001", pem(desk.press.key.certificate).decode(), campus.data, CLOSE)
    certificate = signing_key(campus.data, "青山县教育局").certificate
    return Bureau(campus, url, added.token, certificate)


@pytest.fixture
async def sent(desk: Desk, bureau: Bureau) -> Desk:
    """The first version has arrived at the other instance."""
    await desk.arrives(bureau.way())
    return desk

"""Two instances: a school's own sends to its bureau's, over the wire, with whatever goes wrong between them."""

import asyncio
import base64
import contextlib
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from reports.delivery import peers, receipts, signed
from reports.pdf import Renderer
from reports.rollup import actions as rollup_actions
from reports.rollup import document as rollup
from reports.sealing.keys import pem
from reports.transports import Guarded
from reports.transports.https import PATH, Https
from safety.database import fetch_tuples
from safety.ids import new_id
from tests.conftest import opened
from tests.delivery.conftest import CLOSE, Q3, Desk
from tests.delivery.instances import ITEMS, Bureau, answering
from tests.delivery.tls import make_tls
from tests.signing import new_key


# ---------------------------------------------------------------- as it should be
@contextlib.asynccontextmanager
async def drawing(desk: Desk) -> AsyncIterator[None]:
    """Documents are drawn as in service."""
    renderer = Renderer(desk.press.data)
    desk.press = replace(desk.press, renderer=renderer)
    try:
        yield
    finally:
        await renderer.close()


async def test_a_return_arrives_and_its_receipt_is_the_bureaus_word(desk: Desk, bureau: Bureau) -> None:
    async with drawing(desk):
        answer = await desk.arrives(bureau.way())
    body = signed.check(answer.encode(), receipts.Body, bureau.certificate)
    assert body.message == await desk.message()
    assert (body.sender, body.receiver, body.period, body.version) == ("S001", "HILL", "2026Q3", 1)
    await bureau.has(desk)
    kept = await bureau.ask("select receipt from received_delivery")
    assert kept == [(answer,)]
    assert await bureau.ask("select code from peer where seen_at is not null") == [("S001",)]
    told = "select count(*) from audit_line where action = 'delivery.received' and subject = 'S001/2026Q3'"
    assert (await bureau.ask(told))[0][0] >= 1
    with pytest.raises(signed.BadAnswer):
        signed.check(answer.replace('"version":1', '"version":2').encode(), receipts.Body, bureau.certificate)


async def test_over_tls_too_and_only_with_a_certificate_that_is_vouched_for(
    desk: Desk, bureau: Bureau, tmp_path: Path
) -> None:
    _, server_side, client_side = make_tls(tmp_path)
    async with relayed(bureau, tls=server_side) as front:
        stranger = Https(front.url, bureau.token, bureau.certificate)
        await desk.waits(Guarded(stranger), "CERTIFICATE_VERIFY_FAILED")
        await desk.arrives(Guarded(Https(front.url, bureau.token, bureau.certificate, client_side)))
    await bureau.has(desk)


# ---------------------------------------------------------------- on the way
@dataclass
class Front:
    """What stands between the two: a relay of bytes that may lose the answer."""

    url: str = ""
    lose: int = 0


@contextlib.asynccontextmanager
async def relayed(bureau: Bureau, tls: ssl.SSLContext | None = None) -> AsyncIterator[Front]:
    front, port = Front(), int(bureau.url.rpartition(":")[2])
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        back_reader, back_writer = await asyncio.open_connection("127.0.0.1", port)
        asking = asyncio.create_task(pass_on(reader, back_writer))
        try:
            answer = await back_reader.read(65536)
            if front.lose:
                front.lose -= 1
                writer.transport.abort()
                return
            writer.write(answer + await back_reader.read(0))
            await writer.drain()
            await pass_on(back_reader, writer)
        finally:
            asking.cancel()
            back_writer.close()
            writer.close()
            tasks.discard(task)

    async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    front.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield front
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def test_the_answer_is_lost_after_the_receipt_was_made(desk: Desk, bureau: Bureau) -> None:
    async with relayed(bureau) as front:
        front.lose = 2
        await desk.waits(bureau.at(front.url))
        await bureau.has(desk)
        await desk.waits(bureau.at(front.url))
        answer = await desk.arrives(bureau.at(front.url))
    await bureau.has(desk)
    assert await bureau.ask("select receipt from received_delivery") == [(answer,)]


async def test_the_other_instance_is_down_for_a_while(desk: Desk, bureau: Bureau) -> None:
    bureau.campus.end()
    await desk.waits(bureau.way(), "ConnectError")
    port = bureau.url.rpartition(":")[2]
    await answering(bureau.url, bureau.campus.start("serve", "--port", port, "--no-jobs"))
    await desk.arrives(bureau.way())
    await bureau.has(desk)


async def test_a_receipt_that_somebody_else_signed_is_none(desk: Desk, bureau: Bureau) -> None:
    await desk.waits(bureau.way(certificate=new_key().certificate), "another certificate")
    await desk.arrives(bureau.way())
    await bureau.has(desk)


async def test_a_wrong_token_waits_to_be_mended_and_is_not_told(
    desk: Desk, bureau: Bureau, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = "A" * 43
    await desk.waits(bureau.way(token=wrong), "401")
    assert wrong not in caplog.text + await desk.error()
    await desk.arrives(bureau.way())
    assert bureau.token not in caplog.text
    await bureau.has(desk)


async def test_a_seal_of_another_key_is_a_dead_letter(desk: Desk, bureau: Bureau) -> None:
    desk.press = replace(desk.press, key=new_key("somebody else"))
    assert await desk.round(bureau.way()) == 0
    assert await desk.state() == "dead"
    assert "other-certificate" in await desk.error()
    assert await bureau.ask(ITEMS) == []


# ---------------------------------------------------------------- what is refused at the door
@dataclass
class Caller:
    """Calls the door with one thing changed."""

    desk: Desk
    bureau: Bureau
    content: bytes = b""

    async def call(self, content: bytes | None = None, **headers: str) -> httpx.Response:
        if not self.content:
            # Made as any delivery makes it, without sending it.
            await self.desk.round(self.bureau.at("http://127.0.0.1:1"))
            self.content = await self.desk.content()
        body = self.content if content is None else content
        said = {
            "authorization": f"Bearer {self.bureau.token}",
            "content-type": "application/pdf",
            "content-digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:",
            "idempotency-key": str(await self.desk.message()),
            "delivery-kind": "return",
            "delivery-from": "S001",
            "delivery-period": "2026Q3",
            "delivery-version": "1",
        }
        said |= {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(timeout=60) as client:
            return await client.post(self.bureau.url + PATH, content=body, headers=said)


@pytest.fixture
def caller(desk: Desk, bureau: Bureau) -> Caller:
    return Caller(desk, bureau)


async def test_what_the_door_refuses_and_what_it_says(caller: Caller, bureau: Bureau) -> None:
    async def refused(status: int, code: str, content: bytes | None = None, **headers: str) -> None:
        answer = await caller.call(content, **headers)
        problem = answer.json()
        codes = {problem.get("code"), *(one["code"] for one in problem.get("errors", []))}
        assert (answer.status_code, code in codes) == (status, True), answer.text

    await refused(401, "sign-in-needed", authorization="Bearer " + "A" * 43)
    await refused(401, "sign-in-needed", authorization="")
    await refused(403, "peer-other-sender", delivery_from="S002")
    await refused(403, "peer-other-sender", delivery_kind="rollup")
    await refused(400, "header-unread", idempotency_key="one")
    await refused(400, "header-unread", delivery_version="0")
    await refused(400, "header-unread", delivery_period="2026-Q3")
    await refused(400, "digest-differs", content_digest=f"sha-256=:{base64.b64encode(bytes(32)).decode()}:")
    await refused(400, "seal-refused", content=b"not a PDF")
    await refused(400, "seal-refused", content=caller.content + b"\n")
    await refused(400, "file-says-otherwise", delivery_version="2")
    await refused(400, "file-says-otherwise", delivery_period="2026Q2")
    large = await caller.call(bytes(20 * 1024 * 1024 + 1))
    assert large.status_code == 413
    assert await bureau.ask(ITEMS) == []
    assert await bureau.ask("select number from received_delivery") == []


async def test_the_same_message_gets_the_same_receipt_and_another_file_a_conflict(
    caller: Caller, bureau: Bureau
) -> None:
    first, again = await caller.call(), await caller.call()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.content == again.content
    other = await caller.call(caller.content + b"\n")
    assert (other.status_code, other.json()["code"]) == (409, "same-message-other-file")
    twice = await caller.call(idempotency_key=str(new_id()))
    assert (twice.status_code, twice.json()["code"]) == (409, "version-known")
    assert len(await bureau.ask(ITEMS)) == 1


async def test_many_at_once_are_received_once(caller: Caller, bureau: Bureau) -> None:
    await caller.call(authorization="")
    answers = await asyncio.gather(*(caller.call() for _ in range(8)))
    assert {answer.status_code for answer in answers} <= {200, 201}
    assert len({answer.content for answer in answers}) == 1
    assert len(await bureau.ask(ITEMS)) == 1


async def test_a_revoked_token_and_an_accounts_token_open_nothing(caller: Caller, bureau: Bureau) -> None:
    account = bureau.campus.run("token", "clerk").strip()
    assert (await caller.call(authorization=f"Bearer {account}")).status_code == 403
    listed = json.loads(bureau.campus.run("peer", "list", "--json"))["peers"]
    assert [(one["code"], one["kind"]) for one in listed] == [("S001", "return")]
    bureau.campus.run("peer", "revoke", str(listed[0]["id"]))
    assert (await caller.call()).status_code == 401


# ---------------------------------------------------------------- a county and its city
async def test_a_countys_real_roll_up_is_what_its_city_folds_in(desk: Desk, bureau: Bureau) -> None:
    """Drawn and sealed as in service: the seal, the attached data and the books of the city."""
    assert desk.press.key is not None
    cast, pinned = desk.cast, pem(desk.press.key.certificate).decode()
    async with opened(bureau.campus.url):
        await fetch_tuples(None, "delete from received_rollup")
        county = await peers.add(None, "HILL", pinned, bureau.campus.data, CLOSE)
    # At the county its schools are its own, and the city is elsewhere.
    await fetch_tuples(None, "delete from outbox")
    await fetch_tuples(None, "update bureau set elsewhere = (code = 'CITY')")
    assert await rollup_actions.seal_first(cast.county, Q3, desk.press.data, CLOSE + timedelta(days=3))
    desk.now += timedelta(days=3)
    async with drawing(desk):
        answer = await desk.arrives(bureau.way(token=county.token))
    body = signed.check(answer.encode(), receipts.Body, bureau.certificate)
    assert (body.kind, body.sender, body.receiver) == ("rollup", "HILL", "CITY")
    ((sender, document),) = await bureau.ask("select sender, document from received_rollup")
    assert sender == "HILL"
    read = rollup.parse(str(document).encode())
    assert (read.bureau.code, [school.code for school in read.schools]) == ("HILL", ["S001", "S002"])

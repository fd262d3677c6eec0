"""Answers about decisions that do not hold change nothing and are told; the door tells nobody of what others sent."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import msgspec
import pytest

from reports.delivery import decided, peers, receipts
from reports.delivery.signed import Signed, check, issue
from reports.sealing.keys import SigningKey, pem, signing_key
from reports.transports.https import PATH
from safety.database import fetch_tuples
from safety.ids import new_id
from tests.conftest import opened
from tests.delivery.conftest import CLOSE, Desk
from tests.delivery.deciding import (
    ACCEPT,
    BACK,
    TOLD,
    error,
    rule,
    states,
    trail,
)
from tests.delivery.instances import Bureau
from tests.signing import new_key

Make = Callable[[Desk, Bureau], Awaitable[str]]


@contextlib.asynccontextmanager
async def saying(text: str) -> AsyncIterator[str]:
    """Somebody in the bureau's place who answers whatever is asked with that text; gives the address."""

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = text.encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def key_of(bureau: Bureau) -> SigningKey:
    return signing_key(bureau.campus.data, "青山县教育局")


async def genuine(bureau: Bureau, desk: Desk) -> str:
    async with httpx.AsyncClient() as client:
        headers = {"authorization": f"Bearer {bureau.token}"}
        answer = await client.get(f"{bureau.url}{PATH}/{await desk.message()}", headers=headers)
    assert answer.status_code == 200
    return answer.text


async def body_of(desk: Desk, bureau: Bureau) -> decided.Body:
    return check((await genuine(bureau, desk)).encode(), decided.Body, bureau.certificate)


async def changed(desk: Desk, bureau: Bureau, key: SigningKey | None = None, **changes: object) -> str:
    """The genuine answer with its one decision changed, signed by the bureau's own key or by another."""
    body = await body_of(desk, bureau)
    decision = msgspec.structs.replace(body.decisions[0], **changes)
    return issue(msgspec.structs.replace(body, decisions=(decision,)), key or key_of(bureau))


async def tampered(desk: Desk, bureau: Bureau) -> str:
    return (await genuine(bureau, desk)).replace('"returned"', '"accepted"')


async def unsigned(desk: Desk, bureau: Bureau) -> str:
    body = await body_of(desk, bureau)
    return issue(body, None)


async def of_another_key(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, new_key("somebody else"))


async def of_another_key_in_the_bureaus_name(desk: Desk, bureau: Bureau) -> str:
    forged = await changed(desk, bureau, new_key("somebody else"))
    answer = msgspec.json.decode(forged, type=Signed)
    return msgspec.json.encode(
        msgspec.structs.replace(answer, certificate=key_of(bureau).fingerprint)
    ).decode()


async def about_another_file(desk: Desk, bureau: Bureau, **changes: object) -> str:
    body = await body_of(desk, bureau)
    given = check(body.receipt.encode(), receipts.Body, bureau.certificate)
    other = msgspec.structs.replace(given, **(changes or {"bytes_digest": "0" * 64}))
    receipt = issue(other, key_of(bureau))
    return issue(msgspec.structs.replace(body, receipt=receipt), key_of(bureau))


async def about_another_version(desk: Desk, bureau: Bureau) -> str:
    return await about_another_file(desk, bureau, version=2)


async def about_another_message(desk: Desk, bureau: Bureau) -> str:
    return await about_another_file(desk, bureau, message=new_id())


async def the_receipt_itself(desk: Desk, bureau: Bureau) -> str:
    del bureau
    return (await desk.receipts())[0][1]


async def no_json(desk: Desk, bureau: Bureau) -> str:
    del desk, bureau
    return "<!doctype html><title>It works!</title>"


async def an_unknown_outcome(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, outcome="praised")


async def an_unknown_line(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, lines=(decided.LineReason("no.line", "x"),))


async def endless_reasons(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, reasons="长" * 1001)


async def a_nul_in_the_reasons(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, reasons="第三周\0缺安全课")


async def a_bell_in_a_lines_reason(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, lines=(decided.LineReason("education.weekly", "缺\a二年级"),))


# ---------------------------------------------------------------- at the school
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (tampered, "signature does not fit"),
        (unsigned, "another certificate"),
        (of_another_key, "another certificate"),
        (of_another_key_in_the_bureaus_name, "signature does not fit"),
        (about_another_file, "something else"),
        (about_another_version, "something else"),
        (about_another_message, "something else"),
        (the_receipt_itself, "cannot be read"),
        (no_json, "cannot be read"),
        (an_unknown_outcome, "cannot be read"),
        (an_unknown_line, "not on the score"),
        (endless_reasons, "cannot be read"),
        (a_nul_in_the_reasons, "control characters"),
        (a_bell_in_a_lines_reason, "control characters"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_an_answer_that_does_not_hold_changes_nothing_and_is_told(
    sent: Desk, bureau: Bureau, make: Make, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    await rule(bureau, BACK)
    async with saying(await make(sent, bureau)) as url:
        with caplog.at_level(logging.WARNING):
            assert await sent.asks(bureau.at(url)) == 0
    assert said in await error(sent)
    assert said in caplog.text
    assert bureau.token not in caplog.text
    assert await fetch_tuples(None, TOLD) == []
    assert await states(sent) == ["received"]
    assert "return.returned" not in await trail(sent)
    assert (await sent.asks(bureau.way()), await states(sent)) == (1, ["returned"])
    assert await error(sent) == ""


async def test_a_decision_that_was_told_cannot_be_told_otherwise(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, BACK)
    await sent.asks(bureau.way())
    async with saying(await changed(sent, bureau, outcome="accepted")) as url:
        assert await sent.asks(bureau.at(url)) == 0
    assert "told before" in await error(sent)
    assert await fetch_tuples(None, TOLD) == [("returned", BACK.reasons)]


async def test_an_older_genuine_answer_told_again_takes_nothing_back(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, BACK)
    older = await genuine(bureau, sent)
    await rule(bureau, ACCEPT, hours=5)
    assert await sent.asks(bureau.way()) == 2
    async with saying(older) as url:
        assert await sent.asks(bureau.at(url)) == 0
    assert await states(sent) == ["accepted"]


# ---------------------------------------------------------------- at the bureau's door
async def test_the_door_tells_a_sender_of_its_own_messages_only(sent: Desk, bureau: Bureau) -> None:
    message = await sent.message()
    async with opened(bureau.campus.url):
        certificate = pem(new_key().certificate).decode()
        neighbour = await peers.add(None, "S002", certificate, bureau.campus.data, CLOSE)
        county = await peers.add(None, "HILL", certificate, bureau.campus.data, CLOSE)
    account = bureau.campus.run("token", "clerk").strip()

    async def ask(token: str, about: object = message) -> tuple[int, str]:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"{bureau.url}{PATH}/{about}", headers=headers)
        return answer.status_code, answer.headers["content-type"].split(";")[0]

    problem = "application/problem+json"
    assert await ask(bureau.token) == (200, "application/json")
    assert await ask(bureau.token, new_id()) == (404, problem)
    assert await ask(bureau.token, "no-number") == (404, problem)
    assert await ask(neighbour.token) == (404, problem)
    assert await ask(county.token) == (404, problem)
    assert await ask(account) == (403, problem)
    assert await ask("A" * 43) == (401, problem)
    assert await ask("") == (401, problem)


async def test_whoever_was_enrolled_anew_still_learns_of_what_was_sent_before(
    sent: Desk, bureau: Bureau
) -> None:
    await rule(bureau, BACK)
    assert sent.press.key is not None
    async with opened(bureau.campus.url):
        ((number,),) = await fetch_tuples(None, "select id from peer where code = 'S001'")
        await peers.revoke(None, number, CLOSE)
        pinned = pem(sent.press.key.certificate).decode()
        again = await peers.add(None, "S001", pinned, bureau.campus.data, CLOSE)
    assert await sent.asks(bureau.way()) == 0
    assert "401" in await error(sent)
    assert (await sent.asks(bureau.way(token=again.token)), await states(sent)) == (1, ["returned"])

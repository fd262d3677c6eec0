"""A bureau's decision travels back to the school's own instance, over the wire, and is there like any other."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import msgspec
import pytest

from reports.canonical import canonical
from reports.delivery import decided, inquiries, peers, receipts
from reports.delivery.signed import Signed, check, issue
from reports.life import actions as life
from reports.life import causes, standing
from reports.life.decisions import Ruling, decide
from reports.sealing.keys import SigningKey, pem, signing_key
from reports.transports import Guarded
from reports.transports.folder import Folder
from reports.transports.https import PATH
from safety.access.queries import scope_of_login
from safety.audit.queries import verify
from safety.database import CampusEngine, fetch_tuples
from safety.ids import new_id
from tests.conftest import opened
from tests.delivery.conftest import CLOSE, Q3, Desk, make_desk
from tests.delivery.instances import Bureau, answering
from tests.signing import new_key

ACCEPT = Ruling("accepted")
BACK = Ruling("returned", "第三周缺安全课，请说明原因。", {"education.weekly": "缺二年级"})
WITHDRAW = Ruling("withdrawn", "受理有误")
TOLD = "select outcome, reasons from told_decision order by decided_at, id"
NEXT = "select asked, asked_at, next_at, error from inquiry order by message"


@pytest.fixture
async def desk(database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path / "sender")


@pytest.fixture
async def sent(desk: Desk, bureau: Bureau) -> Desk:
    """The first version has arrived."""
    await desk.arrives(bureau.way())
    return desk


async def rule(bureau: Bureau, ruling: Ruling, hours: int = 1) -> None:
    """The bureau's clerk decides on the newest version that is there, some hours after the close."""
    async with opened(bureau.campus.url):
        clerk = await scope_of_login("clerk", CLOSE)
        assert clerk is not None
        rows = await fetch_tuples(None, "select id from inbox_item order by version desc limit 1")
        await decide(clerk, rows[0][0], ruling, CLOSE + timedelta(hours=hours), key=f"ruling-{hours:04}")


async def versions(desk: Desk) -> list[standing.Version]:
    return await standing.versions(desk.cast["principal"], desk.cast.school, Q3)


async def states(desk: Desk) -> list[str]:
    return [version.state for version in await versions(desk)]


async def trail(desk: Desk) -> list[str]:
    told = "select action from audit_line where chain = $1 and action like 'return.%' order by position"
    return [action for (action,) in await fetch_tuples(None, told, [desk.cast.school])]


async def error(desk: Desk) -> str:
    return str((await fetch_tuples(None, NEXT))[0][3])


# ---------------------------------------------------------------- as it should be
async def test_from_returned_through_the_correction_to_accepted(sent: Desk, bureau: Bureau) -> None:
    desk, way, principal = sent, bureau.way(), sent.cast["principal"]
    assert (await desk.asks(way), await states(desk)) == (0, ["received"])
    await rule(bureau, BACK)
    assert (await desk.asks(way), await states(desk)) == (1, ["returned"])
    (version,) = await versions(desk)
    ruling = version.ruling
    assert ruling is not None
    assert (ruling.reasons, dict(ruling.lines), ruling.decider) == (BACK.reasons, BACK.lines, "孙经办")
    assert ruling.decided_at == CLOSE + timedelta(hours=1)
    assert ruling.item == version.sent.number
    (call,) = await life.calls(principal, desk.cast.school, "S001", desk.now)
    assert (call.key, call.path) == ("life.call-returned", "/schools/S001/returns/2026Q3/correction")
    assert await standing.outcomes(principal, desk.cast.school) == {("2026Q3", 1): "returned"}

    opened_ = await standing.correction_of(version)
    assert opened_ is not None
    assert opened_.asked == ruling
    texts = {"education.weekly": "台风停课一周"}
    await causes.write(principal, desk.cast.school, Q3, texts, desk.now, key="causes-001")
    draft = await life.next_draft(principal, desk.cast.school, Q3, opened_, desk.now)
    assert (draft.version, draft.unchanged, draft.previous_digest) == (2, False, version.sent.document_digest)
    given = (principal, desk.cast.school, Q3, draft.facts_digest, "说明原因")
    assert await life.make_version(*given, desk.now, key="version-02") == 2
    assert await desk.round(way) == 1
    assert await states(desk) == ["received", "returned"]

    await rule(bureau, ACCEPT, hours=9)
    assert await desk.asks(way) == 1
    assert await states(desk) == ["accepted", "returned"]
    assert await life.calls(principal, desk.cast.school, "S001", desk.now) == []
    assert await trail(desk) == [
        "return.sealed", "return.received", "return.returned", "return.causes", "return.signed", "return.sealed",
        "return.received", "return.accepted",
    ]  # fmt: skip
    assert await verify() == []
    async with opened(bureau.campus.url):
        assert await verify() == []


async def test_a_withdrawn_acceptance_is_told_too(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, ACCEPT)
    assert (await sent.asks(bureau.way()), await states(sent)) == (1, ["accepted"])
    await rule(bureau, WITHDRAW, hours=5)
    assert await sent.asks(bureau.way()) == 0, "an accepted return is asked about by the day"
    assert (await sent.asks(bureau.way(), timedelta(days=1)), await states(sent)) == (1, ["received"])
    assert [row[0] for row in await fetch_tuples(None, TOLD)] == ["accepted", "withdrawn"]
    assert (await trail(sent))[-2:] == ["return.accepted", "return.withdrawn"]


async def test_what_was_decided_many_times_over_arrives_in_its_order(sent: Desk, bureau: Bureau) -> None:
    for hours, ruling in enumerate((ACCEPT, BACK, ACCEPT, WITHDRAW, BACK), start=1):
        await rule(bureau, ruling, hours)
    assert (await sent.asks(bureau.way()), await states(sent)) == (5, ["returned"])
    (version,) = await versions(sent)
    outcomes = [ruled.outcome for ruled in version.rulings]
    assert outcomes == ["accepted", "returned", "accepted", "withdrawn", "returned"]


async def test_the_answer_is_kept_word_for_word_and_can_be_shown_to_anybody(
    sent: Desk, bureau: Bureau
) -> None:
    await rule(bureau, BACK)
    await sent.asks(bureau.way())
    ((answer,),) = await fetch_tuples(None, "select answer from told_decision")
    said = check(answer.encode(), decided.Body, bureau.certificate)
    assert [(one.outcome, one.reasons) for one in said.decisions] == [("returned", BACK.reasons)]
    assert said.receipt.body.message == await sent.message()
    (kept,) = await sent.receipts()
    assert canonical(said.receipt).decode() == kept[1]


# ---------------------------------------------------------------- how often
async def test_by_the_minute_then_by_the_hour_then_by_the_day(sent: Desk, bureau: Bureau) -> None:
    way = bureau.way()
    (stored,) = (await fetch_tuples(None, "select stored_at from receipt"))[0]
    for age, pause in (
        (timedelta(minutes=1), timedelta(minutes=1)),
        (timedelta(hours=2), timedelta(hours=1)),
        (timedelta(days=31), timedelta(days=1)),
    ):
        sent.now = stored
        await sent.asks(way, age)
        asked, _, next_at, _ = (await fetch_tuples(None, NEXT))[0]
        assert next_at == stored + age + pause
        await sent.asks(way, pause - timedelta(seconds=1))
        assert (await fetch_tuples(None, NEXT))[0][0] == asked


async def test_asking_ends_long_after_an_acceptance(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, ACCEPT)
    await sent.asks(bureau.way(), timedelta(days=99))
    await sent.asks(bureau.way(), timedelta(days=2))
    assert [(row[0], row[2]) for row in await fetch_tuples(None, NEXT)] == [(2, None)]
    await rule(bureau, WITHDRAW, hours=5)
    assert await sent.asks(bureau.way(), timedelta(days=2)) == 0
    assert await states(sent) == ["accepted"]


async def test_a_version_is_asked_about_a_last_time_when_the_next_one_has_arrived(
    sent: Desk, bureau: Bureau
) -> None:
    """What was decided on it between the last question and that arrival is not lost."""
    way, principal = bureau.way(), sent.cast["principal"]
    await sent.asks(way)
    await rule(bureau, ACCEPT)
    given = (principal, sent.cast.school, Q3)
    await life.open_correction(*given, "自查", sent.now, key="reopen-001")
    opened_ = await standing.correction_of((await versions(sent))[0])
    assert opened_ is not None
    draft = await life.next_draft(*given, opened_, sent.now)
    await life.make_version(
        *given, draft.facts_digest, "自查", sent.now, key="version-02", knows_unchanged=True
    )
    assert await sent.round(way) == 1
    assert (await sent.asks(way), await states(sent)) == (1, ["received", "accepted"])
    ends = (
        "select q.next_at is null from inquiry q join outbox o on o.message = q.message order by o.posted_at"
    )
    assert await fetch_tuples(None, ends) == [(True,), (False,)]


async def test_by_a_way_that_brings_no_answer_nobody_is_asked(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    await desk.arrives(Guarded(Folder(tmp_path / "share")))
    assert await desk.asks(Guarded(Folder(tmp_path / "share"))) == 0
    assert await desk.asks(None) == 0
    assert await fetch_tuples(None, NEXT) == []


async def test_what_went_into_a_folder_is_not_asked_of_an_instance(
    desk: Desk, bureau: Bureau, tmp_path: Path
) -> None:
    await desk.arrives(Guarded(Folder(tmp_path)))
    assert await desk.asks(bureau.way()) == 0
    assert await fetch_tuples(None, NEXT) == []


# ---------------------------------------------------------------- once
async def test_told_again_and_to_two_at_once_it_is_kept_once(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, BACK)
    sent.now += timedelta(hours=1)
    press = replace(sent.press, upward=bureau.way())
    new = await asyncio.gather(*(inquiries.ask_due(press, sent.now) for _ in range(4)))
    assert sum(new) == 1
    assert await sent.asks(bureau.way()) == 0
    # As if whoever kept it had been killed before the turn was noted.
    await fetch_tuples(None, "delete from inquiry")
    assert await sent.asks(bureau.way()) == 0
    assert await fetch_tuples(None, TOLD) == [("returned", BACK.reasons)]
    assert (await trail(sent)).count("return.returned") == 1


async def test_the_bureau_is_down_for_a_while(sent: Desk, bureau: Bureau) -> None:
    await rule(bureau, BACK)
    bureau.campus.end()
    assert await sent.asks(bureau.way()) == 0
    assert "ConnectError" in await error(sent)
    assert await states(sent) == ["received"]
    port = bureau.url.rpartition(":")[2]
    await answering(bureau.url, bureau.campus.start("serve", "--port", port, "--no-jobs"))
    assert (await sent.asks(bureau.way()), await states(sent)) == (1, ["returned"])
    assert await error(sent) == ""


# ---------------------------------------------------------------- what is refused
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


async def changed(desk: Desk, bureau: Bureau, key: SigningKey | None = None, **changes: object) -> str:
    """The genuine answer with its one decision changed, signed by the bureau's own key or by another."""
    body = msgspec.json.decode(await genuine(bureau, desk), type=Signed[decided.Body]).body
    decision = msgspec.structs.replace(body.decisions[0], **changes)
    return issue(msgspec.structs.replace(body, decisions=(decision,)), key or key_of(bureau))


async def tampered(desk: Desk, bureau: Bureau) -> str:
    return (await genuine(bureau, desk)).replace('"returned"', '"accepted"')


async def unsigned(desk: Desk, bureau: Bureau) -> str:
    body = msgspec.json.decode(await genuine(bureau, desk), type=Signed[decided.Body]).body
    return issue(body, None)


async def of_another_key(desk: Desk, bureau: Bureau) -> str:
    return await changed(desk, bureau, new_key("somebody else"))


async def of_another_key_in_the_bureaus_name(desk: Desk, bureau: Bureau) -> str:
    forged = await changed(desk, bureau, new_key("somebody else"))
    answer = msgspec.json.decode(forged, type=Signed[decided.Body])
    return msgspec.json.encode(
        msgspec.structs.replace(answer, certificate=key_of(bureau).fingerprint)
    ).decode()


async def about_another_file(desk: Desk, bureau: Bureau, **changes: object) -> str:
    body = msgspec.json.decode(await genuine(bureau, desk), type=Signed[decided.Body]).body
    other = msgspec.structs.replace(body.receipt.body, **(changes or {"bytes_digest": "0" * 64}))
    receipt = msgspec.json.decode(issue(other, key_of(bureau)), type=Signed[receipts.Body])
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

"""A bureau's decision travels back to the school's own instance, over the wire, and is there like any other."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reports.delivery import decided, inquiries
from reports.delivery.signed import check
from reports.life import actions as life
from reports.life import causes, standing
from reports.transports import Guarded
from reports.transports.folder import Folder
from safety.audit.queries import verify
from safety.database import CampusEngine, fetch_tuples
from tests.conftest import opened
from tests.delivery.conftest import CLOSE, Q3, Desk, make_desk
from tests.delivery.deciding import (
    ACCEPT,
    BACK,
    NEXT,
    TOLD,
    WITHDRAW,
    error,
    rule,
    states,
    trail,
    versions,
)
from tests.delivery.instances import Bureau, answering


@pytest.fixture
async def desk(database: CampusEngine, tmp_path: Path) -> Desk:
    return await make_desk(tmp_path / "sender")


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
    assert (draft.version, bool(draft.unchanged), draft.previous_digest) == (
        2,
        False,
        version.sent.document_digest,
    )
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


async def test_who_asks_is_heard_of(sent: Desk, bureau: Bureau) -> None:
    await bureau.ask("update peer set seen_at = null")
    await sent.asks(bureau.way())
    assert await bureau.ask("select code from peer where seen_at is not null") == [("S001",)]


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
    assert [("https", said.receipt)] == await sent.receipts()


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
    assert (await fetch_tuples(None, NEXT))[0][0] == 1, "one of them asked"
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

"""The outbox on both databases: messages of every kind, and those that were there before there were kinds."""

from datetime import timedelta
from pathlib import Path

import pytest

from reports.delivery import outbox
from reports.delivery.outbox import post
from safety import migrations
from safety.database import CampusEngine, fetch_tuples, transaction
from safety.ids import new_id
from safety.migrations import migrate, pending
from tests.cast import NOW, make_cast
from tests.conftest import Templates, opened

BEFORE = "2026-11-22T05:58:00"
"""The outbox took messages of returns alone until then."""


DOCUMENT = '{"school":{"enrolment":1},"score":{"groups":[]}}'
"""As much of a return as migrations read."""


@pytest.fixture(params=["sqlite", "postgres"])
async def empty(request: pytest.FixtureRequest, tmp_path: Path, postgres_template: Templates):
    if request.param == "sqlite":
        async with opened(f"sqlite:///{tmp_path}/empty.db") as engine:
            yield engine
    else:
        async with postgres_template.fresh("template1") as url, opened(url) as engine:
            yield engine


async def test_what_was_on_its_way_stays_on_its_way(
    empty: CampusEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = migrations._modules
    monkeypatch.setattr(
        migrations,
        "_modules",
        lambda app: [(s, m) for s, m in every(app) if s.app != "reports" or s.id < BEFORE],
    )
    await migrate()
    waiting, done = await _before()
    monkeypatch.setattr(migrations, "_modules", every)
    assert await pending()
    await migrate()
    rows = await fetch_tuples(
        None, "select message, kind, subject, state, posted_at, attempts from outbox order by 1"
    )
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in rows] == [
        (waiting, "return", "waiting", NOW, 3),
        (done, "return", "delivered", NOW, 1),
    ]
    assert {row[2] for row in rows} == {
        row[0] for row in await fetch_tuples(None, "select id from school_return")
    }
    received = await fetch_tuples(
        None, "select message, kind, sender, bytes_digest, receipt from received_delivery"
    )
    assert received == [(done, "return", "S1", "b" * 64, "")]


async def _before() -> tuple[object, object]:
    """Two sealed returns of a school, one on its way and one delivered, as they were stored then."""
    bureau = (
        await fetch_tuples(
            None, "insert into bureau (code, name, made_up) values ('B1', 'x', $1) returning id", [False]
        )
    )[0][0]
    school = (
        await fetch_tuples(
            None,
            "insert into school (code, name, name_en, stage, enrolment, has_canteen, meals, boarding, has_bus, bureau, "
            "revision, made_up) values ('S1', 'x', '', 'primary', 1, $2, '', $2, $2, $1, 1, $2) returning id",
            [bureau, False],
        )
    )[0][0]
    messages = sorted((new_id(), new_id()))
    for version, (message, state, attempts) in enumerate(
        zip(messages, ("waiting", "delivered"), (3, 1), strict=True), start=1
    ):
        sealed = new_id()
        await fetch_tuples(
            None,
            "insert into school_return (id, school, bureau, period, version, status, document, document_digest, "
            "facts_digest, sealed_at, closed_late, made_up, test_clock) "
            "values ($1, $2, $3, '2026Q3', $4, 'signed', $7, 'd', 'f', $5, $6, $6, $6)",
            [sealed, school, bureau, version, NOW, False, DOCUMENT],
        )
        await fetch_tuples(
            None,
            "insert into outbox (message, sealed, bureau, state, attempts, next_at, claimed_by, error) "
            "values ($1, $2, $3, $4, $5, $6, '', '')",
            [message, sealed, bureau, state, attempts, NOW],
        )
    await fetch_tuples(
        None,
        "insert into inbox_item (id, bureau, message, school_code, period, version, facts_digest, bytes_digest, size, "
        "received_at) values ($1, $2, $3, 'S1', '2026Q3', 2, 'f', $4, 1, $5)",
        [new_id(), bureau, messages[1], "b" * 64, NOW],
    )
    return messages[0], messages[1]


# ---------------------------------------------------------------- posting and claiming
async def test_a_message_is_posted_with_what_it_carries_or_not_at_all(database: CampusEngine) -> None:
    cast = await make_cast()

    async def sealing_that_fails() -> None:
        async with transaction():
            await post("rollup", new_id(), cast.city, NOW)
            raise RuntimeError("sealing failed")

    with pytest.raises(RuntimeError):
        await sealing_that_fails()
    assert await outbox.waiting(NOW, upward=True) == []
    async with transaction():
        message = await post("rollup", new_id(), cast.city, NOW)
    assert [row[0] for row in await outbox.waiting(NOW, upward=False)] == [message]


async def test_without_a_way_upward_only_what_stays_here_is_taken_in_hand(database: CampusEngine) -> None:
    cast = await make_cast()
    await fetch_tuples(None, "update bureau set elsewhere = $1 where code = 'CITY'", [True])
    here, elsewhere, above = [
        await post("rollup", new_id(), bureau, NOW) for bureau in (cast.county, cast.city, None)
    ]
    assert [row[0] for row in await outbox.waiting(NOW, upward=False)] == [here]
    assert {row[0] for row in await outbox.waiting(NOW, upward=True)} == {here, elsewhere, above}
    later = NOW + timedelta(hours=2)
    assert await outbox.overdue(later, upward=False) == 1
    assert await outbox.overdue(later, upward=True) == 3
    assert [m for m, _ in await outbox.take_unalerted(later, upward=False)] == [here]
    assert {m for m, _ in await outbox.take_unalerted(later, upward=True)} == {elsewhere, above}
    assert await outbox.take_unalerted(later, upward=True) == []


async def test_attempts_grow_apart_up_to_an_hour(database: CampusEngine) -> None:
    await make_cast()
    message, now = await post("rollup", new_id(), None, NOW), NOW
    waits = []
    for _ in range(14):
        (candidate,) = await outbox.waiting(now, upward=True)
        assert await outbox.claim(candidate, "me", now)
        assert not await outbox.claim(candidate, "another", now)
        await outbox.put_off(message, "me", "no answer", now)
        next_at = (await fetch_tuples(None, "select next_at from outbox"))[0][0]
        assert await outbox.waiting(next_at - timedelta(seconds=1), upward=True) == []
        waits.append((next_at - now).total_seconds())
        now = next_at
    assert waits == [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600, 3600]
    assert (await fetch_tuples(None, "select count(*) from failed_attempt"))[0][0] == 14


async def test_one_message_for_each_thing(database: CampusEngine) -> None:
    await make_cast()
    subject = new_id()
    await post("rollup", subject, None, NOW)
    with pytest.raises(Exception, match=r"(?i)unique"):
        await post("rollup", subject, None, NOW)
    await post("return", subject, None, NOW)

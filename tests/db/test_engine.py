# ruff: noqa: PT012 - what is tried is a block
"""The engines under load, under cancellation, and behind the read-only door: the same on both databases."""

import asyncio
import contextvars
import datetime as dt
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
from piccolo.engine.exceptions import TransactionError

from safety.database import (
    CampusEngine,
    close_engine,
    current_engine,
    engine_from_url,
    execute_many,
    fetch_tuples,
    open_engine,
    read_only_door,
    savepoint,
    transaction,
)
from safety.sqlite import CampusSQLiteEngine
from safety.transactions import EngineClosed
from tests.conftest import opened
from tests.db.notes import StorageNote, StorageShelf, create_tables

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
WRITE_REFUSED = (sqlite3.OperationalError, asyncpg.ReadOnlySQLTransactionError)
BROKEN_RULE = (sqlite3.IntegrityError, asyncpg.IntegrityConstraintViolationError)


@pytest.fixture
async def shelf(database: CampusEngine) -> StorageShelf:
    return await create_tables()


def a_note(shelf: StorageShelf, number: int = 1, **values: object) -> StorageNote:
    return StorageNote(id=uuid.uuid4(), shelf=shelf.id, number=number, at=NOON, **values)


async def write(shelf: StorageShelf, number: int) -> None:
    async with transaction():
        count = await StorageNote.count()
        await StorageNote.insert(a_note(shelf, number))
        await StorageNote.update({StorageNote.text: str(count)}).where(StorageNote.number == number)


async def test_fifty_tasks_write_at_once_and_lose_nothing(shelf: StorageShelf) -> None:
    await asyncio.gather(*(write(shelf, number) for number in range(200)))
    numbers = await StorageNote.select(StorageNote.number).order_by(StorageNote.number).output(as_list=True)
    assert numbers == list(range(200))


async def test_read_then_write_never_loses_an_update(sqlite_database: CampusEngine) -> None:
    shelf = await create_tables()
    await StorageNote.insert(a_note(shelf, 0))

    async def add_one() -> None:
        async with transaction():
            (number,) = await StorageNote.select(StorageNote.number).output(as_list=True)
            await StorageNote.update({StorageNote.number: number + 1}, force=True)

    await asyncio.gather(*(add_one() for _ in range(50)))
    assert await StorageNote.select(StorageNote.number).output(as_list=True) == [50]


async def test_a_failing_block_leaves_nothing(shelf: StorageShelf) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            await StorageNote.insert(a_note(shelf))
            _ = 1 / 0
    assert await StorageNote.count() == 0


async def test_an_inner_block_joins_the_outer_one(shelf: StorageShelf) -> None:
    with pytest.raises(ZeroDivisionError):
        async with transaction():
            async with transaction():
                await StorageNote.insert(a_note(shelf))
            assert await StorageNote.count() == 1
            _ = 1 / 0
    assert await StorageNote.count() == 0


async def test_an_inner_error_that_is_swallowed_dooms_the_outer_block(shelf: StorageShelf) -> None:
    with pytest.raises(TransactionError, match="swallowed"):
        async with transaction():
            await StorageNote.insert(a_note(shelf))
            try:
                async with transaction():
                    _ = 1 / 0
            except ZeroDivisionError:
                pass
    assert await StorageNote.count() == 0


async def test_a_savepoint_may_fail_alone(shelf: StorageShelf) -> None:
    async with transaction():
        await StorageNote.insert(a_note(shelf, 1))
        with pytest.raises(BROKEN_RULE):
            async with savepoint():
                await fetch_tuples(
                    None, "INSERT INTO storage_shelf (id, name) VALUES ($1, $2)", [shelf.id, ""]
                )
        await StorageNote.insert(a_note(shelf, 2))
    assert await StorageNote.count() == 2


async def test_foreign_keys_hold(shelf: StorageShelf) -> None:
    orphan = StorageNote(id=uuid.uuid4(), shelf=999, number=1)
    with pytest.raises(BROKEN_RULE):
        await StorageNote.insert(orphan)
    await StorageNote.insert(a_note(shelf))
    with pytest.raises(BROKEN_RULE):
        await StorageShelf.delete(force=True)


@pytest.fixture
async def complaints() -> AsyncIterator[list[str]]:
    """What drivers tell the event loop instead of raising, such as a connection given back unclean."""
    loop, heard = asyncio.get_running_loop(), list[str]()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: heard.append(context["message"]))
    yield heard
    loop.set_exception_handler(before)


@pytest.mark.parametrize("moment", [0, 0.0005, 0.001, 0.002, 0.004, 0.008])
async def test_cancelling_anywhere_leaves_no_lock_and_no_half_write(
    shelf: StorageShelf, complaints: list[str], moment: float
) -> None:
    async def pair(number: int) -> None:
        async with transaction():
            await StorageNote.insert(a_note(shelf, number))
            await StorageNote.insert(a_note(shelf, number))

    tasks = [asyncio.create_task(pair(number)) for number in range(40)]
    await asyncio.sleep(moment)
    for task in tasks[::2]:
        task.cancel()
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert {task.exception() for task in tasks if not task.cancelled()} <= {None}
    rows = await fetch_tuples(None, "SELECT number, count(*) FROM storage_note GROUP BY number")
    assert {count for _, count in rows} == {2}
    assert {number for number, _ in rows} >= set(range(1, 40, 2))
    await write(shelf, 1000)  # and the next one gets its turn
    assert complaints == []
    assert not current_engine().transaction_exists()


async def test_cancelled_reads_and_single_writes_give_their_connections_back(shelf: StorageShelf) -> None:
    for _ in range(30):
        tasks = [
            asyncio.create_task(work())
            for work in (StorageNote.count().run, StorageNote.insert(a_note(shelf)).run)
        ]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(StorageNote.count() for _ in range(20)))
    await write(shelf, 1)


async def test_a_long_read_stops_when_it_is_cancelled(sqlite_database: CampusEngine) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await fetch_tuples(None, endless)
    assert await fetch_tuples(None, "SELECT 1") == [(1,)]


async def test_a_task_that_outlives_its_transaction_is_outside_it(shelf: StorageShelf) -> None:
    gate = asyncio.Event()

    async def later() -> None:
        await gate.wait()
        await StorageNote.insert(a_note(shelf, 7))

    with pytest.raises(ZeroDivisionError):
        async with transaction():
            task = asyncio.create_task(later())
            await asyncio.sleep(0)
            _ = 1 / 0
    gate.set()
    await task
    assert await StorageNote.select(StorageNote.number).output(as_list=True) == [7]


async def test_a_begin_that_fails_leaks_nothing(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safety.sqlite_connection.BUSY_SECONDS", 0.05)
    async with opened(f"sqlite:///{tmp_path}/campus.db"):
        shelf = await create_tables()
        blocker = sqlite3.connect(f"{tmp_path}/campus.db", isolation_level=None)
        blocker.execute("BEGIN IMMEDIATE")
        for _ in range(3):
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                await write(shelf, 1)
        blocker.execute("ROLLBACK")
        blocker.close()
        await write(shelf, 1)
        assert await StorageNote.count() == 1


async def test_batches_walk_all_rows_while_others_write(shelf: StorageShelf) -> None:
    await StorageNote.insert(*(a_note(shelf, number) for number in range(25)))
    seen: list[int] = []
    query = StorageNote.select(StorageNote.number).where(StorageNote.number < 20).order_by(StorageNote.number)
    async with await query.batch(batch_size=6) as batch:
        async for rows in batch:
            seen += [row["number"] for row in rows]
            await StorageNote.insert(a_note(shelf, 100))
    assert seen == list(range(20))
    assert await StorageNote.count() == 25 + 4
    async with transaction(), await query.batch(batch_size=50) as batch:
        assert [len(rows) async for rows in batch] == [20]


async def test_an_error_inside_a_batch_is_not_swallowed(shelf: StorageShelf) -> None:
    with pytest.raises(ZeroDivisionError):
        async with await StorageNote.select().batch() as batch:
            assert [rows async for rows in batch] == []
            _ = 1 / 0


async def test_the_read_only_door_reads_and_cannot_write(shelf: StorageShelf) -> None:
    await StorageNote.insert(a_note(shelf, 1))
    writes = [
        lambda: StorageNote.insert(a_note(shelf, 2)).run(),
        lambda: StorageNote.update({StorageNote.number: 3}, force=True).run(),
        lambda: StorageNote.delete(force=True).run(),
        lambda: fetch_tuples(None, "DELETE FROM storage_note"),
        lambda: execute_many(None, "DELETE FROM storage_note WHERE number = $1", [(1,)]),
        lambda: write(shelf, 4),
        lambda: StorageShelf.create_table().run(),
    ]
    for attempt in writes:
        with pytest.raises(WRITE_REFUSED):
            async with read_only_door():
                assert await StorageNote.select(StorageNote.number).output(as_list=True) == [1]
                await attempt()
    assert await StorageNote.select(StorageNote.number).output(as_list=True) == [1]
    await write(shelf, 5)


async def test_behind_the_door_everything_is_of_one_moment(shelf: StorageShelf) -> None:
    async with read_only_door():
        assert await StorageNote.count() == 0
        # Another request, without this one's context.
        await asyncio.create_task(write(shelf, 1), context=contextvars.Context())
        assert await StorageNote.count() == 0
        async with await StorageNote.select().batch() as batch:
            assert [rows async for rows in batch] == []
    assert await StorageNote.count() == 1


async def test_no_door_inside_a_writing_transaction(database: CampusEngine) -> None:
    async with transaction():
        with pytest.raises(TransactionError, match="read-only"):
            async with read_only_door():
                pass


async def test_many_doors_at_once(shelf: StorageShelf) -> None:
    async def look(number: int) -> int:
        async with read_only_door():
            await asyncio.sleep(0)
            return await StorageNote.count() + number

    assert sorted(await asyncio.gather(*(look(number) for number in range(30)))) == list(range(30))


async def test_a_read_only_engine_refuses_every_write(database_url: str) -> None:
    async with opened(database_url):
        shelf = await create_tables()
    async with opened(database_url, read_only=True):
        assert await StorageNote.count() == 0
        with pytest.raises(WRITE_REFUSED):
            await StorageNote.insert(a_note(shelf))
        with pytest.raises(WRITE_REFUSED):
            await write(shelf, 1)


async def test_values_come_back_as_they_were(shelf: StorageShelf) -> None:
    shanghai = dt.timezone(dt.timedelta(hours=8))
    note = StorageNote(
        id=uuid.uuid4(), shelf=shelf.id, number=2**31 - 1, ready=True, day=dt.date(2026, 2, 28),
        at=dt.datetime(2026, 3, 1, 0, 0, 0, 123456, tzinfo=shanghai), text="喆堃 'quoted' $1 ? 𠮷",
    )  # fmt: skip
    await note.save()
    (found,) = await StorageNote.select()
    assert found == note.to_dict()
    assert found["at"].utcoffset() == dt.timedelta(0)
    found_id, day, at, ready = (
        await fetch_tuples(
            None,
            "SELECT id, day, at, ready FROM storage_note WHERE id = $1 AND number = $2 AND id = $1",
            [note.id, note.number],
        )
    )[0]
    assert (found_id, day, at, ready) == (note.id, note.day, note.at, True)


async def test_instants_compare_as_instants(shelf: StorageShelf) -> None:
    steps = [0, 1, 499_999, 500_000, 999_999, 1_000_000]
    moments = [NOON + dt.timedelta(microseconds=step) for step in steps]
    await StorageNote.insert(
        *(StorageNote(id=uuid.uuid4(), shelf=shelf.id, number=n, at=at) for n, at in enumerate(moments))
    )
    by_time = StorageNote.select(StorageNote.at).order_by(StorageNote.at).output(as_list=True)
    assert await by_time == moments
    for count, moment in enumerate(moments):
        assert await StorageNote.count().where(StorageNote.at < moment) == count
        assert await StorageNote.count().where(StorageNote.at == moment) == 1
    latest = await fetch_tuples(None, 'SELECT max(at) AS "at [timestamptz]" FROM storage_note')
    assert latest == [(moments[-1],)]


async def test_bulk_rows_are_all_or_none(shelf: StorageShelf) -> None:
    sql = "INSERT INTO storage_note (id, shelf, number, ready, day, at, text) VALUES ($1, $2, $3, $4, $5, $6, $7)"
    rows = [(uuid.uuid4(), shelf.id, number, False, NOON.date(), NOON, "") for number in range(100)]
    with pytest.raises(BROKEN_RULE):
        await execute_many(None, sql, [*rows, rows[0]])
    assert await StorageNote.count() == 0
    await execute_many(None, sql, rows)
    assert await StorageNote.count() == 100


async def test_row_locks_are_written_once_for_both(shelf: StorageShelf) -> None:
    async with transaction():
        rows = await fetch_tuples(None, "SELECT name FROM storage_shelf WHERE id = $1 FOR UPDATE", [shelf.id])
    assert rows == [("A",)]


async def test_sqlite_is_durable_and_logs_ahead(sqlite_database: CampusEngine) -> None:
    assert isinstance(sqlite_database, CampusSQLiteEngine)
    async with transaction():
        for pragma, value in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert await fetch_tuples(None, f"PRAGMA {pragma}") == [(value,)]


async def test_closing_leaves_no_thread_and_refuses_work(database_url: str) -> None:
    before = threading.active_count()
    engine = engine_from_url(database_url)
    await open_engine(engine)
    await open_engine(engine)
    await close_engine(engine)
    await close_engine(engine)
    assert threading.active_count() <= before + 1  # the loop's own pool may have grown by its first thread
    with pytest.raises(EngineClosed):
        await fetch_tuples(engine, "SELECT 1")
    with pytest.raises(EngineClosed):
        async with transaction(engine):
            pass


async def test_closing_waits_for_the_running_transaction(database_url: str) -> None:
    async with opened(database_url) as engine:
        shelf = await create_tables()
        inside = asyncio.Event()

        async def slow() -> None:
            async with transaction():
                inside.set()
                await asyncio.sleep(0.05)
                await StorageNote.insert(a_note(shelf))

        task = asyncio.create_task(slow())
        await inside.wait()
        await close_engine(engine)
        await task
        await open_engine(engine)
        assert await StorageNote.count() == 1


async def test_another_loop_is_told_so(database: CampusEngine) -> None:
    with pytest.raises(EngineClosed, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(fetch_tuples(database, "SELECT 1")))


@pytest.mark.parametrize(
    "url",
    ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "sqlite://host/x", "postgresql://host",
     "postgresql:///x?pool_max=0", "postgresql:///x?colour=red", "/tmp/x.db", "postgresql:///x?pool_min=a"],
)  # fmt: skip
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        engine_from_url(url)

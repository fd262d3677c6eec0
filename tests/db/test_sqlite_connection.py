"""Which thread a SQLite statement runs in, and that neither choice blocks or loses anything."""

import asyncio
import datetime as dt
import sqlite3
import threading
from pathlib import Path

import pytest

from safety import sqlite_connection
from safety.database import CampusEngine, execute_many, fetch_tuples, read_only_door, transaction
from safety.sqlite_connection import TRIALS, Connection, from_common_sql, is_read, stored_datetime

COUNT_FAR = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) SELECT count(*) FROM n"
)


@pytest.fixture
async def table(sqlite_database: CampusEngine) -> CampusEngine:
    await fetch_tuples(None, "CREATE TABLE storage_pair (a integer PRIMARY KEY, b text)")
    return sqlite_database


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("SELECT 1", True),
        ("  select replace(a, 'x', 'y') from t", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x", False),
        ("with x as (select 1) delete from t", False),
        ("INSERT INTO t VALUES (1)", False),
        ("PRAGMA user_version", False),
        ("CREATE TABLE t (a)", False),
        ("", False),
    ],
)
def test_reads_are_told_from_writes(sql: str, reads: bool) -> None:
    assert is_read(sql) is reads


def test_common_sql_becomes_sqlites() -> None:
    common = "SELECT a FROM t WHERE b = $1 AND c = $12 ORDER BY a\n LIMIT $1 FOR UPDATE SKIP LOCKED;"
    assert from_common_sql(common) == "SELECT a FROM t WHERE b = ?1 AND c = ?12 ORDER BY a\n LIMIT ?1"


def test_stored_instants_have_one_width() -> None:
    at = dt.datetime(2026, 3, 1, 8, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert stored_datetime(at) == "2026-03-01 00:00:00.000000+00:00"
    assert stored_datetime(dt.datetime(2026, 3, 1)) == "2026-03-01 00:00:00.000000"  # noqa: DTZ001


async def test_a_long_read_does_not_hold_up_others(table: CampusEngine) -> None:
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    watcher = asyncio.create_task(watch())
    for _ in range(2):
        before = turns
        assert await fetch_tuples(None, COUNT_FAR.format(last=2_000_000)) == [(2_000_000,)]
        # Held up, it would have had one turn at most.
        assert turns > before + 3
    watcher.cancel()


async def test_a_long_read_inside_a_transaction_keeps_what_was_written(table: CampusEngine) -> None:
    async with transaction():
        await fetch_tuples(None, "INSERT INTO storage_pair VALUES (1, 'x')")
        assert await fetch_tuples(None, COUNT_FAR.format(last=300_000)) == [(300_000,)]
        await fetch_tuples(None, "INSERT INTO storage_pair VALUES (2, 'x')")
    assert await fetch_tuples(None, "SELECT count(*) FROM storage_pair") == [(2,)]


async def test_a_write_is_tried_in_the_thread_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 60.0)
    connection = Connection(str(tmp_path / "x.db"), read_only=False)
    await connection.open()
    threads: list[int] = []
    await connection.run("CREATE TABLE t (a)")
    connection.raw.create_function("here", 0, lambda: threads.append(threading.get_ident()) or 1)
    for _ in range(TRIALS + 2):
        await connection.run("INSERT INTO t VALUES (here())")
    assert [thread == threading.get_ident() for thread in threads] == [False] * TRIALS + [True] * 2

    # From now on every write is a long one.
    monkeypatch.setattr(sqlite_connection, "SHORT_SECONDS", 0.0)
    threads.clear()
    for _ in range(3):
        await connection.run("INSERT INTO t VALUES (here())")
    assert [thread == threading.get_ident() for thread in threads] == [True, False, False]
    await connection.close()


async def test_a_short_read_stays_short_however_often_it_is_asked(tmp_path: Path) -> None:
    connection = Connection(str(tmp_path / "x.db"), read_only=False)
    await connection.open()
    threads: set[int] = set()
    connection.raw.create_function("here", 0, lambda: threads.add(threading.get_ident()) or 1)
    for _ in range(sqlite_connection.SHORT_STEPS):
        await connection.run("SELECT here()")
    assert threads == {threading.get_ident()}
    await connection.close()


async def test_siblings_inside_one_transaction_queue_up(table: CampusEngine) -> None:
    async def pair(number: int) -> None:
        await fetch_tuples(None, "INSERT INTO storage_pair VALUES ($1, 'x')", [number])
        await fetch_tuples(None, "UPDATE storage_pair SET b = 'y' WHERE a = $1", [number])

    for start in range(0, 100, 20):
        async with transaction():
            await asyncio.gather(*(pair(number) for number in range(start, start + 20)))
    assert await fetch_tuples(None, "SELECT count(*) FROM storage_pair WHERE b = 'y'") == [(100,)]


async def test_a_loop_of_short_statements_lets_others_run(table: CampusEngine) -> None:
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticker = asyncio.create_task(tick())
    async with transaction():
        for number in range(400):
            await fetch_tuples(None, "INSERT INTO storage_pair VALUES ($1, 'x')", [number])
    ticker.cancel()
    assert ticks >= 20


async def test_waiting_for_another_process_blocks_nobody(table: CampusEngine) -> None:
    other = sqlite3.connect(table.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("INSERT INTO storage_pair VALUES (1, 'other')")
    writes = [
        asyncio.create_task(fetch_tuples(None, "INSERT INTO storage_pair VALUES ($1, 'x')", [number]))
        for number in (2, 3)
    ]
    async with asyncio.timeout(1):
        for _ in range(20):
            assert await fetch_tuples(None, "SELECT count(*) FROM storage_pair") == [(0,)]
            await asyncio.sleep(0.001)
    writes[1].cancel()
    other.execute("COMMIT")
    other.close()
    await asyncio.gather(*writes, return_exceptions=True)
    assert await fetch_tuples(None, "SELECT a FROM storage_pair ORDER BY a") == [(1,), (2,)]


async def test_a_single_write_that_fails_leaves_no_transaction(table: CampusEngine) -> None:
    await fetch_tuples(None, "INSERT INTO storage_pair VALUES (1, 'x')")
    for _ in range(TRIALS + 1):
        with pytest.raises(sqlite3.IntegrityError):
            await fetch_tuples(None, "INSERT INTO storage_pair VALUES (1, 'x')")
    await execute_many(None, "INSERT INTO storage_pair VALUES ($1, $2)", [(2, "x")])
    async with read_only_door():
        assert await fetch_tuples(None, "SELECT count(*) FROM storage_pair") == [(2,)]


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    """A process is killed while fifty tasks write: every acknowledged pair is there, and only whole pairs."""
    program = tmp_path / "writer.py"
    program.write_text(_WRITER)
    file = tmp_path / "campus.db"
    import sys

    for _ in range(3):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(program),
            str(file),
            cwd=Path(__file__).parents[2],
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        said = [await process.stdout.readline() for _ in range(200)]
        process.kill()
        said += (await process.stdout.read()).splitlines(keepends=True)
        await process.wait()
        acknowledged = {line.strip().decode() for line in said if line.endswith(b"\n")}
        raw = sqlite3.connect(file)
        rows = dict(raw.execute("SELECT word, count(*) FROM pairs GROUP BY word"))
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        raw.close()
        assert acknowledged <= rows.keys()
        assert set(rows.values()) == {2}


_WRITER = """
import asyncio, sys, uuid
sys.path.insert(0, ".")
from safety.database import engine_from_url, fetch_tuples, open_engine, transaction, use_engine

async def main():
    use_engine(engine_from_url("sqlite:///" + sys.argv[1]))
    await open_engine()
    await fetch_tuples(None, "CREATE TABLE IF NOT EXISTS pairs (word text)")
    async def work():
        while True:
            word = str(uuid.uuid4())
            async with transaction():
                await fetch_tuples(None, "INSERT INTO pairs VALUES ($1)", [word])
                await fetch_tuples(None, "INSERT INTO pairs VALUES ($1)", [word])
            print(word, flush=True)
    await asyncio.gather(*(work() for _ in range(50)))

asyncio.run(main())
"""

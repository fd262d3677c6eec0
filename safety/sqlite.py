"""Piccolo on SQLite: one writer, a few readers, no connection per query.

Piccolo's own engine opens a connection and a thread for every statement and begins transactions
DEFERRED, so fifty officers saving at once get lock errors and seconds of waiting. Here one connection
writes, behind a lock that hands out turns in order; a few connections opened `mode=ro` read.
"""

import asyncio
import contextlib
import datetime
import queue
import re
import sqlite3
import threading
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from piccolo.engine.base import BaseBatch
from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.base import Query
from piccolo.querystring import QueryString

from safety.transactions import CampusTransaction, EngineClosed, settled

T = TypeVar("T")
Row = tuple[Any, ...]

BUSY_SECONDS = 10.0  # how long to wait for another process that is writing
READERS = 3  # each used for one statement at a time
HELD = 4  # used by read-only requests and batches, which keep theirs for longer
_WRITES = re.compile(r"\b(insert|update|delete|replace)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\$(\d+)")
_ROW_LOCK = re.compile(r"\s+for\s+(no\s+key\s+)?update(\s+skip\s+locked|\s+nowait)?\s*;?\s*$", re.IGNORECASE)


def stored_datetime(value: datetime.datetime) -> str:
    """Text of a datetime in SQLite, always 26 characters before the offset, in UTC if it is aware.

    Piccolo writes microseconds only where there are some; then '…:39+00:00' sorts after '…:39.5+00:00'
    and a comparison in SQL is wrong within that second. Fixed width makes text order time order.
    """
    if value.tzinfo is not None:
        value = value.astimezone(datetime.UTC)
    return value.isoformat(sep=" ", timespec="microseconds")


def _instant(value: bytes) -> datetime.datetime:
    return datetime.datetime.fromisoformat(value.decode()).replace(tzinfo=datetime.UTC)


def _register_types() -> None:
    sqlite3.register_adapter(datetime.datetime, stored_datetime)
    sqlite3.register_converter("TIMESTAMPTZ", _instant)
    sqlite3.register_converter("DATE", lambda value: datetime.date.fromisoformat(value.decode()))
    sqlite3.register_converter("UUID", lambda value: uuid.UUID(value.decode()))
    sqlite3.register_converter("BOOLEAN", lambda value: value == b"1")
    # SQLite's own integers are exact; Piccolo's converter takes each through text and Decimal.
    sqlite3.converters.pop("INTEGER", None)


_register_types()


@lru_cache(maxsize=1024)
def is_read(sql: str) -> bool:
    """Whether a statement outside a transaction may go to a reader; in doubt it goes to the writer."""
    words = sql.split(None, 1)
    head = words[0].upper() if words else ""
    return head in {"SELECT", "VALUES", "EXPLAIN"} or (head == "WITH" and not _WRITES.search(sql))


@lru_cache(maxsize=1024)
def from_common_sql(sql: str) -> str:
    """SQLite's spelling of SQL written for both: `$1` becomes `?1`, a closing FOR UPDATE goes away.

    The row lock is not needed here: a writing transaction holds the whole database.
    """
    return _NUMBERED.sub(r"?\1", _ROW_LOCK.sub("", sql))


class Connection:
    """One sqlite3 connection and the one thread that uses it; work is done in the order it was sent."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._raw: sqlite3.Connection | None = None
        # A daemon: a process that forgot to close, or is going down, must never hang on it.
        self._thread = threading.Thread(target=self._serve, name=f"sqlite {path}", daemon=True)

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            loop, future, function, args = job
            try:
                outcome = (function(*args), None)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                outcome = (None, error)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(_resolve, future, *outcome)
            del job, loop, future, function, args, outcome

    def submit(self, function: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._work.put((loop, future, function, args))
        return future

    async def open(self) -> None:
        self._thread.start()
        try:
            await settled(self.submit(self._connect))
        except BaseException:
            await self.close()
            raise

    def _connect(self) -> None:
        mode = "ro" if self.read_only else "rwc"
        raw = sqlite3.connect(
            f"file:{quote(self.path)}?mode={mode}",
            uri=True,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
            timeout=BUSY_SECONDS,
            cached_statements=512,
        )
        self._raw = raw
        raw.execute("PRAGMA foreign_keys = ON")
        raw.execute("PRAGMA temp_store = MEMORY")
        if self.read_only:
            raw.execute("PRAGMA query_only = ON")
            raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # fail here, not at the first query
        else:
            raw.execute("PRAGMA journal_mode = WAL")
            raw.execute("PRAGMA synchronous = FULL")
            raw.execute("PRAGMA journal_size_limit = 67108864")

    @property
    def raw(self) -> sqlite3.Connection:
        if self._raw is None:
            raise EngineClosed(f"{self.path} is not open")
        return self._raw

    def _dicts(self, sql: str, args: Sequence[Any]) -> list[dict[str, Any]]:
        cursor = self.raw.execute(sql, args)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _tuples(self, sql: str, args: Sequence[Any]) -> list[Row]:
        return self.raw.execute(sql, args).fetchall()

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        self.raw.executemany(sql, rows)

    async def dicts(self, sql: str, args: Sequence[Any]) -> list[dict[str, Any]]:
        return await self._careful(self.submit(self._dicts, sql, args))

    async def tuples(self, sql: str, args: Sequence[Any]) -> list[Row]:
        return await self._careful(self.submit(self._tuples, sql, args))

    async def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._careful(self.submit(self._many, sql, rows))

    async def execute(self, sql: str) -> None:
        """Run one statement without arguments (BEGIN, COMMIT, SAVEPOINT …)."""
        await settled(self.submit(self._tuples, sql, ()))

    async def _careful(self, future: "asyncio.Future[T]") -> T:
        """Wait for a statement; a cancelled read is interrupted, a cancelled write is waited for."""
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            if self.read_only and not future.done() and self._raw is not None:
                self._raw.interrupt()
            with contextlib.suppress(sqlite3.Error):
                await settled(future)
            raise

    async def rollback(self) -> None:
        await settled(self.submit(self._rollback))

    def _rollback(self) -> None:
        if self.raw.in_transaction:  # an error such as a full disk has rolled back already
            self.raw.execute("ROLLBACK")

    async def close(self) -> None:
        """Close the connection and end the thread. Safe to repeat."""
        if self._thread.is_alive():
            await settled(self.submit(self._disconnect))
            self._work.put(None)
            await asyncio.to_thread(self._thread.join)

    def _disconnect(self) -> None:
        raw, self._raw = self._raw, None
        if raw is not None:
            raw.close()  # rolls back what is open


def _resolve(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


class Pool:
    """A few read-only connections, lent one at a time."""

    def __init__(self, path: str, size: int) -> None:
        self._all = [Connection(path, read_only=True) for _ in range(size)]
        self._free: asyncio.LifoQueue[Connection] = asyncio.LifoQueue()

    async def open(self) -> None:
        for connection in self._all:
            await connection.open()
            self._free.put_nowait(connection)

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    async def take(self) -> Connection:
        return await self._free.get()

    def give_back(self, connection: Connection) -> None:
        self._free.put_nowait(connection)

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        connection = await self.take()
        try:
            yield connection
        finally:
            self.give_back(connection)


class SQLiteCampusTransaction(CampusTransaction):
    """BEGIN IMMEDIATE on the writer; or a snapshot on a connection that cannot write."""

    engine: "CampusSQLiteEngine"
    connection: Connection

    async def take(self) -> None:
        self.connection = await (self.engine.held.take() if self.read_only else self.engine.take_writer())

    async def begin(self) -> None:
        await self.connection.execute("BEGIN" if self.read_only else "BEGIN IMMEDIATE")

    async def commit(self) -> None:
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        await self.connection.rollback()

    async def give_back(self) -> None:
        if self.read_only:
            self.engine.held.give_back(self.connection)
        else:
            self.engine.release_writer()


class SQLiteBatch(BaseBatch):
    """Rows of one query, some at a time, on a connection kept for it (or the transaction's own)."""

    def __init__(self, engine: "CampusSQLiteEngine", query: Query[Any, Any], batch_size: int) -> None:
        self.engine = engine
        self.query = query
        self.batch_size = batch_size
        self._own: Connection | None = None

    async def __aenter__(self) -> "SQLiteBatch":  # type: ignore[override]
        active = self.engine.active_transaction()
        if active is None:
            self._own = await self.engine.held.take()
        self._connection: Connection = self._own or active.connection  # type: ignore[union-attr]
        sql, args = self.query.querystrings[0].compile_string(engine_type="sqlite")
        self._cursor: sqlite3.Cursor | None = None
        try:
            await settled(self._connection.submit(self._start, sql, args))
        except BaseException:
            await self._end()
            raise
        return self

    def _start(self, sql: str, args: Sequence[Any]) -> None:
        self._cursor = self._connection.raw.execute(sql, args)

    def _fetch(self) -> list[dict[str, Any]]:
        cursor = self._cursor
        assert cursor is not None
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(self.batch_size)]

    async def next(self) -> list[Any]:
        rows = await settled(self._connection.submit(self._fetch))
        return await self.query._process_results(rows)  # type: ignore[no-any-return] # noqa: SLF001 - as Piccolo's own batch does

    def __aiter__(self) -> "SQLiteBatch":
        return self

    async def __anext__(self) -> list[Any]:
        rows = await self.next()
        if not rows:
            raise StopAsyncIteration
        return rows

    async def __aexit__(self, *error: object) -> bool:
        await settled(self._end())
        return False

    async def _end(self) -> None:
        cursor, self._cursor = self._cursor, None
        own, self._own = self._own, None
        try:
            if cursor is not None:
                await settled(self._connection.submit(cursor.close))
        finally:
            if own is not None:
                self.engine.held.give_back(own)


class CampusSQLiteEngine(SQLiteEngine):
    """The embedded database of one school or one county office.

    `read_only=True` opens no writer at all: every write raises `sqlite3.OperationalError`.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        super().__init__(path=str(path))
        self.read_only = read_only
        self._loop: asyncio.AbstractEventLoop | None = None

    async def open(self) -> None:
        """Open writer and readers; creates the file and its folder. Repeating it does nothing."""
        if self._loop is not None:
            self._check_open()
            return
        if not self.read_only:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
        self._writer = Connection(self.path, read_only=False)
        self._turn = asyncio.Lock()
        self.readers, self.held = Pool(self.path, READERS), Pool(self.path, HELD)
        self._loop = asyncio.get_running_loop()
        try:
            if not self.read_only:
                await self._writer.open()  # first: it turns WAL on, which the others find
            await self.readers.open()
            await self.held.open()
        except BaseException:
            await self._close_all()
            raise

    async def close(self, *, patience: float = 10.0) -> None:
        """Close after the running transaction has ended, or after `patience` seconds without it."""
        if self._loop is None:
            return
        self._check_open()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self._turn.acquire()
        await settled(self._close_all())

    async def _close_all(self) -> None:
        self._loop = None
        await self.readers.close()
        await self.held.close()
        await self._writer.close()  # last, so that it can fold the WAL into the file

    def _check_open(self) -> None:
        if self._loop is not asyncio.get_running_loop():
            state = "is not open" if self._loop is None else "is open in another event loop"
            raise EngineClosed(f"the database {self.path} {state}")

    async def take_writer(self) -> Connection:
        await self._turn.acquire()
        if self._loop is None:  # closed while we queued
            self._turn.release()
            raise EngineClosed(f"the database {self.path} is not open")
        return self._writer

    def release_writer(self) -> None:
        self._turn.release()

    def active_transaction(self) -> CampusTransaction | None:
        active = self.current_transaction.get()
        return active if active is not None and active.is_open else None

    def transaction_exists(self) -> bool:
        return self.active_transaction() is not None

    @asynccontextmanager
    async def _for(self, sql: str) -> AsyncIterator[Connection]:
        """The connection a statement belongs on, held for as long as it runs."""
        self._check_open()
        active = self.active_transaction()
        if active is not None:
            yield active.connection
        elif self.read_only or is_read(sql):
            async with self.readers.lend() as connection:
                yield connection
        else:
            connection = await self.take_writer()
            try:
                yield connection
            finally:
                self.release_writer()

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[dict[str, Any]]:
        """Run one of Piccolo's queries: rows as dicts. `in_pool` is there for Piccolo only."""
        sql, args = querystring.compile_string(engine_type="sqlite")
        async with self._for(sql) as connection:
            return await connection.dicts(sql, args)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[dict[str, Any]]:
        async with self._for(ddl) as connection:
            return await connection.dicts(ddl, ())

    async def fetch_tuples(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Rows as plain tuples of SQL written with `$1, $2 …`."""
        sql = from_common_sql(sql)
        async with self._for(sql) as connection:
            return await connection.tuples(sql, args)

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows, all or none."""
        async with self.transaction() as transaction:
            await transaction.connection.many(from_common_sql(sql), rows)

    async def batch(
        self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None
    ) -> SQLiteBatch:  # type: ignore[override]
        self._check_open()
        return SQLiteBatch(self, query, batch_size)

    def transaction(  # type: ignore[override]
        self, transaction_type: object = None, allow_nested: bool = True, *, read_only: bool = False
    ) -> SQLiteCampusTransaction:
        """A transaction; always IMMEDIATE, whatever type Piccolo asks for."""
        self._check_open()
        return SQLiteCampusTransaction(self, read_only=read_only or self.read_only, allow_nested=allow_nested)

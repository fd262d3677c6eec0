"""One sqlite3 connection of ours: which thread runs a statement, and how values are stored.

Handing a statement to a thread and back costs over 100 µs on a small machine, ten times what a typical
statement takes. So short statements run at once, in the event loop's thread. A read is tried there, and
broken off and sent to the connection's thread when it turns out to be long. A write cannot be broken off
without losing its transaction, so it runs there only after it has been short a few times in the thread.
Whatever waits for the disk (COMMIT) always goes to the thread.
"""

import asyncio
import contextlib
import datetime as dt
import queue
import re
import sqlite3
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache, partial
from typing import Any, TypeVar
from urllib.parse import quote

import piccolo.engine.sqlite  # noqa: F401 - registers its types, which those below replace

from safety.transactions import EngineClosed, settled

T = TypeVar("T")
Row = tuple[Any, ...]
Runner = Callable[[str, Sequence[Any]], T]

BUSY_SECONDS = 10.0  # how long to wait for another process that is writing
SHORT_STEPS = 5_000  # of SQLite's virtual machine, up to twice as many: well under a millisecond
SHORT_SECONDS = 0.001
TRIALS = 3  # short runs before a write is trusted; after a long one, RELAPSE more of them
RELAPSE = 20
KNOWN = 1000  # statements remembered
_WRITES = re.compile(r"\b(insert|update|delete|replace)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\$(\d+)")
_ROW_LOCK = re.compile(r"\s+for\s+(no\s+key\s+)?update(\s+skip\s+locked|\s+nowait)?\s*;?\s*$", re.IGNORECASE)
_NOT_IN_A_TRANSACTION = {"PRAGMA", "VACUUM", "ATTACH", "DETACH"}


def stored_datetime(value: dt.datetime) -> str:
    """Text of a datetime in SQLite, always 26 characters before the offset, in UTC if it is aware.

    Piccolo writes microseconds only where there are some; then '…:39+00:00' sorts after '…:39.5+00:00'
    and a comparison in SQL is wrong within that second. Fixed width makes text order time order.
    """
    if value.tzinfo is not None:
        value = value.astimezone(dt.UTC)
    return value.isoformat(sep=" ", timespec="microseconds")


# A quarter has few days and many rows, and rosters few instants: what was read once is not parsed again.
@lru_cache(maxsize=4096)
def _day(value: bytes) -> dt.date:
    return dt.date.fromisoformat(value.decode())


@lru_cache(maxsize=16384)
def _instant(value: bytes) -> dt.datetime:
    return dt.datetime.fromisoformat(value.decode()).replace(tzinfo=dt.UTC)


def _register_types() -> None:
    sqlite3.register_adapter(dt.datetime, stored_datetime)
    sqlite3.register_converter("TIMESTAMPTZ", _instant)
    sqlite3.register_converter("DATE", _day)
    sqlite3.register_converter("UUID", lambda value: uuid.UUID(value.decode()))
    sqlite3.register_converter("BOOLEAN", lambda value: value == b"1")
    # SQLite's own integers are exact; Piccolo's converter takes each through text and Decimal.
    sqlite3.converters.pop("INTEGER", None)


_register_types()


def _first_word(sql: str) -> str:
    words = sql.split(None, 1)
    return words[0].upper() if words else ""


@lru_cache(maxsize=1024)
def is_read(sql: str) -> bool:
    """Whether a statement outside a transaction may go to a reader; in doubt it goes to the writer."""
    head = _first_word(sql)
    return head in {"SELECT", "VALUES", "EXPLAIN"} or (head == "WITH" and not _WRITES.search(sql))


@lru_cache(maxsize=1024)
def from_common_sql(sql: str) -> str:
    """SQLite's spelling of SQL written for both: `$1` becomes `?1`, `string_agg` `group_concat`, a closing FOR UPDATE
    goes away.

    The row lock is not needed here: a writing transaction holds the whole database.
    """
    return _NUMBERED.sub(r"?\1", _ROW_LOCK.sub("", sql)).replace("string_agg(", "group_concat(")


class Connection:
    """One sqlite3 connection and its thread; statements run one at a time, in the order they came."""

    def __init__(self, path: str, *, read_only: bool) -> None:
        self.path = path
        self.read_only = read_only
        self._work: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._raw: sqlite3.Connection | None = None
        self._unfinished = 0  # statements sent to the thread
        self._long: set[str] = set()  # reads that were once too long for the event loop
        self._trusted: dict[str, int] = {}  # how often a statement was short
        # A daemon: a process that forgot to close, or is going down, must never hang on it.
        self._thread = threading.Thread(target=self._serve, name=f"sqlite {path}", daemon=True)

    # -- the thread

    def _serve(self) -> None:
        while (job := self._work.get()) is not None:
            loop, future, function, args = job
            try:
                outcome: tuple[Any, BaseException | None] = (function(*args), None)
            except BaseException as error:  # noqa: BLE001 - handed to whoever waits
                outcome = (None, error)
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits
                loop.call_soon_threadsafe(self._resolve, future, *outcome)
            del job, loop, future, function, args, outcome

    def _resolve(self, future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
        self._unfinished -= 1
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def submit(self, function: Callable[..., T], *args: Any) -> "asyncio.Future[T]":
        """Have the thread run `function(*args)`. The future must not be cancelled: wait with `settled`."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._unfinished += 1
        self._work.put((loop, future, function, args))
        return future

    # -- opening and closing

    async def open(self) -> None:
        """Connect. Raises sqlite3.OperationalError if the file cannot be opened so."""
        self._thread.start()
        try:
            await settled(self.submit(self._connect))
        except BaseException:
            await self.close()
            raise

    def _connect(self) -> None:
        raw = sqlite3.connect(
            f"file:{quote(self.path)}?mode={'ro' if self.read_only else 'rwc'}",
            uri=True,
            isolation_level=None,
            detect_types=sqlite3.PARSE_DECLTYPES | sqlite3.PARSE_COLNAMES,
            timeout=BUSY_SECONDS,
            cached_statements=512,
            check_same_thread=False,  # two threads use it, never at once: see run()
        )
        self._raw = raw
        for pragma in _READER if self.read_only else _WRITER:
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("SELECT count(*) FROM sqlite_master").fetchone()  # fail here, not at the first query

    @property
    def raw(self) -> sqlite3.Connection:
        if self._raw is None:
            raise EngineClosed(f"{self.path} is not open")
        return self._raw

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

    # -- statements

    async def run(self, sql: str, args: Sequence[Any] = (), *, dicts: bool = False) -> list[Any]:
        """Rows of one statement, as tuples or as dicts; inside the transaction that is open, if one is."""
        runner = self._dicts if dicts else self._tuples
        if not self._unfinished:  # else it has to queue behind what its own task's siblings sent
            if is_read(sql):
                with contextlib.suppress(_TooLong):
                    return self._read_at_once(runner, sql, args)
            elif self._trusted.get(sql, 0) >= TRIALS:
                return self._timed(runner, sql, args)
        return await self._careful(self.submit(self._timed, runner, sql, args))

    async def many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        await self._careful(self.submit(self._many, sql, rows))

    def _many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        # The cursor must end in this thread: freed later by the event loop's, it would reset the statement that the
        # next call with the same text may be running by then.
        self.raw.executemany(sql, rows).close()

    async def execute(self, sql: str) -> None:
        """Run one statement without arguments in the thread (COMMIT, SAVEPOINT …)."""
        await settled(self.submit(self._tuples, sql, ()))

    def _dicts(self, sql: str, args: Sequence[Any]) -> list[dict[str, Any]]:
        cursor = self.raw.execute(sql, args)
        rows = cursor.fetchall()
        if not rows:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _tuples(self, sql: str, args: Sequence[Any]) -> list[Row]:
        return self.raw.execute(sql, args).fetchall()

    def _timed(self, runner: Runner[T], sql: str, args: Sequence[Any]) -> T:
        """Run a statement and remember whether it was short.

        By its own processor time: on the wall's clock it is long whenever the event loop is busy, since it then
        waits for the interpreter, and nothing would ever be trusted just when that matters.
        """
        start = time.thread_time()
        result = runner(sql, args)
        if len(self._trusted) > KNOWN:
            self._trusted.clear()
        if time.thread_time() - start < SHORT_SECONDS:
            self._trusted[sql] = self._trusted.get(sql, 0) + 1
        elif self._trusted.get(sql, 0) >= TRIALS:
            self._trusted[sql] = TRIALS - RELAPSE
        return result

    def _read_at_once(self, runner: Runner[T], sql: str, args: Sequence[Any]) -> T:
        """Run a read in this thread. Raises _TooLong, with nothing done, when it is no short one."""
        if sql in self._long:
            raise _TooLong
        raw = self.raw
        # SQLite counts the steps of a prepared statement over all its runs, so the first call may come at once.
        raw.set_progress_handler(partial(next, iter((0,)), 1), SHORT_STEPS)
        try:
            return runner(sql, args)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            if len(self._long) < KNOWN:
                self._long.add(sql)
            raise _TooLong from None
        finally:
            raw.set_progress_handler(None, 0)

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

    # -- transactions

    async def begin_writing(self) -> None:
        """BEGIN IMMEDIATE, waiting for another process without blocking this one.

        Raises sqlite3.OperationalError (SQLITE_BUSY) after BUSY_SECONDS.
        """
        deadline, pause = time.monotonic() + BUSY_SECONDS, 0.0005
        while True:
            try:
                self.raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, 0.02)

    async def run_alone(self, sql: str, args: Sequence[Any] = (), *, dicts: bool = False) -> list[Any]:
        """Run one statement of the writer as a transaction of its own."""
        runner = self._dicts if dicts else self._tuples
        if _first_word(sql) in _NOT_IN_A_TRANSACTION:
            return await self._careful(self.submit(runner, sql, args))
        await self.begin_writing()
        return await self._careful(self.submit(self._and_commit, runner, sql, args))

    def _and_commit(self, runner: Runner[T], sql: str, args: Sequence[Any]) -> T:
        try:
            result = runner(sql, args)
            self.raw.execute("COMMIT")
        except BaseException:
            self._rollback()
            raise
        return result

    async def rollback(self) -> None:
        await settled(self.submit(self._rollback))

    def _rollback(self) -> None:
        if self.raw.in_transaction:  # an error such as a full disk has rolled back already
            self.raw.execute("ROLLBACK")


class _TooLong(Exception):
    """A read that did not end within SHORT_STEPS."""


# busy_timeout 0: waiting for another process is done in begin_writing, without blocking the event loop.
_WRITER = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
    "busy_timeout = 0",
)
_READER = ("query_only = ON", "foreign_keys = ON", "temp_store = MEMORY")


class Pool:
    """A few read-only connections, lent one at a time."""

    def __init__(self, path: str, size: int) -> None:
        self._all = [Connection(path, read_only=True) for _ in range(size)]
        self._free: list[Connection] = []
        # A semaphore lets nobody overtake those who wait already; a queue would, and starve them under load.
        self._turns = asyncio.Semaphore(0)

    async def open(self) -> None:
        for connection in self._all:
            await connection.open()
            self.give_back(connection)

    async def close(self) -> None:
        for connection in self._all:
            await connection.close()

    async def take(self) -> Connection:
        await self._turns.acquire()
        return self._free.pop()

    def give_back(self, connection: Connection) -> None:
        self._free.append(connection)
        self._turns.release()

    @asynccontextmanager
    async def lend(self) -> AsyncIterator[Connection]:
        connection = await self.take()
        try:
            yield connection
        finally:
            self.give_back(connection)

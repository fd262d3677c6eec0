"""Piccolo on SQLite: one writer, a few readers, no connection per query.

Piccolo's own engine opens a connection and a thread for every statement and begins transactions
DEFERRED, so fifty officers saving at once get lock errors and seconds of waiting. Here one connection
writes, behind a lock that hands out turns in order; a few connections opened `mode=ro` read.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from piccolo.engine.sqlite import SQLiteEngine
from piccolo.query.base import Query
from piccolo.querystring import QueryString

from safety.doors import check_statement
from safety.sqlite_connection import Connection, Pool, Row, from_common_sql, is_read
from safety.transactions import CampusBatch, CampusTransaction, EngineClosed, Transactional, settled

READERS = 3  # each used for one statement at a time
HELD = 4  # used by read-only requests and batches, which keep theirs for longer
TURN = 16  # statements of one engine before other tasks get a turn


class SQLiteCampusTransaction(CampusTransaction):
    """BEGIN IMMEDIATE on the writer; or a snapshot on a connection that cannot write."""

    engine: "CampusSQLiteEngine"
    connection: Connection

    async def take(self) -> None:
        self.connection = await (self.engine.held.take() if self.read_only else self.engine.take_writer())

    async def begin(self) -> None:
        if self.read_only:
            self.connection.raw.execute("BEGIN")  # takes no lock, so it cannot wait
        else:
            await self.connection.begin_writing()

    async def commit(self) -> None:
        await self.connection.execute("COMMIT")

    async def rollback(self) -> None:
        await self.connection.rollback()

    async def give_back(self) -> None:
        if self.read_only:
            self.engine.held.give_back(self.connection)
        else:
            self.engine.release_writer()


class SQLiteBatch(CampusBatch):
    """Rows of one query, some at a time, on a connection kept for it (or the transaction's own)."""

    engine: "CampusSQLiteEngine"
    _own: Connection | None = None

    async def __aenter__(self) -> "SQLiteBatch":
        active = self.engine.active_transaction()
        if active is None:
            self._own = await self.engine.held.take()
        self._connection: Connection = self._own or active.connection  # type: ignore[union-attr]
        sql, args = self.query.querystrings[0].compile_string(engine_type="sqlite")
        self._cursor: sqlite3.Cursor | None = None
        try:
            await settled(self._connection.submit(self._start, sql, args))
        except BaseException:
            await self.end()
            raise
        return self

    def _start(self, sql: str, args: Sequence[Any]) -> None:
        self._cursor = self._connection.raw.execute(sql, args)

    def _fetch(self) -> list[dict[str, Any]]:
        cursor = self._cursor
        assert cursor is not None
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchmany(self.batch_size)]

    async def fetch(self) -> list[Any]:
        return await settled(self._connection.submit(self._fetch))

    async def end(self) -> None:
        cursor, self._cursor = self._cursor, None
        own, self._own = self._own, None
        try:
            if cursor is not None:
                await settled(self._connection.submit(cursor.close))
        finally:
            if own is not None:
                self.engine.held.give_back(own)


class CampusSQLiteEngine(Transactional, SQLiteEngine):
    """The embedded database of one school or one county office.

    `read_only=True` opens no writer at all: every write raises `sqlite3.OperationalError`.
    """

    def __init__(self, path: str | Path, *, read_only: bool = False) -> None:
        super().__init__(path=str(path))
        self.read_only = read_only
        self._loop: asyncio.AbstractEventLoop | None = None
        self._statements = 0

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

    async def _run(self, sql: str, args: Sequence[Any], *, dicts: bool) -> list[Any]:
        """Run a statement where it belongs: in the running transaction, on a reader, or on the writer."""
        check_statement(sql)
        self._check_open()
        await self._others_first()
        active = self.active_transaction()
        if active is not None:
            return await active.connection.run(sql, args, dicts=dicts)  # type: ignore[no-any-return]
        if self.read_only or is_read(sql):
            async with self.readers.lend() as connection:
                return await connection.run(sql, args, dicts=dicts)
        writer = await self.take_writer()
        try:
            return await writer.run_alone(sql, args, dicts=dicts)
        finally:
            self.release_writer()

    async def _others_first(self) -> None:
        """Statements that run at once never wait: let other tasks run now and then all the same."""
        self._statements += 1
        if self._statements % TURN == 0:
            await asyncio.sleep(0)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002
        """Run one of Piccolo's queries: rows as dicts. `in_pool` is there for Piccolo only."""
        sql, args = querystring.compile_string(engine_type="sqlite")
        return await self._run(sql, args, dicts=True)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[dict[str, Any]]:  # noqa: ARG002
        return await self._run(ddl, (), dicts=True)

    async def fetch_tuples(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Rows as plain tuples of SQL written with `$1, $2 …`."""
        return await self._run(from_common_sql(sql), args, dicts=False)

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows, all or none."""
        check_statement(sql)
        async with self.transaction() as transaction:
            await transaction.connection.many(from_common_sql(sql), rows)

    async def batch(  # type: ignore[override]
        self,
        query: Query[Any, Any],
        batch_size: int = 100,
        node: str | None = None,  # noqa: ARG002
    ) -> SQLiteBatch:
        self._check_open()
        return SQLiteBatch(self, query, batch_size)

    def transaction(  # type: ignore[override]
        self,
        transaction_type: object = None,  # noqa: ARG002
        allow_nested: bool = True,
        *,
        read_only: bool = False,
    ) -> SQLiteCampusTransaction:
        """A transaction; always IMMEDIATE, whatever type Piccolo asks for."""
        self._check_open()
        return SQLiteCampusTransaction(self, read_only=read_only or self.read_only, allow_nested=allow_nested)

"""Piccolo on PostgreSQL, always through a pool, with the same transactions as SQLite's engine."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import asyncpg  # type: ignore[import-untyped]
from piccolo.engine.postgres import PostgresEngine
from piccolo.query.base import Query
from piccolo.querystring import QueryString

from safety.doors import check_statement
from safety.transactions import CampusBatch, CampusTransaction, EngineClosed, Transactional, settled

Row = tuple[Any, ...]

WAIT_SECONDS = 30.0  # for a free connection: longer means something is stuck, and saying so is better
_KNOWN = {"host", "port", "user", "password", "sslmode", "pool_min", "pool_max"}


def parse_url(url: str) -> tuple[dict[str, Any], tuple[int, int]]:
    """Connection settings and pool size (smallest, largest) of `postgresql://user:pw@host:port/name`.

    `?host=/folder` names a socket's folder; `?pool_min=2&pool_max=10` sizes the pool. ValueError for
    anything else, because a misspelt option must not be silently ignored.
    """
    parts = urlsplit(url)
    query = {
        key: values[-1] for key, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()
    }
    if unknown := query.keys() - _KNOWN:
        raise ValueError(f"unknown option in the database's address: {', '.join(sorted(unknown))}")
    found = {
        "host": query.get("host") or parts.hostname,
        "port": int(query["port"]) if "port" in query else parts.port,
        "user": query.get("user") or (unquote(parts.username) if parts.username else None),
        "password": query.get("password") or (unquote(parts.password) if parts.password else None),
        "database": unquote(parts.path.lstrip("/")) or None,
        "ssl": query.get("sslmode"),
    }
    if found["database"] is None:
        raise ValueError("the database's address names no database")
    size = int(query.get("pool_min", 2)), int(query.get("pool_max", 10))
    if not 1 <= size[0] <= size[1]:
        raise ValueError("pool_min must be at least 1 and no more than pool_max")
    return {key: value for key, value in found.items() if value is not None}, size


async def _leave_as_it_is(_connection: Any) -> None:
    """No clearing of a connection that goes back to the pool: a transaction is always ended before, and nothing
    here outlives one (no SET, LISTEN or session lock). It would cost a round trip each time."""


class PostgresCampusTransaction(CampusTransaction):
    """READ COMMITTED for writing; REPEATABLE READ READ ONLY behind the read-only door."""

    engine: "CampusPostgresEngine"

    async def take(self) -> None:
        self.connection = await self.engine.take()
        isolation = "repeatable_read" if self.read_only else "read_committed"
        self._inner = self.connection.transaction(isolation=isolation, readonly=self.read_only)

    async def begin(self) -> None:
        await settled(self._inner.start())

    async def commit(self) -> None:
        await self._inner.commit()

    async def rollback(self) -> None:
        if self.connection.is_closed():
            return
        try:
            await self._inner.rollback()
        except asyncpg.InterfaceError:
            # asyncpg refuses this to a transaction whose BEGIN or COMMIT failed; the server may still be in it.
            if self.connection.is_in_transaction():
                await self.connection.execute("ROLLBACK")

    async def give_back(self) -> None:
        await self.engine.give_back(self.connection)


class PostgresBatch(CampusBatch):
    """Rows of one query through a cursor, inside the running transaction or a read-only one of its own."""

    engine: "CampusPostgresEngine"
    _own: CampusTransaction | None = None

    async def __aenter__(self) -> "PostgresBatch":
        active = self.engine.active_transaction()
        if active is None:
            # Not made the task's current transaction: what is written in the loop must be kept.
            self._own = active = PostgresCampusTransaction(self.engine, read_only=True)
            await active.take()
        try:
            if self._own is not None:
                await self._own.begin()
            sql, args = self.query.querystrings[0].compile_string()
            self._cursor = await active.connection.cursor(sql, *args)
        except BaseException:
            await settled(self.end())
            raise
        return self

    async def fetch(self) -> list[Any]:
        return await self._cursor.fetch(self.batch_size)  # type: ignore[no-any-return]

    async def end(self) -> None:
        own, self._own = self._own, None
        if own is not None:
            try:
                await own.rollback()
            finally:
                await own.give_back()


class CampusPostgresEngine(Transactional, PostgresEngine):
    """PostgreSQL by URL. Nothing is sent until `open()`; nothing is ever sent outside the pool."""

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        config, self.pool_size = parse_url(url)
        self.read_only = read_only
        settings = {"timezone": "UTC", "application_name": "safe-campus", "jit": "off"}
        if read_only:
            settings["default_transaction_read_only"] = "on"
        super().__init__(config={**config, "server_settings": settings})

    async def check_version(self) -> None:
        """Piccolo connects while it is constructed; a server that is down must not fail an import."""

    async def prep_database(self) -> None:
        """No extensions are used."""

    async def open(self) -> None:
        """Start the pool. Repeating it does nothing. Raises what asyncpg raises if the server is away."""
        if self.pool is not None:
            self._pool()
            return
        smallest, largest = self.pool_size
        self._loop = asyncio.get_running_loop()
        self.pool = await asyncpg.create_pool(
            **self.config, min_size=smallest, max_size=largest, reset=_leave_as_it_is
        )

    async def close(self, *, patience: float = 10.0) -> None:
        """Close after running statements have ended, or after `patience` seconds without them."""
        if self.pool is None:
            return
        pool = self._pool()
        try:
            async with asyncio.timeout(patience):
                await pool.close()
        except TimeoutError:
            pool.terminate()
        finally:
            self.pool = None

    def _pool(self) -> Any:
        if self.pool is None:
            raise EngineClosed("the PostgreSQL database is not open")
        if self._loop is not asyncio.get_running_loop():
            raise EngineClosed("the PostgreSQL database is open in another event loop")
        return self.pool

    async def take(self) -> Any:
        return await self._pool().acquire(timeout=WAIT_SECONDS)

    async def give_back(self, connection: Any) -> None:
        if self.pool is not None:
            await settled(self.pool.release(connection))

    @asynccontextmanager
    async def _lend(self) -> AsyncIterator[Any]:
        active = self.active_transaction()
        if active is not None:
            yield active.connection
            return
        connection = await self.take()
        try:
            yield connection
        finally:
            await self.give_back(connection)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> list[Any]:  # noqa: ARG002
        """Run one of Piccolo's queries. `in_pool` is there for Piccolo only: it is always the pool."""
        sql, args = querystring.compile_string(engine_type="postgres")
        check_statement(sql)
        async with self._lend() as connection:
            return await connection.fetch(sql, *args)  # type: ignore[no-any-return]

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> list[Any]:  # noqa: ARG002
        check_statement(ddl)
        async with self._lend() as connection:
            return await connection.fetch(ddl)  # type: ignore[no-any-return]

    async def fetch_tuples(self, sql: str, args: Sequence[Any] = ()) -> list[Row]:
        """Rows as plain tuples of SQL written with `$1, $2 …`."""
        check_statement(sql)
        async with self._lend() as connection:
            return [tuple(row) for row in await connection.fetch(sql, *args)]

    async def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """One statement for many rows, all or none."""
        check_statement(sql)
        async with self.transaction() as transaction:
            await transaction.connection.executemany(sql, rows)

    async def batch(  # type: ignore[override]
        self,
        query: Query[Any, Any],
        batch_size: int = 100,
        node: str | None = None,  # noqa: ARG002
    ) -> PostgresBatch:
        return PostgresBatch(self, query, batch_size)

    def transaction(  # type: ignore[override]
        self, allow_nested: bool = True, *, read_only: bool = False
    ) -> PostgresCampusTransaction:
        """A transaction, which may only read if so asked."""
        self._pool()
        return PostgresCampusTransaction(
            self, read_only=read_only or self.read_only, allow_nested=allow_nested
        )

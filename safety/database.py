"""The one door to storage: which engine is in use, transactions, the read-only door, plain tuples.

Tables resolve their engine once, through `config.piccolo_conf`, and get `TABLES_ENGINE`: it hands every
query to the engine in use, so a test or the app may change the database without touching a table.
"""

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from piccolo.engine.base import BaseAtomic, BaseBatch, Engine
from piccolo.query.base import Query
from piccolo.querystring import QueryString

from safety.postgres import CampusPostgresEngine
from safety.sqlite import CampusSQLiteEngine
from safety.transactions import CampusTransaction, EngineClosed

CampusEngine = CampusSQLiteEngine | CampusPostgresEngine


class TablesEngine(Engine[Any]):
    """What Piccolo's tables hold: forwards everything to the engine in use."""

    def __init__(self) -> None:
        # Nothing of Engine's own state is set: reading it falls through to the engine in use.
        self._in_use: CampusEngine | None = None

    @property
    def in_use(self) -> CampusEngine:
        if self._in_use is None:
            raise EngineClosed("no database has been chosen: call use_engine() first")
        return self._in_use

    @property
    def chosen(self) -> bool:
        return self._in_use is not None

    def choose(self, engine: CampusEngine | None) -> None:
        self._in_use = engine

    def __getattr__(self, name: str) -> Any:
        return getattr(self.in_use, name)

    async def get_version(self) -> float:
        return await self.in_use.get_version()

    def get_version_sync(self) -> float:
        return self.in_use.get_version_sync()

    async def prep_database(self) -> None:
        await self.in_use.prep_database()

    async def batch(
        self, query: Query[Any, Any], batch_size: int = 100, node: str | None = None
    ) -> BaseBatch:
        return await self.in_use.batch(query, batch_size, node)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        return await self.in_use.run_querystring(querystring, in_pool)

    async def run_ddl(self, ddl: str, in_pool: bool = True) -> Any:
        return await self.in_use.run_ddl(ddl, in_pool)

    def transform_response_to_dicts(self, results: Any) -> list[dict[str, Any]]:
        return self.in_use.transform_response_to_dicts(results)

    def transaction(self, *args: Any, **kwargs: Any) -> CampusTransaction:
        return self.in_use.transaction(*args, **kwargs)

    def transaction_exists(self) -> bool:
        return self.in_use.transaction_exists()

    def atomic(self) -> BaseAtomic:
        return self.in_use.atomic()


TABLES_ENGINE = TablesEngine()


def engine_from_url(url: str, *, read_only: bool = False) -> CampusEngine:
    """The engine for `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`, not yet open.

    `read_only=True` gives an engine on which every write raises. ValueError for any other URL.
    """
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        path = unquote(parts.path)[1:]
        if parts.netloc or parts.query or path in {"", ":memory:"}:
            raise ValueError("a SQLite address is sqlite:///file or sqlite:////folder/file")
        return CampusSQLiteEngine(Path(path), read_only=read_only)
    if parts.scheme in {"postgresql", "postgres"}:
        return CampusPostgresEngine(url, read_only=read_only)
    raise ValueError(f"unknown kind of database: {parts.scheme or url!r} (sqlite or postgresql)")


def use_engine(engine: CampusEngine | None) -> CampusEngine | None:
    """Send all tables' queries to `engine` from now on, in the whole process; returns the one before."""
    before = TABLES_ENGINE.in_use if TABLES_ENGINE.chosen else None
    TABLES_ENGINE.choose(engine)
    return before


def current_engine() -> CampusEngine:
    """The engine in use. Raises EngineClosed if none was chosen."""
    return TABLES_ENGINE.in_use


@contextmanager
def engine_in_use(engine: CampusEngine) -> Iterator[CampusEngine]:
    """Use `engine` inside the block, in the whole process, then the one before again."""
    before = use_engine(engine)
    try:
        yield engine
    finally:
        use_engine(before)


async def open_engine(engine: Engine[Any] | None = None) -> CampusEngine:
    """Open the engine (the one in use by default) in this event loop, and return it."""
    opened = _concrete(engine)
    await opened.open()
    return opened


async def close_engine(engine: Engine[Any] | None = None) -> None:
    """Close connections, threads and pool. Repeating it does nothing."""
    await _concrete(engine).close()


def _concrete(engine: Engine[Any] | None) -> CampusEngine:
    if engine is None or engine is TABLES_ENGINE:
        return current_engine()
    assert isinstance(engine, CampusSQLiteEngine | CampusPostgresEngine)
    return engine


def transaction(engine: Engine[Any] | None = None) -> AbstractAsyncContextManager[CampusTransaction]:
    """One transaction: commits at the end of the block, rolls back on any error or cancellation.

    Inside another one it joins it; an error that leaves the inner block dooms the outer one even if it
    is caught in between. To try something that may fail, use `savepoint()`.
    """
    return _concrete(engine).transaction()


@asynccontextmanager
async def savepoint(engine: Engine[Any] | None = None) -> AsyncIterator[None]:
    """A part of the running transaction that may fail alone: on an error only this part is undone."""
    active = _concrete(engine).active_transaction()
    if active is None:
        raise RuntimeError("a savepoint needs a running transaction")
    point = await active.savepoint()
    try:
        yield
    except BaseException:
        await point.rollback_to()  # type: ignore[no-untyped-call]
        await point.release()  # type: ignore[no-untyped-call]
        raise
    await point.release()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def read_only_door(engine: Engine[Any] | None = None) -> AsyncIterator[None]:
    """Everything this task asks of the database inside the block runs on a connection that cannot write.

    One snapshot for the whole block (SQLite: a `mode=ro` connection; PostgreSQL: a REPEATABLE READ READ
    ONLY transaction). A write raises the database's own error. Raises TransactionError inside a writing
    transaction, which could write.
    """
    async with _concrete(engine).transaction(read_only=True):
        yield


async def fetch_tuples(
    engine: Engine[Any] | None, sql: str, args: Sequence[Any] = ()
) -> list[tuple[Any, ...]]:
    """Rows of `sql` as plain tuples, inside the current transaction or door if there is one.

    Placeholders are `$1, $2 …` on both databases (never inside a quoted text); a closing FOR UPDATE is
    left out on SQLite, where a transaction holds the whole database. Columns come back as dates, UUIDs,
    datetimes; an *expression* over one does on PostgreSQL only, unless it is named with its type:
    `max(at) AS "at [timestamptz]"`.
    """
    return await _concrete(engine).fetch_tuples(sql, args)


async def execute_many(engine: Engine[Any] | None, sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run one INSERT or UPDATE for every row, all or none; many times faster than row objects."""
    await _concrete(engine).execute_many(sql, rows)

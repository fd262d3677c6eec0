"""What a transaction means here, the same on SQLite and on PostgreSQL.

A block joins the transaction that is already open in its task. A block that fails, whether by an
error or by cancellation, leaves nothing of itself behind; and if somebody outside swallows the error of
an inner block, the outer one refuses to commit, because half of its work may be missing.
"""

import asyncio
from collections.abc import Awaitable
from types import TracebackType
from typing import Any, Self, TypeVar

from piccolo.engine.base import BaseBatch, BaseTransaction, validate_savepoint_name
from piccolo.engine.exceptions import TransactionError
from piccolo.engine.sqlite import Savepoint
from piccolo.query.base import Query

T = TypeVar("T")


class EngineClosed(RuntimeError):
    """A query was sent to an engine that is not open (or is open in another event loop)."""


async def settled(work: Awaitable[T]) -> T:
    """Wait until `work` has really ended, even if this task is cancelled meanwhile.

    A cancelled task must not walk away from a BEGIN or a COMMIT that a thread or the server is still
    carrying out: it would leave a lock held. The cancellation is raised afterwards, not lost.
    """
    future = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError as error:
            if future.cancelled():
                raise
            cancelled = error
        except BaseException:  # noqa: BLE001 - the future keeps it; result() below raises it
            break
    if cancelled is not None:
        if not future.cancelled():
            future.exception()  # mark as seen: the cancellation is what the caller hears of
        raise cancelled
    return future.result()


class CampusTransaction(BaseTransaction):
    """One transaction on one connection. Subclasses say how to take, begin, end and give back."""

    connection: Any

    def __init__(self, engine: Any, *, read_only: bool = False, allow_nested: bool = True) -> None:
        self.engine = engine
        self.read_only = read_only
        self.allow_nested = allow_nested
        self.is_open = False
        self._parent: CampusTransaction | None = None
        self._doomed = False
        self._savepoint_id = 0

    async def take(self) -> None:
        """Take a connection; may wait, may be cancelled, leaves nothing behind then."""
        raise NotImplementedError

    async def begin(self) -> None:
        """Begin; when cancelled, end only after it is certain what the connection is doing."""
        raise NotImplementedError

    async def commit(self) -> None:
        raise NotImplementedError

    async def rollback(self) -> None:
        """Roll back if anything is open; never raises for there being nothing to roll back."""
        raise NotImplementedError

    async def give_back(self) -> None:
        raise NotImplementedError

    async def __aenter__(self) -> "CampusTransaction":
        outer = self.engine.active_transaction()
        if outer is not None:
            return self._join(outer)
        await self.take()
        try:
            await self.begin()
        except BaseException:
            await settled(self._abandon())
            raise
        self.is_open = True
        self.engine.current_transaction.set(self)
        return self

    def _join(self, outer: "CampusTransaction") -> "CampusTransaction":
        if not self.allow_nested:
            raise TransactionError("a transaction is open already, and this one may not be nested")
        if self.read_only and not outer.read_only:
            raise TransactionError("a read-only block cannot be opened inside a writing transaction")
        self._parent = outer
        return outer

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if self._parent is not None:
            self._parent._doomed |= error is not None  # noqa: SLF001 - its own kind
            return False
        # Closed before the last statement is sent: a task started inside and still running sees no
        # transaction from here on, instead of writing on a connection that is somebody else's.
        self.is_open = False
        self.engine.current_transaction.set(None)
        if error is None and not self._doomed:
            await settled(self._finish())
            return False
        await settled(self._abandon())
        if error is None:
            raise TransactionError("an inner block failed and its error was swallowed: nothing was saved")
        return False

    async def _finish(self) -> None:
        try:
            await self.commit()
        except BaseException:
            await self._abandon()
            raise
        await self.give_back()

    async def _abandon(self) -> None:
        try:
            await self.rollback()
        finally:
            await self.give_back()

    async def savepoint(self, name: str | None = None) -> Savepoint:
        """Mark a point inside the transaction; the result has `rollback_to()` and `release()`."""
        if name is None:
            self._savepoint_id += 1
            name = f"savepoint_{self._savepoint_id}"
        validate_savepoint_name(name)
        await self.connection.execute(f"SAVEPOINT {name}")
        return Savepoint(name=name, transaction=self)  # type: ignore[arg-type]

    async def rollback_to(self, savepoint_name: str) -> None:
        await Savepoint(name=savepoint_name, transaction=self).rollback_to()  # type: ignore[arg-type,no-untyped-call]


class Transactional:
    """The part of an engine that knows which transaction its task is in."""

    current_transaction: Any

    def active_transaction(self) -> CampusTransaction | None:
        """The open transaction of this task; one that has ended is none."""
        active: CampusTransaction | None = self.current_transaction.get()
        return active if active is not None and active.is_open else None

    def transaction_exists(self) -> bool:
        return self.active_transaction() is not None


class CampusBatch(BaseBatch):
    """Rows of one query, some at a time. Subclasses say how to begin (`__aenter__`), `fetch` and `end`."""

    def __init__(self, engine: Any, query: Query[Any, Any], batch_size: int) -> None:
        self.engine = engine
        self.query = query
        self.batch_size = batch_size

    async def fetch(self) -> list[Any]:
        """The next rows as the driver gives them; none after the last."""
        raise NotImplementedError

    async def end(self) -> None:
        """Give back what was taken; repeating it does nothing."""
        raise NotImplementedError

    async def next(self) -> list[Any]:
        rows = await self.fetch()
        return await self.query._process_results(rows)  # type: ignore[no-any-return] # noqa: SLF001 - as Piccolo's own batch does

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Any]:
        rows = await self.next()
        if not rows:
            raise StopAsyncIteration
        return rows

    async def __aexit__(self, *error: object) -> bool:
        await settled(self.end())
        return False

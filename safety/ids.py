"""Names for rows, made by the action that writes them: UUIDv7, so they sort in the order made."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from uuid_utils import compat

_source: ContextVar[Callable[[], uuid.UUID]] = ContextVar("ids", default=compat.uuid7)


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 of the standard library's type, later than every id this process made before."""
    return _source.get()()


@contextmanager
def made_by(source: Callable[[], uuid.UUID]) -> Iterator[None]:
    """Take ids from elsewhere inside the block, in this task and those it starts: a demo is to be repeatable."""
    token = _source.set(source)
    try:
        yield
    finally:
        _source.reset(token)

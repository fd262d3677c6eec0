"""A narrow door: inside it a task reads everything and writes only the tables named.

The read-only door is a connection that cannot write. Somebody who reads everything and may write notes of their own
needs a second one: whatever code runs behind it, a statement that writes elsewhere is refused before it is sent.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WRITES = re.compile(
    r"""\b(?: insert\s+(?:or\s+\w+\s+)?into | replace\s+into | (?<!for\s)update | delete\s+from | merge\s+into
    | truncate(?:\s+table)? | (?:create|alter|drop)\s+\w+ | grant | copy | attach | pragma )
    \s+(?:if\s+(?:not\s+)?exists\s+)?"?(\w+)""",
    re.IGNORECASE | re.VERBOSE,
)
AFTER_UPDATE = frozenset({"set"})
"""`on conflict … do update set` names no table."""

_MAY_WRITE: ContextVar[frozenset[str] | None] = ContextVar("may_write", default=None)


class DoorError(RuntimeError):
    """A statement that would have written where this door does not lead."""


@contextmanager
def writing_only(*tables: str) -> Iterator[None]:
    """Inside the block this task writes these tables and no others; the tasks that it starts do too."""
    before = _MAY_WRITE.get()
    allowed = frozenset(tables)
    token = _MAY_WRITE.set(allowed if before is None else allowed & before)
    try:
        yield
    finally:
        _MAY_WRITE.reset(token)


def check_statement(sql: str) -> None:
    """Raises DoorError where a statement writes a table that the door does not lead to."""
    allowed = _MAY_WRITE.get()
    if allowed is None:
        return
    named = {name.lower() for name in WRITES.findall(sql)} - AFTER_UPDATE
    if not named <= allowed:
        raise DoorError(f"this door does not lead to {', '.join(sorted(named - allowed))}")

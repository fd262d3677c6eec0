"""What sealed files say, kept in memory by their digests: what is sealed never changes, so each is read once."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from reports.files import path_of
from safety.errors import NotFound

log = logging.getLogger(__name__)

Said = TypeVar("Said")
Key = TypeVar("Key")
Value = TypeVar("Value")
UNREADABLE = (NotFound, OSError, ValueError)
"""What reading a received file can fail with; JSON that does not fit is a ValueError."""


class Remembered(Generic[Said]):
    """At most so many; the oldest goes first. A file that is gone or was altered is logged once, and read again when
    another stands in its place.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._said: dict[tuple[Path | None, str], Said] = {}
        self._unreadable: dict[tuple[Path | None, str], tuple[int, int] | None] = {}

    async def of(self, data: Path | None, digest: str, read: Callable[[], Awaitable[Said]]) -> Said | None:
        """What the file of a digest says; None where it cannot be read. `data`: the folder in which files are kept."""
        key = (data, digest)
        if key in self._said:
            return self._said[key]
        stands = _stands(data, digest)
        if key in self._unreadable and self._unreadable[key] == stands:
            return None
        try:
            said = await read()
        except UNREADABLE as error:
            # One file that is gone or was altered must not close the page of all; `audit verify` names it.
            log.exception("the file %s cannot be read", digest)
            if stands is None or not isinstance(error, OSError):
                self._keep(self._unreadable, key, stands)
            return None
        self._keep(self._said, key, said)
        return said

    def _keep(self, kept: dict[Key, Value], key: Key, value: Value) -> None:
        kept[key] = value
        if len(kept) > self._most:
            del kept[next(iter(kept))]


def _stands(data: Path | None, digest: str) -> tuple[int, int] | None:
    """When the file was written and how long it is; None where there is none."""
    try:
        found = path_of(data, digest).stat() if data else None
    except FileNotFoundError:
        return None
    return (found.st_mtime_ns, found.st_size) if found else None

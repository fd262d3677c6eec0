"""Names for rows, made by the action that writes them: UUIDv7, so they sort in the order made."""

from __future__ import annotations

import uuid

from uuid_utils import compat


def new_id() -> uuid.UUID:
    """A fresh UUIDv7 of the standard library's type, later than every id this process made before."""
    return compat.uuid7()

"""A receipt that the receiver has signed: that it has a file, and which."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class Body(msgspec.Struct, frozen=True):
    """What is certified: that `receiver` (a bureau's code) has the file with that digest, of that size in bytes."""

    number: UUID
    message: UUID
    kind: str
    sender: str
    receiver: str
    period: str
    version: int
    bytes_digest: str
    size: int
    received_at: datetime
    schema: Literal["safe-campus.receipt.v1"] = "safe-campus.receipt.v1"

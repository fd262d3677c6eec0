"""What every part of a document that leaves the school is made of (PURE)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$", description="SHA-256 in lower-case hex.")]
Points = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+\.[0-9]{2}$", description="Two decimals.")]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Suppressed = Literal["<5"]
Mark = Annotated[
    Literal["V1", "V2", "U", "D"],
    msgspec.Meta(
        description="V1 article read, V2 secondary source, U unverified (待核实), D this product's default."
    ),
]


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all parts share: immutable, named fields, nothing unknown let in."""


class Words(Part, frozen=True, kw_only=True):
    """One text in both languages. The English may be empty where only a Chinese name exists."""

    zh: str
    en: str = ""


def suppressed(count: int, category: str) -> int | Suppressed:
    """A head-count fit to leave the school: 1 to 4 of a sensitive category read `<5`, zero stays zero."""
    return "<5" if category == "mental_health" and 1 <= count <= 4 else count

"""RFC 8785 JSON: the one text of a value, whoever writes it out (PURE).

A return is written out several times on its way: for its digest, for the table, again if the chain has grown. Its
facts and its lines are nearly all of it and stay the same, so the text of such lists is kept for those last at work.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

import msgspec
import rfc8785


def canonical(value: object) -> bytes:
    """RFC 8785 JSON of a struct (or of plain values): sorted keys, no spaces, instants in UTC ending in Z.

    Raises:
        ValueError: for an instant without a zone.
    """
    return part(value)


def part(value: Any) -> bytes:
    """The same, of a value that may stand inside another."""
    if isinstance(value, msgspec.Struct):
        return object_of(fields_of(value))
    if isinstance(value, tuple) and value and isinstance(value[0], msgspec.Struct):
        return _text_of(value)
    return rfc8785.dumps(_plain(value))


def fields_of(value: msgspec.Struct) -> dict[str, bytes]:
    """Each field of a struct, written out; those that are unset are left out."""
    given = ((name, getattr(value, name)) for name in value.__struct_fields__)
    return {name: part(found) for name, found in given if found is not msgspec.UNSET}


def object_of(fields: dict[str, bytes]) -> bytes:
    """An object of fields that are written out already. Their names are ASCII, which sorts as RFC 8785 asks."""
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), fields[name]) for name in sorted(fields)) + b"}"


@lru_cache(maxsize=24)
def _text_of(parts: tuple[msgspec.Struct, ...]) -> bytes:
    # Documents hold no floats, and nothing else is written differently by msgspec, which is ten times as fast.
    return msgspec.json.encode(_plain(parts), order="sorted")


def _plain(value: object) -> Any:
    return _normal(msgspec.to_builtins(value, builtin_types=(datetime, date), str_keys=True))


def _normal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _normal(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(item) for item in value]
    if isinstance(value, datetime):
        return _instant(value)
    return value.isoformat() if isinstance(value, date) else value


def _instant(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"instant without a zone: {at!r}")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

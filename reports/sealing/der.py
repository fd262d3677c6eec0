"""The little of DER (X.690) that a signature is made of: written one way only, and read no more leniently (PURE)."""

from __future__ import annotations

SEQUENCE, SET, OCTETS, TAGGED = 0x30, 0x31, 0x04, 0xA0
NULL = b"\x05\x00"
MOST_LENGTH_BYTES = 3


def tlv(tag: int, content: bytes) -> bytes:
    """A value with its tag and its length, the length as short as can be."""
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(digits))) + digits + content


def object_identifier(dotted: str) -> bytes:
    """An object identifier, such as `1.2.840.113549.1.7.1`."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(0x06, b"".join(_base128(part) for part in (40 * first + second, *rest)))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(0x80 | number & 0x7F)
    return bytes(reversed(digits))


def body(value: bytes) -> bytes:
    """What stands in a value; what follows it is not looked at. Raises ValueError if it is cut off."""
    begin, end = _bounds(value)
    return value[begin:end]


def inside(value: bytes) -> list[bytes]:
    """The values one after the other inside a value; what follows it is not looked at. Raises ValueError."""
    rest, found = body(value), []
    while rest:
        _, end = _bounds(rest)
        found.append(rest[:end])
        rest = rest[end:]
    return found


def _bounds(value: bytes) -> tuple[int, int]:
    if len(value) < 2:
        raise ValueError("cut off")
    size, begin = value[1], 2
    if size >= 0x80:
        begin += size & 0x7F
        if not 2 < begin <= 2 + MOST_LENGTH_BYTES:
            raise ValueError("length")
        size = int.from_bytes(value[2:begin], "big")
    if begin + size > len(value):
        raise ValueError("cut off")
    return begin, begin + size

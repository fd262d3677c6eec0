"""A finished PDF's bytes, in the form that pydyf writes: what may be is in one object stream, and an identifier of all.

pydyf makes every object into bytes twice, and compresses it twice, where a file needs an identifier.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

import pydyf

COMPRESSION = 7
"""On a large school's data a tenth larger than by level 9, which is pydyf's choice, in a sixth of its time."""
HEAD = b"%%PDF-%s\n%%\xf0\x9f\x96\xa4\n"
WIDTHS = (1, 4, 2)
"""Bytes of the columns in the table of objects."""
IN_FILE, IN_STREAM = 1, 2


def write(pdf: Any, output: BinaryIO, version: str, *_chosen: Any) -> None:
    """The file that ends where pydyf's `PDF.write` would have ended it."""
    pdf.add_object(pdf.info)
    out, digest = [HEAD % version.encode()], hashlib.md5(usedforsecurity=False)
    at = len(out[0])
    places: list[tuple[int, int, int]] = [(0, 0, 0xFFFF)]
    inside: list[tuple[int, bytes]] = []
    for item in pdf.objects[1:]:
        data = bytes_of(item)
        digest.update(data)
        if isinstance(item, pydyf.Stream):
            places.append((IN_FILE, at, 0))
            out.append(b"%d 0 obj\n%s\nendobj\n" % (item.number, data))
            at += len(out[-1])
        else:
            places.append((IN_STREAM, len(pdf.objects), len(inside)))
            inside.append((item.number, data))
    places.append((IN_FILE, at, 0))
    out.append(b"%d 0 obj\n%s\nendobj\n" % (len(pdf.objects), _together(inside)))
    at += len(out[-1])
    places.append((IN_FILE, at, 0))
    table = _table(pdf, places, digest.hexdigest().encode())
    out.append(b"%d 0 obj\n%s\nendobj\nstartxref\n%d\n%%%%EOF\n" % (len(places) - 1, table, at))
    output.write(b"".join(out))


def _together(inside: Iterable[tuple[int, bytes]]) -> bytes:
    """The object stream: the number and the place of each object, then the objects."""
    index, texts, at = [], [], 0
    for number, data in inside:
        index += [number, at]
        texts.append(data)
        at += len(data) + 1
    head = b" ".join(b"%d" % each for each in index)
    extra = {"Type": "/ObjStm", "N": len(texts), "First": len(head) + 1}
    return bytes_of(pydyf.Stream([head, *texts], extra, compress=True))


def _table(pdf: Any, places: list[tuple[int, int, int]], identifier: bytes) -> bytes:
    kind, place, number = WIDTHS
    rows = [
        a.to_bytes(kind, "big") + b.to_bytes(place, "big") + c.to_bytes(number, "big") for a, b, c in places
    ]
    extra = {
        "Type": "/XRef",
        "Index": pydyf.Array((0, len(places))),
        "W": pydyf.Array(WIDTHS),
        "Size": len(places),
        "Root": pdf.catalog.reference,
        "Info": pdf.info.reference,
        "ID": pydyf.Array([b"(%s)" % identifier] * 2),
    }
    return bytes_of(pydyf.Stream([b"".join(rows)], extra, compress=True))


def bytes_of(item: Any) -> bytes:
    """What pydyf writes for an item, with less ado over the kinds that are nearly all of them."""
    kind = type(item)
    if kind is bytes:
        return item  # type: ignore[no-any-return]
    if kind is str:
        return item.encode("ascii")  # type: ignore[no-any-return]
    if kind is pydyf.Dictionary:
        entries = [b"/%s %s" % (bytes_of(key), bytes_of(value)) for key, value in item.items()]
        return b"<<%s>>" % b"".join(entries)
    if kind is pydyf.Array:
        return b"[%s]" % b" ".join(map(bytes_of, item))
    if isinstance(item, pydyf.Stream):
        return _stream(item)
    return pydyf._to_bytes(item)  # type: ignore[no-any-return]  # noqa: SLF001


def _stream(stream: Any) -> bytes:
    content, extra = b"\n".join(map(bytes_of, stream.stream)), dict(stream.extra)
    if stream.compress:
        content, extra["Filter"] = zlib.compress(content, COMPRESSION), "/FlateDecode"
    extra["Length"] = len(content)
    return b"%s\nstream\n%s\nendstream" % (bytes_of(pydyf.Dictionary(extra)), content)

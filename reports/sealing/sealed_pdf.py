"""What is inside a sealed file: nothing added with the signature but the signature, and the return as data."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
import pikepdf
import rfc8785

from reports import document as returns
from reports.document import ReturnDocument
from reports.kinds import ATTACHMENT, ROLLUP
from reports.rollup import document as rollup
from reports.rollup.document import RollupDocument
from reports.sealing.signature import Broken

OBJECT = re.compile(rb"^([0-9]{1,10}) 0 obj\b", re.M)
NEW_OBJECTS = 4
"""The form, its field, the signature, and the table of objects."""
FIELD = {"/FT", "/T", "/Type", "/Subtype", "/F", "/Rect", "/P", "/V"}
SIGNATURE = {"/Type", "/Filter", "/SubFilter", "/Contents", "/ByteRange", "/M"}


@dataclass(frozen=True, slots=True)
class Content:
    """What a sealed file holds. `generator` names the edition that drew it, `lang` is the language of its pages."""

    document: ReturnDocument | RollupDocument
    lang: str
    generator: str
    links: tuple[str, ...]


def read(pdf: bytes, drawn: bytes) -> Content:
    """The content of a sealed file; `drawn` is the part of it before it was signed.

    Raises:
        Broken: `hidden-change` (the signature's own revision changes more than it must), `no-data`, `data-form`
            (not canonical, or not after the schema), `digest`, `draft`, `unreadable`.
    """
    try:
        with pikepdf.open(io.BytesIO(pdf)) as whole, pikepdf.open(io.BytesIO(drawn)) as before:
            _check_update(whole, before, pdf[len(drawn) :])
            return _content(before)
    except pikepdf.PdfError as error:
        raise Broken("unreadable") from error


# ---------------------------------------------------------------- what came with the signature
def _check_update(whole: pikepdf.Pdf, before: pikepdf.Pdf, update: bytes) -> None:
    """The revision that adds the signature changes the catalog and one page by what the signature needs, no more."""
    page = _signed_page(whole)
    changed = {before.Root.objgen, page.objgen}
    known = {item.objgen: item for item in before.objects if item.objgen not in changed}
    if len(OBJECT.findall(update)) > len(changed) + NEW_OBJECTS or before.Root.objgen != whole.Root.objgen:
        raise Broken("hidden-change")
    # Which bytes are an object is for the table at the end to say, so that each is looked up there.
    if any(_whole_text(item) != _whole_text(whole.get_object(place)) for place, item in known.items()):
        raise Broken("hidden-change")
    _check_same(whole.Root, before.Root, "/AcroForm")
    _check_same(page, before.get_object(page.objgen), "/Annots")


def _signed_page(whole: pikepdf.Pdf) -> Any:
    """The page of the signature's field; the form holds nothing else, and the field shows nothing."""
    form: Any = whole.Root.get("/AcroForm", pikepdf.Dictionary())
    fields = list(form.get("/Fields", []))
    if len(fields) != 1 or set(form.keys()) - {"/Fields", "/SigFlags"}:
        raise Broken("several-signatures")
    (field,) = fields
    if set(field.keys()) - FIELD or set(field.V.keys()) - SIGNATURE:
        raise Broken("hidden-change")
    annotations = [one.objgen for one in field.P.get("/Annots", [])]
    if annotations[-1:] != [field.objgen] or any(float(edge) for edge in field.Rect):
        raise Broken("hidden-change")
    return field.P


def _check_same(after: Any, before: Any, added: str) -> None:
    names = set(after.keys()) | set(before.keys())
    if any(_text(after, name) != _text(before, name) for name in names - {added}):
        raise Broken("hidden-change")
    old = [one.objgen for one in before.get(added, [])] if added == "/Annots" else []
    if added == "/Annots" and [one.objgen for one in after[added]][:-1] != old:
        raise Broken("hidden-change")
    if added != "/Annots" and added in before:
        raise Broken("hidden-change")


def _text(holder: Any, name: str) -> bytes | None:
    # Objects of two opened files never compare equal: their text does, which names what they refer to by number.
    value = holder.get(name)
    if isinstance(value, pikepdf.Object):
        return f"{value.objgen}".encode() if value.is_indirect else value.unparse(resolved=True)
    return repr(value).encode()


def _whole_text(item: Any) -> bytes:
    content = item.read_raw_bytes() if isinstance(item, pikepdf.Stream) else b""
    return (
        bytes(item.unparse(resolved=True)) + content
        if isinstance(item, pikepdf.Object)
        else repr(item).encode()
    )


# ---------------------------------------------------------------- the data
def _content(before: pikepdf.Pdf) -> Content:
    document = _document(*_attached(before))
    return Content(
        document=document,
        lang="en" if str(before.Root.get("/Lang", "zh")).startswith("en") else "zh",
        generator=str(before.docinfo.get("/Creator", "")),
        links=tuple(_alternatives(before)),
    )


def _attached(before: pikepdf.Pdf) -> tuple[str, bytes]:
    """The name and the bytes of the one file of data that there is."""
    names = [name for name in before.attachments if name in {ATTACHMENT, ROLLUP}]
    if len(names) != 1:
        raise Broken("no-data")
    return names[0], before.attachments[names[0]].get_file().read_bytes()


def _document(name: str, data: bytes) -> ReturnDocument | RollupDocument:
    try:
        if rfc8785.dumps(json.loads(data)) != data:
            raise Broken("data-form")
        document = returns.parse(data) if name == ATTACHMENT else rollup.parse(data)
    except (ValueError, RecursionError, msgspec.DecodeError, rfc8785.CanonicalizationError) as error:
        raise Broken("data-form") from error
    if _digest(document) != document.facts_digest:
        raise Broken("digest")
    if document.draft:
        raise Broken("draft")
    return document


def _digest(document: ReturnDocument | RollupDocument) -> str:
    if isinstance(document, RollupDocument):
        return rollup.facts_digest(document)
    return returns.facts_digest(document)


def _alternatives(before: pikepdf.Pdf) -> Iterable[str]:
    """The words for what is drawn and not written, such as the QR code's."""
    for item in before.objects:
        if isinstance(item, pikepdf.Dictionary) and "/Alt" in item:
            yield str(item.Alt)

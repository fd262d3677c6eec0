"""The last touches to a PDF before it is written: the attached files, and what WeasyPrint leaves out."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pydyf

from reports.drawing.written import COMPRESSION, write
from reports.kinds import Attached

# PDF/A lets in only metadata that it knows or that is described beside it, so PDF/UA's mark brings its schema.
_PDF_UA = b"""
<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/" pdfuaid:part="1"/>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>PDF/UA Universal Accessibility Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>part</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>
<pdfaProperty:category>internal</pdfaProperty:category>
<pdfaProperty:description>Part of ISO 14289</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
"""


@dataclass(frozen=True, slots=True)
class Packing:
    """An attached file on its way: its MD5, which PDF asks for, and its compressed bytes come from another thread."""

    file: Attached
    made_at: datetime
    packed: Future[tuple[str, bytes]]


def packing(file: Attached, made_at: datetime, threads: Executor) -> Packing:
    """Begin to compress a file: zlib lets the page be laid out meanwhile."""
    return Packing(file, made_at, threads.submit(_packed, file.content))


def _packed(content: bytes) -> tuple[str, bytes]:
    return hashlib.md5(content, usedforsecurity=False).hexdigest(), zlib.compress(content, COMPRESSION)


def finish(files: Iterable[Packing], pdf: Any) -> None:
    """The attached files and PDF/UA-1's mark; and a way to write it of our own."""
    named = {each.file.name: _attach(each, pdf).reference for each in files}
    pdf.catalog["AF"] = pydyf.Array(named.values())
    names = pydyf.Array(part for name in sorted(named) for part in (pydyf.String(name), named[name]))
    pdf.catalog["Names"] = pydyf.Dictionary({"EmbeddedFiles": pydyf.Dictionary({"Names": names})})
    stream = pdf.objects[_number(pdf.catalog["Metadata"])].stream
    stream[0] = stream[0].replace(b"</rdf:RDF>", _PDF_UA + b"</rdf:RDF>")
    pdf.write = partial(write, pdf)


def _attach(each: Packing, pdf: Any) -> Any:
    """The file's specification, among the objects by now as its stream is."""
    checksum, packed = each.packed.result()
    file, stamp = each.file, pydyf.String(f"{each.made_at.astimezone(UTC):D:%Y%m%d%H%M%SZ}")
    about = {"CheckSum": f"<{checksum}>", "Size": len(file.content), "CreationDate": stamp, "ModDate": stamp}
    kind = f"/{file.media_type.replace('/', '#2f')}"
    extra = {
        "Type": "/EmbeddedFile",
        "Subtype": kind,
        "Params": pydyf.Dictionary(about),
        "Filter": "/FlateDecode",
    }
    stream = pydyf.Stream([packed], extra)
    pdf.add_object(stream)
    specification = pydyf.Dictionary(
        {
            "Type": "/Filespec",
            "F": pydyf.String(file.name),
            "UF": pydyf.String(file.name),
            "EF": pydyf.Dictionary({"F": stream.reference}),
            "Desc": pydyf.String(file.description),
            "AFRelationship": f"/{file.relationship}",
        }
    )
    pdf.add_object(specification)
    return specification


def _number(reference: bytes) -> int:
    """The object that `12 0 R` refers to."""
    return int(reference.split()[0])

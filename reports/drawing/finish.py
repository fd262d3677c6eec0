"""The last touches to a PDF before it is written: what WeasyPrint leaves out, and every object made into bytes once."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import pydyf

COMPRESSION = 8
"""On a large school's data as small as level 9, which is pydyf's choice, in two thirds of its time."""

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


def finish(media_types: Mapping[str, str], pdf: Any) -> None:
    """Attachments named once and typed as `media_types` says (by file name), PDF/UA-1's mark, and objects settled."""
    associated = pdf.catalog["AF"]
    associated[:] = list(dict.fromkeys(associated))
    for each in associated:
        file = pdf.objects[_number(each)]
        media_type = media_types[str(file["UF"].string)]
        pdf.objects[_number(file["EF"]["F"])].extra["Subtype"] = f"/{media_type.replace('/', '#2f')}"
    stream = pdf.objects[_number(pdf.catalog["Metadata"])].stream
    stream[0] = stream[0].replace(b"</rdf:RDF>", _PDF_UA + b"</rdf:RDF>")
    pdf.objects[:] = [_Settled(item) if item.free == "n" else item for item in pdf.objects]


def _number(reference: bytes) -> int:
    """The object that `12 0 R` refers to."""
    return int(reference.split()[0])


class _Settled(pydyf.Object):  # type: ignore[misc]
    """An object as the bytes it comes to. pydyf itself makes (and compresses) them twice."""

    data = b""
    compressible = False

    def __init__(self, item: Any) -> None:
        super().__init__()
        self.number, self.generation = item.number, item.generation
        self.compressible = item.compressible
        if isinstance(item, pydyf.Stream) and item.compress:
            item = _compressed(item)
        self.data = item.data


def _compressed(stream: Any) -> Any:
    plain = b"\n".join(map(pydyf._to_bytes, stream.stream))  # noqa: SLF001 - pydyf compresses only at its own level
    packed = zlib.compress(plain, COMPRESSION)
    return pydyf.Stream([packed], {**stream.extra, "Filter": "/FlateDecode"})

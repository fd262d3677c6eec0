"""A PDF signed with PAdES (baseline B-B), and a signature checked: the only module that imports pyHanko.

pyHanko writes the update; the signature in it is written by the module that reads it, which knows of one way only.

The signature is one incremental update of what was drawn: the unsigned bytes stay as they were, at the front of the
file. It is made in the service's own process, not where documents are drawn: there C libraries run on what people
typed, and a key has no business beside them.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject

from reports.sealing.keys import SigningKey
from reports.sealing.signature import read_signature, signature_of

FIELD: Final = "Seal"
DIGEST: Final = "sha256"
SPARE_BYTES = 8
"""An ECDSA signature's DER varies by a few bytes; what is left of the place kept for it is filled with zeros."""


class _Writer(IncrementalPdfFileWriter):
    """Adds the signature and nothing else: pyHanko would write its name and the machine's time into the metadata."""

    def _update_meta(self) -> None:
        pass


def sign(pdf: bytes, key: SigningKey, at: datetime) -> bytes:
    """The PDF with one signature that covers all of it. `at`: the signing time, an aware instant.

    Takes some 10 ms of processor time; to be called in a thread, not where an event loop runs. Raises Broken if what
    came out would not be found genuine, such as when key and certificate are not of one pair.
    """
    writer = _Writer(io.BytesIO(pdf))
    steps = PdfCMSEmbedder(SigFieldSpec(FIELD)).write_cms(FIELD, writer)
    next(steps)
    steps.send(SigObjSetup(_placeholder(_size(key), at)))
    prepared, output = steps.send(SigIOSetup(md_algorithm=DIGEST))
    steps.send(signature_of(prepared.document_digest, key.private, key.certificate))
    signed: bytes = output.getvalue()
    if read_signature(signed).drawn != pdf:
        raise ValueError("what was drawn is not a file of one revision")
    return signed


@lru_cache(maxsize=4)
def _size(key: SigningKey) -> int:
    """The bytes to keep for a signature: what one comes to, and a few."""
    return len(signature_of(bytes(32), key.private, key.certificate)) + SPARE_BYTES


def _placeholder(size: int, at: datetime) -> SignatureObject:
    return SignatureObject(
        timestamp=at.astimezone(UTC).replace(microsecond=0),
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * size,
    )

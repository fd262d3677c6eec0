"""A PDF signed with PAdES (baseline B-B), and a signature checked: the only module that imports pyHanko.

The signature is one incremental update of what was drawn: the unsigned bytes stay as they were, at the front of the
file. It is made in the service's own process, not where documents are drawn: there C libraries run on what people
typed, and a key has no business beside them.
"""

from __future__ import annotations

import asyncio
import io
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import SimpleSigner
from pyhanko.sign.signers.cms_embedder import PdfCMSEmbedder, SigIOSetup, SigObjSetup
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko_certvalidator.registry import SimpleCertificateStore

from reports.sealing.keys import SigningKey
from reports.sealing.signature import read_signature

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

    Takes some 25 ms of processor time; to be called in a thread, not where an event loop runs. Raises Broken if what
    came out would not be found genuine, such as when key and certificate are not of one pair.
    """
    signer = _signer(key)
    size = _size(key)
    writer = _Writer(io.BytesIO(pdf))
    steps = PdfCMSEmbedder(SigFieldSpec(FIELD)).write_cms(FIELD, writer)
    next(steps)
    steps.send(SigObjSetup(_placeholder(size, at)))
    prepared, output = steps.send(SigIOSetup(md_algorithm=DIGEST))
    steps.send(_cms(signer, prepared.document_digest))
    signed: bytes = output.getvalue()
    if read_signature(signed).drawn != pdf:
        raise ValueError("what was drawn is not a file of one revision")
    return signed


@lru_cache(maxsize=4)
def _signer(key: SigningKey) -> SimpleSigner:
    private = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    return SimpleSigner(
        signing_cert=certificate,
        signing_key=asn1_keys.PrivateKeyInfo.load(private),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )


@lru_cache(maxsize=4)
def _size(key: SigningKey) -> int:
    """The bytes to keep for a signature: what one comes to, and a few."""
    return len(_cms(_signer(key), bytes(32)).dump()) + SPARE_BYTES


def _placeholder(size: int, at: datetime) -> SignatureObject:
    return SignatureObject(
        timestamp=at.astimezone(UTC).replace(microsecond=0),
        subfilter=SigSeedSubFilter.PADES,
        bytes_reserved=2 * size,
    )


def _cms(signer: SimpleSigner, digest: bytes) -> Any:
    return asyncio.run(signer.async_sign(digest, DIGEST, use_pades=True))

"""A receipt that the receiver has signed, so that the sender can show it to anybody: JSON, and a signature over it.

The signature is over the canonical JSON of `body`, by the key whose certificate the sender has pinned: ECDSA on P-256
or RSA (PKCS #1 v1.5), both with SHA-256.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from reports.canonical import canonical
from reports.sealing.keys import SigningKey, fingerprint

SCHEMA: Final = "safe-campus.receipt.v1"


class BadReceipt(Exception):
    """An answer that is no receipt, or not of the receiver that was expected."""


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
    schema: str = SCHEMA


class Signed(msgspec.Struct, frozen=True):
    """A receipt as it travels. `certificate` is the fingerprint of the one that speaks for the signature (base64)."""

    body: Body
    certificate: str = ""
    signature: str = ""


def issue(body: Body, key: SigningKey | None) -> str:
    """The receipt as canonical JSON. Without a key it is not signed: so are those of an inbox that no key was given."""
    if key is None:
        return canonical(Signed(body)).decode()
    message, private = canonical(body), key.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        signature = private.sign(message, ec.ECDSA(SHA256()))
    else:
        signature = private.sign(message, padding.PKCS1v15(), SHA256())
    return canonical(Signed(body, key.fingerprint, base64.b64encode(signature).decode())).decode()


def check(text: bytes, certificate: x509.Certificate) -> Body:
    """What a genuine receipt says. Raises BadReceipt."""
    try:
        receipt = msgspec.json.decode(text, type=Signed)
        signature = base64.b64decode(receipt.signature, validate=True)
    except (msgspec.DecodeError, UnicodeDecodeError, binascii.Error) as error:
        raise BadReceipt("the answer is not a receipt") from error
    if receipt.body.schema != SCHEMA:
        raise BadReceipt("the answer is not a receipt of a kind known here")
    if receipt.certificate != fingerprint(certificate):
        raise BadReceipt("the receipt is signed with another certificate than the pinned one")
    try:
        _verify(certificate, signature, canonical(receipt.body))
    except InvalidSignature as error:
        raise BadReceipt("the receipt's signature does not fit it") from error
    return receipt.body


def _verify(certificate: x509.Certificate, signature: bytes, message: bytes) -> None:
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(SHA256()))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PKCS1v15(), SHA256())
    else:
        raise BadReceipt("the pinned certificate holds a key of an unknown kind")

"""What one instance says to another and signs, so that it can be shown to anybody: JSON, and a signature over it.

The signature is over the canonical JSON of `body`, by the key whose certificate the other side has pinned: ECDSA on
P-256 or RSA (PKCS #1 v1.5), both with SHA-256.
"""

from __future__ import annotations

import base64
from typing import Generic, TypeVar

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from reports.canonical import canonical
from reports.sealing.keys import SigningKey, fingerprint

Body = TypeVar("Body", bound=msgspec.Struct)


class BadAnswer(Exception):
    """An answer that is not what was asked for, or not signed by whom it was expected from."""


class Signed(msgspec.Struct, Generic[Body], frozen=True):
    """A body as it travels. `certificate` is the fingerprint of the one that speaks for the signature (base64)."""

    body: Body
    certificate: str = ""
    signature: str = ""


def issue(body: msgspec.Struct, key: SigningKey | None) -> str:
    """A body, signed, as canonical JSON. Without a key it is not signed: so are receipts of an inbox without one."""
    if key is None:
        return canonical(Signed(body)).decode()
    message, private = canonical(body), key.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        signature = private.sign(message, ec.ECDSA(SHA256()))
    else:
        signature = private.sign(message, padding.PKCS1v15(), SHA256())
    return canonical(Signed(body, key.fingerprint, base64.b64encode(signature).decode())).decode()


def check(text: bytes, kind: type[Body], certificate: x509.Certificate) -> Body:
    """What a genuine answer of a kind says. Raises BadAnswer."""
    try:
        answer: Signed[Body] = msgspec.json.decode(text, type=Signed[kind])  # type: ignore[valid-type]
        signature = base64.b64decode(answer.signature, validate=True)
        message = canonical(answer.body)
    except ValueError as error:
        raise BadAnswer("the answer cannot be read, or is of a kind that is not known here") from error
    if answer.certificate != fingerprint(certificate):
        raise BadAnswer("the answer is signed with another certificate than the pinned one")
    try:
        _verify(certificate, signature, message)
    except InvalidSignature as error:
        raise BadAnswer("the answer's signature does not fit it") from error
    return answer.body


def _verify(certificate: x509.Certificate, signature: bytes, message: bytes) -> None:
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(SHA256()))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PKCS1v15(), SHA256())
    else:
        raise BadAnswer("the pinned certificate holds a key of an unknown kind")

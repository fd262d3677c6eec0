"""What one instance says to another and signs, so that it can be shown to anybody: JSON, and a signature over it.

The signature is over the bytes of `body`, which are canonical JSON, by the key whose certificate the other side has
pinned: ECDSA on P-256 or RSA (PKCS #1 v1.5), both with SHA-256. What a newer program adds to a body is signed too, and
passed over here.
"""

from __future__ import annotations

import base64
from typing import TypeVar

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


class Signed(msgspec.Struct, frozen=True):
    """A body as it travels, in its own bytes. `certificate` is the fingerprint of the one that speaks for the signature
    (base64).
    """

    body: msgspec.Raw
    certificate: str = ""
    signature: str = ""


def issue(body: msgspec.Struct, key: SigningKey | None) -> str:
    """A body, signed, as canonical JSON. Without a key it is not signed: so are receipts of an inbox without one."""
    message = canonical(body)
    signed = Signed(msgspec.Raw(message))
    if key is not None:
        signed = Signed(signed.body, key.fingerprint, _signature(message, key))
    return msgspec.json.encode(signed, order="sorted").decode()


def _signature(message: bytes, key: SigningKey) -> str:
    private = key.private
    if isinstance(private, ec.EllipticCurvePrivateKey):
        signature = private.sign(message, ec.ECDSA(SHA256()))
    else:
        signature = private.sign(message, padding.PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode()


def check(text: bytes, kind: type[Body], certificate: x509.Certificate) -> Body:
    """What a genuine answer of a kind says. Raises BadAnswer."""
    try:
        answer = msgspec.json.decode(text, type=Signed)
        if answer.certificate != fingerprint(certificate):
            raise BadAnswer("the answer is signed with another certificate than the pinned one")
        _verify(certificate, base64.b64decode(answer.signature, validate=True), bytes(answer.body))
        return msgspec.json.decode(answer.body, type=kind)
    except InvalidSignature as error:
        raise BadAnswer("the answer's signature does not fit it") from error
    except ValueError as error:
        raise BadAnswer("the answer cannot be read, or is of a kind that is not known here") from error


def _verify(certificate: x509.Certificate, signature: bytes, message: bytes) -> None:
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        public.verify(signature, message, ec.ECDSA(SHA256()))
    elif isinstance(public, rsa.RSAPublicKey):
        public.verify(signature, message, padding.PKCS1v15(), SHA256())
    else:
        raise BadAnswer("the pinned certificate holds a key of an unknown kind")

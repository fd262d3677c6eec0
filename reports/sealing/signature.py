"""How a sealed file must be built, byte by byte, and whose signature it bears.

A sealed file is what was drawn, and behind it one update that adds the signature. Its byte range is the whole file less
the gap that holds the signature; the gap holds exactly what writing the signature's parts out again gives. So every bit
is either signed or determined, and one that changed is found.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from reports.sealing.der import NULL, OCTETS, SEQUENCE, SET, TAGGED, body, inside, object_identifier, tlv

FILLING = 16
"""At most so many bytes of the gap are left over and zero."""
RANGE = re.compile(rb"/ByteRange \[0 ([0-9]{1,10}) ([0-9]{1,10}) ([0-9]{1,10})\] *\n")
SIGNED_AT = re.compile(rb"/M \(D\\072([0-9]{14})Z\)\n")
END = re.compile(rb"startxref\n([0-9]{1,10})\n%%EOF\n\Z")
PREVIOUS = re.compile(rb"/Prev ([0-9]{1,10})\n")
DRAWN_END = b"%%EOF\n"

ONE = tlv(0x02, b"\x01")
DIRECTORY_NAME = 0xA4
SIGNED_DATA = object_identifier("1.2.840.113549.1.7.2")
DATA = object_identifier("1.2.840.113549.1.7.1")
CONTENT_TYPE = object_identifier("1.2.840.113549.1.9.3")
MESSAGE_DIGEST = object_identifier("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE = object_identifier("1.2.840.113549.1.9.16.2.47")
ECDSA_SHA256 = object_identifier("1.2.840.10045.4.3.2")
RSA_SHA256 = object_identifier("1.2.840.113549.1.1.11")
SHA256 = tlv(SEQUENCE, object_identifier("2.16.840.1.101.3.4.2.1") + NULL)


class Broken(Exception):
    """A file that is not built or not signed as a sealed one. `code` is stable; `values` go into its sentence."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that holds: over every byte of the file, by the key of `certificate`. Whether to trust that
    certificate is another question. `drawn` is what was there before it was signed.
    """

    certificate: x509.Certificate
    signed_at: datetime
    drawn: bytes


def read_signature(pdf: bytes) -> Signature:
    """The one signature of a sealed file.

    Raises:
        Broken: `not-pdf`, `unsigned`, `several-signatures`, `not-whole` (something follows, or a part is left out),
            `later-revision`, `gap` (not the canonical text), `altered` (the bytes are not those that were signed),
            `signature` (its parts contradict each other), `certificate-expired`.
    """
    if not pdf.startswith(b"%PDF-"):
        raise Broken("not-pdf")
    gap, start, end = _ranges(pdf)
    digest = hashlib.sha256(pdf[:start] + pdf[end:]).digest()
    certificate = _signer(pdf[start:end], digest)
    signed_at = _signed_at(pdf, gap)
    if not certificate.not_valid_before_utc <= signed_at <= certificate.not_valid_after_utc:
        raise Broken("certificate-expired", at=signed_at)
    return Signature(certificate, signed_at, _drawn(pdf, gap))


# ---------------------------------------------------------------- which bytes are signed
def _ranges(pdf: bytes) -> tuple[int, int, int]:
    """(place of the byte range, begin and end of the gap, its brackets included)."""
    found = list(RANGE.finditer(pdf))
    if not found:
        raise Broken("unsigned")
    if len(found) > 1 or pdf.count(b"/ByteRange") > 1:
        raise Broken("several-signatures")
    start, end, rest = (int(number) for number in found[0].groups())
    if found[0].group().rstrip() != b"/ByteRange [0 %d %d %d]" % (start, end, rest):
        raise Broken("altered")
    if end + rest != len(pdf):
        raise Broken("not-whole")
    # The gap lies right before the byte range, and is nothing but the signature's own text.
    if end + 1 != found[0].start() or not pdf[:start].endswith(b"\n/Contents ") or not start < end:
        raise Broken("not-whole")
    return found[0].start(), start, end


def _drawn(pdf: bytes, gap: int) -> bytes:
    """The file before it was signed: the only other revision, and a whole file of its own."""
    ends = END.search(pdf)
    previous = PREVIOUS.findall(pdf, gap)
    if ends is None or len(previous) != 1:
        raise Broken("later-revision")
    behind = pdf.find(DRAWN_END, int(previous[0])) + len(DRAWN_END)
    drawn = pdf[:behind]
    last = END.search(drawn)
    if last is None or int(last[1]) != int(previous[0]) or behind > gap or PREVIOUS.search(drawn):
        raise Broken("later-revision")
    return drawn


def _signed_at(pdf: bytes, gap: int) -> datetime:
    found = SIGNED_AT.search(pdf, gap)
    if found is None:
        raise Broken("signature")
    try:
        return datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise Broken("signature") from error


# ---------------------------------------------------------------- the signature in the gap
def _signer(gap: bytes, digest: bytes) -> x509.Certificate:
    """Whose signature of the digest stands in the gap.

    A signature is decided by three things, its certificate, the digest and the value of the signature itself: written
    out from these, it must be what is there.
    """
    try:
        content = bytes.fromhex(gap[1:-1].decode("ascii"))
        der, said, value = _parts(content)
        certificate = x509.load_der_x509_certificate(der)
        attributes = _attributes(der, said)
        whole = _written(
            der, attributes, value, rsa_key=isinstance(certificate.public_key(), rsa.RSAPublicKey)
        )
    except Exception as error:  # the parsers raise whatever they like at rubbish
        raise Broken("gap") from error
    left = len(content) - len(whole)
    if not 0 <= left <= FILLING or gap != b"<%s>" % (whole + bytes(left)).hex().upper().encode():
        raise Broken("gap")
    if said != digest:
        raise Broken("altered")
    _check_value(certificate, value, tlv(SET, attributes))
    return certificate


def _parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    """(certificate, digest that was signed, value of the signature), as they are found on the way down."""
    signed = inside(inside(inside(content)[1])[0])
    certificate, infos = inside(signed[3])[0], inside(signed[4])
    info = inside(infos[0])
    digests = [inside(inside(one)[1])[0] for one in inside(info[3]) if inside(one)[0] == MESSAGE_DIGEST]
    return certificate, body(digests[0]), body(info[5])


def _written(certificate: bytes, attributes: bytes, value: bytes, *, rsa_key: bool) -> bytes:
    """The one way to write a signature of these parts (RFC 5652, as PAdES baseline B-B wants it)."""
    algorithm = tlv(SEQUENCE, RSA_SHA256 + NULL) if rsa_key else tlv(SEQUENCE, ECDSA_SHA256)
    info = tlv(
        SEQUENCE,
        ONE
        + _issuer_and_serial(certificate)
        + SHA256
        + tlv(TAGGED, attributes)
        + algorithm
        + tlv(OCTETS, value),
    )
    signed = tlv(
        SEQUENCE,
        ONE + tlv(SET, SHA256) + tlv(SEQUENCE, DATA) + tlv(TAGGED, certificate) + tlv(SET, info),
    )
    return tlv(SEQUENCE, SIGNED_DATA + tlv(TAGGED, signed))


def _attributes(certificate: bytes, digest: bytes) -> bytes:
    """The signed attributes: what kind of content, its digest, and which certificate (RFC 5035)."""
    issuer, serial = inside(_issuer_and_serial(certificate))
    names = tlv(SEQUENCE, tlv(DIRECTORY_NAME, issuer)) + serial
    identified = tlv(OCTETS, hashlib.sha256(certificate).digest()) + tlv(SEQUENCE, names)
    values = {
        CONTENT_TYPE: DATA,
        MESSAGE_DIGEST: tlv(OCTETS, digest),
        SIGNING_CERTIFICATE: tlv(SEQUENCE, tlv(SEQUENCE, tlv(SEQUENCE, identified))),
    }
    return b"".join(sorted(tlv(SEQUENCE, kind + tlv(SET, value)) for kind, value in values.items()))


def _issuer_and_serial(certificate: bytes) -> bytes:
    fields = [one for one in inside(inside(certificate)[0]) if one[0] != TAGGED]
    return tlv(SEQUENCE, fields[2] + fields[0])


def _check_value(certificate: x509.Certificate, value: bytes, signed: bytes) -> None:
    key = certificate.public_key()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(value, signed, ec.ECDSA(hashes.SHA256()))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(value, signed, padding.PKCS1v15(), hashes.SHA256())
        else:
            raise Broken("signature")
    except InvalidSignature as error:
        raise Broken("signature") from error

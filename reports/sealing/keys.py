"""The key that seals returns, its certificate, and the certificates that are trusted.

One key per instance: made at the first run and kept in the data folder, or given as PKCS#12. Every certificate that
ever sealed here stays in the folder of trusted ones, so that what an earlier key sealed stays genuine.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from reports import files

KEY_FILE = "signing-key.pem"
TRUST = "trust"
"""Folder of the trusted certificates, one `.pem` each, below the data folder."""
RSA_BITS = 2048
SINCE = datetime(2000, 1, 1, tzinfo=UTC)
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""A certificate is trusted because somebody compared its fingerprint, not for a while; RFC 5280, 4.1.2.5."""

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class BadKey(Exception):
    """A key or certificate that cannot be used. `code`: `unreadable`, `password`, `kind` or `pair`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class SigningKey:
    """A private key and the certificate that speaks for it."""

    private: PrivateKey = field(repr=False)
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, lower-case hex."""
        return fingerprint(self.certificate)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of the certificate's DER, lower-case hex: what people compare before they trust it."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def in_groups(digits: str) -> str:
    """A fingerprint as people read it out: upper case, in groups of four."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4)).upper()


def signing_key(data: Path, name: str, given: bytes | None = None, password: str | None = None) -> SigningKey:
    """The key of this instance: the PKCS#12 that was given, else the one in the data folder, made if there is none.

    `name` is written into a new certificate. Its certificate is among the trusted ones afterwards.

    Raises:
        BadKey: for a PKCS#12 that does not open, holds no key with its certificate, or a key of another kind than
            P-256 or RSA (2048 bits and more); for a key file that is broken.
        OSError: the data folder.
    """
    key = _from_pkcs12(given, password) if given is not None else _kept(data, name)
    trust(data, key.certificate)
    return key


# ---------------------------------------------------------------- a key that was given
def _from_pkcs12(given: bytes, password: str | None) -> SigningKey:
    try:
        private, certificate, _ = pkcs12.load_key_and_certificates(
            given, password.encode() if password else None
        )
    except ValueError as error:
        raise BadKey("password" if "password" in str(error).lower() else "unreadable") from error
    return _pair(private, certificate)


def _pair(private: object, certificate: x509.Certificate | None) -> SigningKey:
    if private is None or certificate is None:
        raise BadKey("pair")
    if isinstance(private, ec.EllipticCurvePrivateKey):
        usable = isinstance(private.curve, ec.SECP256R1)
    else:
        usable = isinstance(private, rsa.RSAPrivateKey) and private.key_size >= RSA_BITS
    if not usable:
        raise BadKey("kind")
    assert isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    if _public(private.public_key()) != _public(certificate.public_key()):
        raise BadKey("pair")
    return SigningKey(private, certificate)


def _public(key: object) -> bytes:
    der: bytes = key.public_bytes(  # type: ignore[attr-defined]
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der


# ---------------------------------------------------------------- the key made here
def _kept(data: Path, name: str) -> SigningKey:
    """Key and certificate are one file, written aside and linked into place: of two processes starting at once, both
    read one whole key.
    """
    place = data / KEY_FILE
    if not place.exists():
        data.mkdir(parents=True, exist_ok=True)
        _put(place, _written(_made(name)), mode=0o600)
    return _read(place.read_bytes())


def _made(name: str) -> SigningKey:
    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Safe Campus"),
            x509.NameAttribute(NameOID.COMMON_NAME, name[:64]),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=True, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(SINCE)
        .not_valid_after(FOREVER)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(private.public_key()), critical=False)
        .sign(private, hashes.SHA256())
    )
    return SigningKey(private, certificate)


def _written(key: SigningKey) -> bytes:
    return key.private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ) + pem(key.certificate)


def _read(text: bytes) -> SigningKey:
    try:
        private = serialization.load_pem_private_key(text, None)
        certificate = x509.load_pem_x509_certificate(text)
    except ValueError as error:
        raise BadKey("unreadable") from error
    return _pair(private, certificate)


def _put(place: Path, content: bytes, mode: int) -> None:
    """A whole file or none, through to the disk; one that another process put there first stays."""
    aside = place.with_name(f".{place.name}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, place)
        files.sync_folder(place.parent)
    finally:
        aside.unlink()


# ---------------------------------------------------------------- whom to trust
def pem(certificate: x509.Certificate) -> bytes:
    """The certificate as text, as `--trust` takes it."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def certificates_in(text: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. Raises BadKey (`unreadable`) if it holds none."""
    try:
        return tuple(x509.load_pem_x509_certificates(text))
    except ValueError as error:
        raise BadKey("unreadable") from error


def trust(data: Path, certificate: x509.Certificate) -> Path:
    """Keep a certificate among the trusted ones; the file is named by its fingerprint."""
    place = data / TRUST / f"{fingerprint(certificate)}.pem"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        _put(place, pem(certificate), mode=0o644)
    return place


def trusted(data: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate in the folder of trusted ones, in the order of their files' names.

    Raises BadKey (`unreadable`) for a file that is no certificate, with the file's name as a note.
    """
    return tuple(_each_of(sorted((data / TRUST).glob("*.pem"))))


def _each_of(places: Iterable[Path]) -> Iterable[x509.Certificate]:
    for place in places:
        try:
            yield from certificates_in(place.read_bytes())
        except BadKey as error:
            error.add_note(str(place))
            raise

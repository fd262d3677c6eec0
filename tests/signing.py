"""Keys and certificates for tests."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, NoEncryption, pkcs12
from cryptography.x509.oid import NameOID

from reports.sealing.keys import PrivateKey, SigningKey


def certificate_of(private: PrivateKey, name: str = "江州县教育局") -> x509.Certificate:
    """A certificate that the key signs for itself, as a bureau might bring it."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2060, 1, 1, tzinfo=UTC))
        .sign(private, hashes.SHA256())
    )


def packed(private: PrivateKey, password: str | None = None) -> bytes:
    """A PKCS#12 of the key and its certificate."""
    lock = BestAvailableEncryption(password.encode()) if password else NoEncryption()
    return pkcs12.serialize_key_and_certificates(b"seal", private, certificate_of(private), None, lock)


def new_key(name: str = "another", *, use_rsa: bool = False) -> SigningKey:
    """A key that no instance knows of, P-256 or RSA."""
    private: PrivateKey = (
        rsa.generate_private_key(65537, 2048) if use_rsa else ec.generate_private_key(ec.SECP256R1())
    )
    return SigningKey(private, certificate_of(private, name))

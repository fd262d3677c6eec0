"""A sealed file, bit by bit: whatever changes in it, the signature no longer holds, and says why."""

import asyncio
import io
import random
from datetime import UTC, datetime

import pikepdf
import pytest
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import KeyUsageConstraints, SignatureCoverageLevel, async_validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from reports.seal import sign
from reports.sealing.keys import SigningKey
from reports.sealing.signature import Broken, read_signature
from tests.signing import new_key
from tests.small_pdf import small_pdf

AT = datetime(2026, 9, 30, 16, 0, tzinfo=UTC)
DRAWN = small_pdf("a page")
KEYS = {"p256": new_key(), "rsa": new_key(use_rsa=True)}


def broken(pdf: bytes) -> str:
    """Why the signature does not hold."""
    with pytest.raises(Broken) as found:
        read_signature(pdf)
    return found.value.code


@pytest.mark.parametrize("kind", KEYS)
def test_a_signature_says_by_whom_when_and_of_what(kind: str) -> None:
    found = read_signature(sign(DRAWN, KEYS[kind], AT))
    assert found.certificate == KEYS[kind].certificate
    assert found.signed_at == AT
    assert found.drawn == DRAWN


@pytest.mark.parametrize("kind", KEYS)
def test_every_bit_of_the_signature_and_around_it_counts(kind: str) -> None:
    """All bits behind what was drawn, in the order of a die."""
    sealed = sign(DRAWN, KEYS[kind], AT)
    bits = list(range(len(DRAWN) * 8, len(sealed) * 8))
    random.Random(kind).shuffle(bits)
    for bit in bits[:4000]:
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert broken(bytes(changed)) in {
            "gap", "altered", "signature", "not-whole", "unsigned", "later-revision", "several-signatures",
        }  # fmt: skip


def test_every_bit_of_what_was_drawn_counts() -> None:
    sealed = sign(DRAWN, KEYS["p256"], AT)
    for bit in range(0, len(DRAWN) * 8, 3):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert broken(bytes(changed)) in {"altered", "not-pdf"}


@pytest.mark.parametrize("behind", [b"\n", b"\0", b"%", b"%%EOF\n", b"x" * 5000])
def test_nothing_may_follow(behind: bytes) -> None:
    assert broken(sign(DRAWN, KEYS["p256"], AT) + behind) == "not-whole"


@pytest.mark.parametrize("length", [0, 4, 100, -1, -7, -600])
def test_nothing_may_be_missing(length: int) -> None:
    assert broken(sign(DRAWN, KEYS["p256"], AT)[:length]) in {"not-pdf", "unsigned", "not-whole"}


def test_an_appended_revision_is_no_part_of_it() -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(sign(DRAWN, KEYS["p256"], AT)))
    writer.root["/Lang"] = writer.root["/Type"]
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    assert broken(out.getvalue()) == "not-whole"


def test_a_file_written_anew_is_not_the_signed_one() -> None:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(sign(DRAWN, KEYS["p256"], AT))) as pdf:
        pdf.save(out)
    assert broken(out.getvalue()) in {"unsigned", "not-whole", "altered"}


def test_a_revision_between_drawing_and_signing_is_found() -> None:
    writer = IncrementalPdfFileWriter(io.BytesIO(DRAWN))
    writer.root["/Lang"] = writer.root["/Type"]
    writer.update_root()
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(Broken, match="later-revision"):
        sign(out.getvalue(), KEYS["p256"], AT)


def test_two_signatures_are_one_too_many() -> None:
    once = sign(DRAWN, KEYS["p256"], AT)
    field = once.replace(b"(Seal)", b"(Sea2)")  # a field of another name, so that a second one can be added
    with pytest.raises(Broken, match="several-signatures"):
        sign(field, KEYS["rsa"], AT)


def test_a_page_that_was_never_signed_says_so() -> None:
    assert broken(DRAWN) == "unsigned"


def test_a_signature_of_other_bytes_is_no_use_here() -> None:
    ours, theirs = (sign(small_pdf(name), KEYS["p256"], AT) for name in ("a page", "b page"))
    gap = slice(ours.index(b"/Contents <"), ours.index(b"/ByteRange"))
    other = slice(theirs.index(b"/Contents <"), theirs.index(b"/ByteRange"))
    assert broken(ours[: gap.start] + theirs[other] + ours[gap.stop :]) in {"altered", "not-whole"}


def test_another_certificate_in_the_signature_does_not_pass() -> None:
    """The value of a signature does not fit another key, and the attributes name the certificate that was meant."""
    sealed, other = sign(DRAWN, KEYS["p256"], AT), new_key("江州县教育局")
    ours, theirs = (key.certificate.public_bytes(Encoding.DER).hex().upper() for key in (KEYS["p256"], other))
    changed = sealed.replace(ours.encode(), theirs[: len(ours)].ljust(len(ours), "0").encode())
    assert changed != sealed
    assert broken(changed) in {"gap", "signature"}


def test_a_key_that_its_certificate_does_not_speak_for_signs_nothing() -> None:
    with pytest.raises(Broken, match="signature"):
        sign(DRAWN, SigningKey(new_key().private, KEYS["p256"].certificate), AT)


@pytest.mark.parametrize("year", [2019, 2061])
def test_a_certificate_speaks_for_its_own_time_only(year: int) -> None:
    with pytest.raises(Broken, match="certificate-expired"):
        sign(DRAWN, KEYS["p256"], AT.replace(year=year))


@pytest.mark.parametrize("kind", KEYS)
def test_a_general_validator_finds_it_whole_and_valid(kind: str) -> None:
    """PAdES as others read it: pyHanko's own validation, without the network."""
    key = KEYS[kind]
    certificate = asn1_x509.Certificate.load(key.certificate.public_bytes(Encoding.DER))
    (embedded,) = PdfFileReader(io.BytesIO(sign(DRAWN, key, AT))).embedded_signatures
    context = ValidationContext(trust_roots=[certificate], allow_fetching=False, moment=AT)
    usage = KeyUsageConstraints(key_usage=set())
    status = asyncio.run(async_validate_pdf_signature(embedded, context, key_usage_settings=usage))
    assert status.bottom_line
    assert status.coverage == SignatureCoverageLevel.ENTIRE_FILE
    assert status.signer_reported_dt == AT
    assert embedded.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"

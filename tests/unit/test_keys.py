"""The sealing key: made once, whoever comes first; replaced by a PKCS#12; what cannot be used is refused."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, pkcs12

from config.sealing import key_of
from config.settings import read_settings
from reports.sealing import keys
from reports.sealing.keys import BadKey, signing_key
from safety.errors import BadInput
from tests.signing import packed

ROOT = Path(__file__).parents[2]
PASSWORD = "a password"


def test_a_key_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first, again = (signing_key(tmp_path, "https://safe.example.cn") for _ in range(2))
    assert first.fingerprint == again.fingerprint
    assert (tmp_path / keys.KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir() if p.is_file()] == [keys.KEY_FILE]
    assert isinstance(first.private, ec.EllipticCurvePrivateKey)
    assert "https://safe.example.cn" in first.certificate.subject.rfc4514_string()
    assert "private" not in repr(first)


def test_its_certificate_is_trusted_here(tmp_path: Path) -> None:
    key = signing_key(tmp_path, "x")
    assert [keys.fingerprint(one) for one in keys.trusted(tmp_path)] == [key.fingerprint]


def test_two_processes_at_once_have_one_key(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from reports.sealing.keys import signing_key;"
        "sys.stdin.readline(); print(signing_key(pathlib.Path(sys.argv[1]), 'x').fingerprint)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "data")]
    both = [
        subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    found = {process.communicate()[0] for process in both}
    assert len(found) == 1
    assert len(found.pop().strip()) == 64


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_a_pkcs12_takes_its_place_and_the_old_certificate_stays_trusted(
    tmp_path: Path, password: str | None
) -> None:
    own = signing_key(tmp_path, "x")
    given = packed(ec.generate_private_key(ec.SECP256R1()), password)
    key = signing_key(tmp_path, "x", given, password)
    assert key.fingerprint != own.fingerprint
    assert {keys.fingerprint(one) for one in keys.trusted(tmp_path)} == {own.fingerprint, key.fingerprint}


def test_an_rsa_key_is_taken_too(tmp_path: Path) -> None:
    key = signing_key(tmp_path, "x", packed(rsa.generate_private_key(65537, 2048)))
    assert isinstance(key.private, rsa.RSAPrivateKey)


@pytest.mark.parametrize(
    ("given", "password", "code"),
    [
        (b"nothing", None, "unreadable"),
        (packed(ec.generate_private_key(ec.SECP256R1()), PASSWORD), "wrong", "password"),
        (packed(ec.generate_private_key(ec.SECP384R1())), None, "kind"),
        (packed(rsa.generate_private_key(65537, 1024)), None, "kind"),
    ],
    ids=["rubbish", "password", "curve", "short"],
)
def test_a_key_that_cannot_be_used_is_refused(
    tmp_path: Path, given: bytes, password: str | None, code: str
) -> None:
    with pytest.raises(BadKey) as refused:
        signing_key(tmp_path, "x", given, password)
    assert refused.value.code == code
    assert keys.trusted(tmp_path) == ()


def test_a_key_without_its_certificate_is_refused(tmp_path: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    alone = pkcs12.serialize_key_and_certificates(b"x", private, None, None, NoEncryption())
    with pytest.raises(BadKey, match="pair"):
        signing_key(tmp_path, "x", alone)


def test_a_broken_key_file_is_said_and_not_replaced(tmp_path: Path) -> None:
    place = tmp_path / keys.KEY_FILE
    place.write_text("-----BEGIN PRIVATE KEY-----\n")
    with pytest.raises(BadKey, match="unreadable"):
        signing_key(tmp_path, "x")
    assert place.read_text() == "-----BEGIN PRIVATE KEY-----\n"


def test_a_file_among_the_trusted_that_is_no_certificate_is_named(tmp_path: Path) -> None:
    (tmp_path / keys.TRUST).mkdir()
    (tmp_path / keys.TRUST / "rubbish.pem").write_text("rubbish")
    with pytest.raises(BadKey) as refused:
        keys.trusted(tmp_path)
    assert any("rubbish.pem" in note for note in refused.value.__notes__)


def test_a_fingerprint_is_read_out_in_groups() -> None:
    assert keys.in_groups("00ff1e") == "00FF 1E"


# ---------------------------------------------------------------- from the settings
def test_the_settings_name_a_file_or_hold_base64(tmp_path: Path) -> None:
    given = packed(ec.generate_private_key(ec.SECP256R1()), PASSWORD)
    (tmp_path / "key.p12").write_bytes(given)
    (tmp_path / "password").write_text(PASSWORD + "\n")
    data = {"SAFE_CAMPUS_DATA": str(tmp_path / "data")}
    by_file = {
        "SAFE_CAMPUS_SIGNING_KEY_FILE": str(tmp_path / "key.p12"),
        "SAFE_CAMPUS_SIGNING_PASSWORD_FILE": str(tmp_path / "password"),
    }
    plain = {
        "SAFE_CAMPUS_SIGNING_KEY": base64.encodebytes(given).decode(),
        "SAFE_CAMPUS_SIGNING_PASSWORD": PASSWORD,
    }
    found = {key_of(read_settings(data | how)).fingerprint for how in (by_file, plain)}
    assert len(found) == 1
    assert PASSWORD not in repr(read_settings(data | plain))
    assert key_of(read_settings(data)).fingerprint not in found


@pytest.mark.parametrize(
    ("environment", "field", "code"),
    [
        ({"SIGNING_KEY": "§"}, "SIGNING_KEY", "setting-not-base64"),
        ({"SIGNING_KEY": "AAAA"}, "SIGNING_KEY", "signing-key-unreadable"),
        ({"SIGNING_KEY_FILE": "/nowhere/key.p12"}, "SIGNING_KEY_FILE", "setting-file-unreadable"),
        ({"SIGNING_KEY": "AAAA", "SIGNING_KEY_FILE": "key"}, "SIGNING_KEY_FILE", "setting-given-twice"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    tmp_path: Path, environment: dict[str, str], field: str, code: str
) -> None:
    given = {f"SAFE_CAMPUS_{name}": value for name, value in environment.items()}
    with pytest.raises(BadInput) as refused:
        key_of(read_settings({"SAFE_CAMPUS_DATA": str(tmp_path)} | given))
    assert [(p.field, p.code) for p in refused.value.problems] == [(f"SAFE_CAMPUS_{field}", code)]
